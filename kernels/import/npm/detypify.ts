import { fuseLayers } from '../network/fuse.ts';
import { decodeOnnx } from '../onnx/decode.ts';
import { toNetwork } from '../onnx/import.ts';
import { drawScribble, drawSymbol } from './drawings.ts';
import { joined } from './random.ts';
import type { PackageRecipe } from './recipe.ts';

/** Both kinds of drawings, so that no value leaves the range that calibration saw. */
const [SYMBOLS, SCRIBBLES] = [8, 4];
/** Seeds of drawings that nothing else begins with. */
const FIRST_SEED = 10000;

/**
 * The classifier of handwritten symbols of `detypify-service`: a drawing of [224][224] grey values from 0 to 1 becomes a score for each symbol. Its file emulates PyTorch's
 * `as_strided` with loops and sequences over constant indices, which conversion computes and folds into the layers' windows (`convert-control.ts`, `convert-sequence.ts`).
 */
export const detypify: PackageRecipe = {
  name: 'detypify', format: 'onnx', activationBits: 16, weightBits: 8,
  read: async (files) => fuseLayers(toNetwork(decodeOnnx(await files.bytes('train/model.onnx')))),
  calibration: () => {
    const drawings = (count: number, draw: (seed: number) => Float32Array): Float32Array[] => Array.from({ length: count }, (_, index) => draw(FIRST_SEED + index));
    return joined([...drawings(SYMBOLS, drawSymbol), ...drawings(SCRIBBLES, drawScribble)]);
  },
};
