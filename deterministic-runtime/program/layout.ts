import { HASH_BYTES, keccak256, keccakOf, keccakText } from '../commitment/keccak.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Operand, Operator, Program } from './program.ts';
import { elementBytes } from './tensor.ts';
import type { TensorShape } from './tensor.ts';

/** Operand kinds in a descriptor (docs/word-machine.md). */
export const OPERAND_KINDS = { constant: 1, input: 2, prologue: 3, body: 4, epilogue: 5, seed: 6 } as const satisfies Record<Operand['kind'], number>;

/** A 256-bit number as a big-endian word. */
export function bigintWord(value: bigint): Uint8Array {
  const word = new Uint8Array(HASH_BYTES);
  const view = new DataView(word.buffer);
  for (let part = 0; part < 4; part += 1) view.setBigUint64(part * 8, BigInt.asUintN(64, value >> BigInt(192 - 64 * part)));
  return word;
}

function concatWords(words: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(words.length * HASH_BYTES);
  words.forEach((word, index) => bytes.set(word, index * HASH_BYTES));
  return bytes;
}

/** columns, rows, bytes an element: the low 72 bits of d1 and h4. */
const packShape = ({ rows, columns, element }: TensorShape): bigint => BigInt(columns) | (BigInt(rows) << 32n) | (BigInt(elementBytes(element)) << 64n);

/** An operand's entry in d2. */
function packOperand(operand: Operand): bigint {
  const index = operand.kind === 'constant' ? operand.constant : 'operator' in operand ? operand.operator : 0;
  return (BigInt(OPERAND_KINDS[operand.kind]) << 24n) | BigInt(index);
}

/** An operator's descriptor: `3 + operandCount` words. `constants` are the commitments of the model's constants. */
export function encodeDescriptor(operator: Operator, code: { readonly root: Uint8Array; readonly length: number }, constants: readonly Uint8Array[]): Uint8Array {
  const { operands, output } = operator;
  return concatWords([
    code.root,
    bigintWord(packShape(output) | (BigInt(operands.length) << 72n) | (BigInt(code.length) << 80n)),
    bigintWord(operands.reduce((packed, operand, position) => packed | (packOperand(operand) << BigInt(32 * position)), 0n)),
    ...operands.map((operand) => (operand.kind === 'constant' ? constants[operand.constant]! : bigintWord(0n))),
  ]);
}

/** h3: `keccak256(keccak256(compiler version) ‖ keccak256(kernel 0's canonical form) ‖ …)`. */
export const kernelsHash = (compilerVersion: string, canonicalKernels: readonly Uint8Array[]): Uint8Array =>
  keccakOf(keccakText(compilerVersion), ...canonicalKernels.map(keccak256));

/** The header's eight words; their Keccak-256 is the model id. */
export function encodeHeader(program: Program, parts: { readonly operatorsRoot: Uint8Array; readonly kernelsHash: Uint8Array; readonly steps: bigint }): Uint8Array {
  const { prologue, body, epilogue, maxIterations, input, signature, metadata } = program;
  const counts = BigInt(prologue.length) | (BigInt(body.length) << 32n) | (BigInt(epilogue.length) << 64n) | (BigInt(maxIterations) << 96n);
  return concatWords([
    keccakText('assay.program.v1'),
    bigintWord(counts),
    parts.operatorsRoot,
    parts.kernelsHash,
    bigintWord(packShape(input)),
    bigintWord(parts.steps),
    keccakText(signature),
    keccakText(canonicalJson(metadata)),
  ]);
}
