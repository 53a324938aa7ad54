import { LIMITS } from '../../deterministic-runtime/program/program.ts';
import { decodeCode, LOOP_COUNTERS, Opcode, SCALAR_REGISTERS, Source, VECTOR_REGISTERS, WIDE } from '../../deterministic-runtime/word-code/instruction.ts';
import type { Instruction } from '../../deterministic-runtime/word-code/instruction.ts';
import { arithmetic, low32, requantize } from './arithmetic.ts';
import { OperandKind, outputWords, wordCoordinates } from './descriptor.ts';
import type { OperandDescriptor, OperatorDescriptor, WordCoordinates } from './descriptor.ts';
import type { StepEnvironment, TensorReference } from './environment.ts';
import { epilogueStart, operatorPlace, slotCount, withinLimits } from './header.ts';
import type { OperatorPlace, ProgramHeader } from './header.ts';
import { byteLane, dotProduct, int32Lane, withByteLane, withFirstLanes, withInt32Lane } from './lanes.ts';
import { failedState, finishedState, Status, wordStartState } from './state.ts';
import type { MachineState } from './state.ts';

const ZERO_WORD: Uint8Array = new Uint8Array(32);
const IMMEDIATE_TARGETS = 1024;
const INSTRUCTIONS_PER_WORD = 4;
const MAX_WORDS = BigInt(LIMITS.wordsPerTensor);

/** What an instruction sees besides registers. */
interface Scope {
  readonly state: MachineState;
  readonly environment: StepEnvironment;
  readonly place: OperatorPlace;
  readonly descriptor: OperatorDescriptor;
  readonly coordinates: WordCoordinates;
  readonly instruction: Instruction;
}

/**
 * The state after one step: the machine's definition, for every state and whatever the program holds (docs/word-machine.md).
 * Written to be read; `word-runner.ts` is the fast form for admitted code.
 */
export function step(state: MachineState, environment: StepEnvironment): MachineState {
  if (state.status !== Status.RUNNING) return state;
  const failed = failedState(state.context);
  const { header } = environment;
  if (!withinLimits(header)) return failed;
  const place = operatorPlace(header, state.slot);
  if (place === null) return failed;
  const descriptor = environment.descriptor(place.operator);
  if (outputWords(descriptor) > LIMITS.wordsPerTensor || state.pc >= descriptor.codeLength) return failed;
  const codeWord = environment.codeWord(place.operator, Math.floor(state.pc / INSTRUCTIONS_PER_WORD));
  const instruction = decodeCode(codeWord, INSTRUCTIONS_PER_WORD)[state.pc % INSTRUCTIONS_PER_WORD] as Instruction;
  const coordinates = wordCoordinates(descriptor, state.word);
  return execute({ state, environment, place, descriptor, coordinates, instruction });
}

function execute(scope: Scope): MachineState {
  const { state, instruction } = scope;
  const { op, d, x } = instruction;
  const a = source(scope, instruction.a, x | 0);
  switch (op) {
    case Opcode.SELECT: {
      const [condition, whenTrue, whenFalse] = threeSources(scope);
      return withScalar(state, d, condition !== 0n ? whenTrue : whenFalse);
    }
    case Opcode.REQUANTIZE:
      return withScalar(state, d, requantize(...threeSources(scope)));
    case Opcode.LOAD8:
      return withScalar(state, d, byteLane(operandWord(scope, a, 32n), Number(BigInt.asUintN(5, a))));
    case Opcode.LOAD32:
      return withScalar(state, d, int32Lane(operandWord(scope, a, 8n), Number(BigInt.asUintN(3, a))));
    case Opcode.LOADWORD:
      return withVector(state, d, operandWord(scope, a, 1n));
    case Opcode.DOT:
      return withScalar(state, d, low32(scalar(state, d) + dotProduct(vector(state, instruction.a), vector(state, instruction.b))));
    case Opcode.PUT8:
      return withVector(state, d, withByteLane(vector(state, d), Number(BigInt.asUintN(5, a)), source(scope, instruction.b, x | 0)));
    case Opcode.PUT32:
      return withVector(state, d, withInt32Lane(vector(state, d), Number(BigInt.asUintN(3, a)), source(scope, instruction.b, x | 0)));
    case Opcode.LOOP:
      return loop(scope);
    case Opcode.STORE:
      return store(scope);
    default: {
      const three = op === Opcode.MAD || op === Opcode.MAD + WIDE;
      const value = three ? arithmetic(op, ...threeSources(scope)) : arithmetic(op, a, source(scope, instruction.b, x | 0), 0n);
      return value === undefined ? failedState(state.context) : withScalar(state, d, value);
    }
  }
}

