import { z } from 'zod';
import { LIMITS } from '../program/program.ts';

/** What `manifest.json` says first; another version is another format. */
export const BUNDLE_FORMAT = 'assay-bundle-1';

/** The files of every bundle. Besides them only what the metadata attach is ever opened. */
export const BUNDLE_FILES = { manifest: 'manifest.json', program: 'program.json', weights: 'weights.bin' } as const;

/** Largest sizes in bytes that a reader accepts: of weights read piece by piece, and of weights that come whole. */
export const BUNDLE_LIMITS = { manifest: 2 ** 20, program: 2 ** 26, weights: 2 ** 42, weightsInMemory: 2 ** 32 } as const;

const count = z.int().min(0).max(2 ** 32 - 1);
const hash = z.string().regex(/^0x[0-9a-f]{64}$/, 'expected 0x and 64 hexadecimal digits');
const name = z.string().max(256);

const shapeSchema = z.strictObject({ element: z.enum(['i8', 'i32']), rows: count.min(1), columns: count.min(1) });

const operandSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), constant: count }),
  z.strictObject({ kind: z.literal('input') }),
  z.strictObject({ kind: z.literal('seed') }),
  z.strictObject({ kind: z.enum(['prologue', 'body', 'epilogue']), operator: count }),
]);

const operatorSchema = z.strictObject({
  name,
  kernel: count,
  parameters: z.record(z.string().max(64), z.int().min(-(2 ** 31)).max(2 ** 31 - 1)),
  output: shapeSchema,
  operands: z.array(operandSchema).max(LIMITS.operandsPerOperator),
});

const operators = z.array(operatorSchema).max(LIMITS.operatorsPerSection);

/** `program.json`; its kernels are read by `parseKernel`. */
export const programSchema = z.strictObject({
  input: shapeSchema,
  kernels: z.array(z.unknown()).max(LIMITS.operatorsPerSection),
  constants: z.array(shapeSchema).max(2 ** 16),
  prologue: operators,
  body: operators,
  epilogue: operators,
  maxIterations: count,
});

const fileSchema = z.strictObject({ bytes: z.int().min(0), keccak256: hash });

/** `manifest.json`. */
export const manifestSchema = z.strictObject({
  format: z.literal(BUNDLE_FORMAT),
  modelId: hash,
  name,
  signature: z.string().max(1024),
  metadata: z.record(z.string(), z.json()),
  files: z.strictObject({ [BUNDLE_FILES.program]: fileSchema, [BUNDLE_FILES.weights]: fileSchema }),
});

export type Manifest = z.infer<typeof manifestSchema>;
