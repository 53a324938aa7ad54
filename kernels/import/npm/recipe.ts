import type { Network } from '../network/layer.ts';

/** A package's files, by their paths inside of it. */
export interface PackageReader {
  /** @throws ImportError when there is no such file */
  bytes(path: string): Promise<Uint8Array>;
  /** What a CommonJS module without imports, which holds nothing but data, exports. @throws ImportError */
  data(path: string): Promise<unknown>;
}

/** How the model of a known package becomes an integer program. */
export interface PackageRecipe {
  /** The program's name, where no other is asked for. */
  readonly name: string;
  /** What the original model's file is, for the metadata. */
  readonly format: string;
  /** Bits that keep 99% of the float model's answers (docs/evidence.md). */
  readonly activationBits: 8 | 16;
  readonly weightBits: 8 | 16;
  /** The float model, its graph rewritten where that is needed, and its layers fused. @throws ImportError when the package's files are others than expected */
  read(files: PackageReader): Promise<Network>;
  /** Inputs that are typical enough to find ranges with: made up, since packages have none. */
  calibration(network: Network): Float32Array;
  /** Makes inputs of the calibration data that somebody gives, where those are not the model's inputs one after another. @throws ImportError when there are too few */
  toInputs?(network: Network, given: Float32Array): Float32Array;
}
