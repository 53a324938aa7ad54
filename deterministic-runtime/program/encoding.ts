import { keccak256 } from '../commitment/keccak.ts';
import type { MerkleTree } from '../commitment/merkle-tree.ts';
import { commitTensor, wordTree } from '../commitment/tree.ts';
import { COMPILER_VERSION, canonicalKernel } from '../language/canonical.ts';
import { encodeCode } from '../word-code/instruction.ts';
import { checkedConstants } from './checked-constants.ts';
import { compileProgram } from './compile.ts';
import type { CompiledOperator } from './compile.ts';
import { encodeDescriptor, encodeHeader, kernelsHash } from './layout.ts';
import type { Model, Program, Section } from './program.ts';
import { bodyStepsFormula, sectionSteps } from './steps.ts';
import type { OperatorSteps } from './steps.ts';

/** An operator as the word machine sees it. */
export interface EncodedOperator extends CompiledOperator {
  /** Tree over the code's words. */
  readonly codeTree: MerkleTree;
  /** `3 + operandCount` words. */
  readonly descriptor: Uint8Array;
}

/** A model as the word machine sees it (docs/word-machine.md). */
export interface EncodedModel {
  readonly model: Model;
  /** `keccak256(header)`. */
  readonly modelId: Uint8Array;
  /** Eight words. */
  readonly header: Uint8Array;
  /** Prologue, body, epilogue: the order of the operators' tree. */
  readonly operators: readonly EncodedOperator[];
  /** Tree over the descriptors' hashes. */
  readonly operatorTree: MerkleTree;
  /** Commitments of the constants. */
  readonly constants: readonly Uint8Array[];
  /** Steps when all iterations run. */
  readonly steps: bigint;
}

const encodings = new WeakMap<Model, EncodedModel>();

/**
 * Compiles a model and computes its id. Models never change, so the same object is encoded once.
 * @throws Error when a kernel does not fit its operator, or code is not structured
 */
export function encodeModel(model: Model): EncodedModel {
  const known = encodings.get(model) ?? encode(model);
  encodings.set(model, known);
  return known;
}

function encode(model: Model): EncodedModel {
  const { program } = model;
  const constants = checkedConstants(model.constants)?.map(({ commitment }) => commitment) ?? model.constants.map(commitTensor);
  const operators = compileProgram(program).map((operator) => encodeOperator(operator, constants));
  const hashes = new Uint8Array(operators.length * 32);
  operators.forEach(({ descriptor }, index) => hashes.set(keccak256(descriptor), index * 32));
  const operatorTree = wordTree(hashes);
  const steps = programSteps(program, operators);
  const header = encodeHeader(program, {
    operatorsRoot: operatorTree.root,
    kernelsHash: kernelsHash(COMPILER_VERSION, program.kernels.map(canonicalKernel)),
    steps,
  });
  return { model, modelId: keccak256(header), header, operators, operatorTree, constants, steps };
}

function encodeOperator(compiled: CompiledOperator, constants: readonly Uint8Array[]): EncodedOperator {
  const { code, operator } = compiled;
  const codeTree = wordTree(encodeCode(code));
  return { ...compiled, codeTree, descriptor: encodeDescriptor(operator, { root: codeTree.root, length: code.length }, constants) };
}

/** Steps when all iterations run. */
function programSteps(program: Program, operators: readonly CompiledOperator[]): bigint {
  const of = (section: Section): OperatorSteps[] => operators.filter((operator) => operator.section === section).map(({ steps }) => steps);
  return sectionSteps(of('prologue'), 0) + bodyStepsFormula(of('body'))(program.maxIterations) + sectionSteps(of('epilogue'), program.maxIterations);
}