/** The value of source `number`, given the instruction's immediate. */
function source({ state, place, coordinates }: Scope, number: number, immediate: number): bigint {
  if (number < SCALAR_REGISTERS) return scalar(state, number);
  if (number < Source.COUNTER + LOOP_COUNTERS) return BigInt(counter(state, number - Source.COUNTER));
  switch (number) {
    case Source.ITERATION: return BigInt(place.iteration);
    case Source.ROW: return BigInt(coordinates.row);
    case Source.COLUMN: return BigInt(coordinates.column);
    case Source.LANES: return BigInt(coordinates.lanes);
    case Source.IMMEDIATE: return BigInt(immediate);
    default: return 0n;
  }
}

/** `a`, `b` and `c` of a three-source instruction, whose immediate has 24 bits. */
function threeSources(scope: Scope): [bigint, bigint, bigint] {
  const { a, b, x } = scope.instruction;
  const immediate = x >> 8;
  return [source(scope, a, immediate), source(scope, b, immediate), source(scope, x & 0xff, immediate)];
}

/** The word that holds element `position` of the instruction's operand, with `lanes` elements a word. */
function operandWord(scope: Scope, position: bigint, lanes: bigint): Uint8Array {
  const { environment, descriptor, instruction } = scope;
  const operand = descriptor.operands[instruction.x & 0xff];
  if (operand === undefined || position < 0n) return ZERO_WORD;
  const index = position / lanes;
  if (operand.kind === OperandKind.SEED) return index === 0n ? environment.seed : ZERO_WORD;
  const tensor = operandTensor(scope, operand);
  if (tensor === null || tensor.commitment.every((byte) => byte === 0)) return ZERO_WORD;
  const wordCount = environment.wordCount(tensor);
  return wordCount <= MAX_WORDS && index < wordCount ? environment.tensorWord(tensor, Number(index)) : ZERO_WORD;
}

/** The tensor that an operand names; null where it names none that is written before the current slot. */
function operandTensor(scope: Scope, operand: OperandDescriptor): TensorReference | null {
  const { state, environment } = scope;
  if (operand.kind === OperandKind.CONSTANT) return { kind: 'constant', commitment: operand.commitment };
  if (operand.kind === OperandKind.INPUT) return { kind: 'input', commitment: environment.inputCommitment };
  const slot = operandSlot(scope, environment.header, operand);
  if (slot === null || slot >= state.slot) return null;
  return { kind: 'slot', slot, commitment: environment.slotCommitment(slot) };
}

function operandSlot(scope: Scope, header: ProgramHeader, { kind, index }: OperandDescriptor): number | null {
  switch (kind) {
    case OperandKind.PROLOGUE:
      return index < header.prologue ? index : null;
    case OperandKind.BODY: {
      const iteration = source(scope, scope.instruction.b, scope.instruction.x | 0);
      if (index >= header.body || iteration < 0n || iteration >= BigInt(header.maxIterations)) return null;
      return header.prologue + Number(iteration) * header.body + index;
    }
    case OperandKind.EPILOGUE:
      return index < header.epilogue ? epilogueStart(header) + index : null;
    default:
      return null;
  }
}

function loop({ state, place, coordinates, instruction }: Scope): MachineState {
  const { d, a, b, x } = instruction;
  const bound = b === 1 ? coordinates.lanes : Math.floor(x / IMMEDIATE_TARGETS) + a * place.iteration;
  const which = d % LOOP_COUNTERS;
  const next = counter(state, which) + 1;
  const again = next < bound;
  return {
    ...state,
    pc: again ? x % IMMEDIATE_TARGETS : state.pc + 1,
    counters: state.counters.map((value, index) => (index === which ? (again ? next >>> 0 : 0) : value)),
  };
}

function store({ state, environment, place, descriptor, coordinates, instruction }: Scope): MachineState {
  const { header } = environment;
  const wordCount = outputWords(descriptor);
  if (state.word >= wordCount) return failedState(state.context);
  const value = withFirstLanes(vector(state, instruction.a), coordinates.lanes, descriptor.lanes);
  const slotsRoot = environment.storeWord(state.slot, state.word, wordCount, value);
  if (state.word + 1 < wordCount) return wordStartState(state.context, slotsRoot, { slot: state.slot, word: state.word + 1 });
  const stops = place.section === 'body' && place.index === header.body - 1 && value.some((byte) => byte !== 0);
  const slot = stops ? epilogueStart(header) : state.slot + 1;
  return slot < slotCount(header) ? wordStartState(state.context, slotsRoot, { slot, word: 0 }) : finishedState(state.context, slotsRoot);
}

const scalar = (state: MachineState, register: number): bigint => state.scalars[register % SCALAR_REGISTERS] as bigint;
const vector = (state: MachineState, register: number): Uint8Array => state.vectors[register % VECTOR_REGISTERS] as Uint8Array;
const counter = (state: MachineState, index: number): number => state.counters[index] as number;

const withScalar = (state: MachineState, register: number, value: bigint): MachineState =>
  ({ ...state, pc: state.pc + 1, scalars: state.scalars.with(register % SCALAR_REGISTERS, value) });
const withVector = (state: MachineState, register: number, value: Uint8Array): MachineState =>
  ({ ...state, pc: state.pc + 1, vectors: state.vectors.with(register % VECTOR_REGISTERS, value) });
