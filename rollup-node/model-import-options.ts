import { UserError } from './errors.ts';

export interface ModelImportOptions {
  /** Typical inputs of a network, one after another. */
  readonly calibration?: Float32Array;
  /** End a network with the index of its greatest output. */
  readonly classify?: boolean;
  readonly name?: string;
  /** Bits of a network's activations, else chosen one by one; of what enters a language model's matrix products, else 16. */
  readonly activationBits?: 8 | 16;
  /** Bits of weights; 8 otherwise, or what a package's recipe says. */
  readonly weightBits?: 8 | 16;
  /** How the ranges of a network's eight-bit activations are found; everything that was seen otherwise. */
  readonly ranges?: 'minMax' | 'percentile' | 'meanSquaredError';
  /** Whether a network's dense layers read bytes with a scale a row; otherwise all of a tensor has one. */
  readonly activations?: 'tensor' | 'row';
  /** How many tokens an encoder takes; 128, or as many as it can, otherwise. */
  readonly tokens?: number;
  /** Longest prompt of a language model, in tokens. */
  readonly promptLimit?: number;
  /** Longest answer of a language model, in tokens. */
  readonly newTokens?: number;
}

export type ModelFamily = 'network' | 'quantised network' | 'encoder' | 'language model' | 'embedded model';

interface OptionUse { readonly flag: string; readonly families: readonly ModelFamily[] }

const FLOATS: readonly ModelFamily[] = ['network', 'encoder'];

/** Options with their flags, and what they mean something for. */
const USES: Readonly<Record<keyof ModelImportOptions, OptionUse>> = {
  // Networks that quantise while they run are calibrated, too: others refuse it themselves.
  calibration: { flag: '--calibration', families: [...FLOATS, 'quantised network'] },
  classify: { flag: '--classify', families: [...FLOATS, 'quantised network'] },
  name: { flag: '--name', families: [...FLOATS, 'quantised network', 'language model'] },
  activationBits: { flag: '--activation-bits', families: [...FLOATS, 'language model'] },
  weightBits: { flag: '--weight-bits', families: [...FLOATS, 'language model'] },
  ranges: { flag: '--ranges', families: FLOATS },
  activations: { flag: '--activations', families: FLOATS },
  tokens: { flag: '--tokens', families: ['encoder'] },
  promptLimit: { flag: '--prompt-limit', families: ['language model'] },
  newTokens: { flag: '--new-tokens', families: ['language model'] },
};

const HINTS: Readonly<Record<ModelFamily, string>> = {
  network: 'it is a network',
  'quantised network': 'it is quantised already, and keeps its integers',
  encoder: 'it is an encoder',
  'language model': 'it is a language model',
  'embedded model': 'it comes with Assay as it is',
};

/** Refuses options that would have no effect. @throws UserError */
export function refuseOptions(source: string, family: ModelFamily, options: ModelImportOptions): void {
  const stray = Object.entries(USES).filter(([key, { families }]) => !families.includes(family) && options[key as keyof ModelImportOptions] !== undefined).map(([, { flag }]) => flag);
  if (stray.length > 0) throw new UserError(`${stray.join(' and ')} mean${stray.length === 1 ? 's' : ''} nothing for ${source}`, { hint: HINTS[family] });
}

/** What is asked of the quantisation of float weights. */
export const quantizationOf = ({ classify, activationBits, weightBits, ranges, activations }: ModelImportOptions): Pick<ModelImportOptions, 'activationBits' | 'weightBits' | 'ranges' | 'activations'> & { readonly classify: boolean } => ({
  classify: classify === true,
  ...(activationBits === undefined ? {} : { activationBits }),
  ...(weightBits === undefined ? {} : { weightBits }),
  ...(ranges === undefined ? {} : { ranges }),
  ...(activations === undefined ? {} : { activations }),
});
