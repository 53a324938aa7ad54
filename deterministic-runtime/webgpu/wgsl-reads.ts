import type { SpecializedKernel, SpecializedLoad, SpecializedRead, SpecializedWord } from '../language/specialized.ts';
import { wordsPerRow } from '../program/tensor.ts';
import { bufferCode, UNITS_PER_WORD } from './wgsl-buffers.ts';
import type { BufferCode } from './wgsl-buffers.ts';

/** Where an operand's tensors lie. */
export interface OperandStorage {
  /** True when the operand's buffer is the one that the kernel writes (an operator that reads its own earlier iterations). */
  readonly inOutput: boolean;
  /** 32-bit units from one iteration's tensor to the next; 0 when the buffer holds the current iteration's alone. */
  readonly iterationStride: number;
  /** True when the buffer begins with the run's current iteration, rather than with iteration 0. */
  readonly fromCurrent?: boolean;
  /** Bindings that its buffer takes. */
  readonly shards: number;
}

/** Reads of a kernel as WGSL functions, one for each operand and set of checks, made as they are asked for. */
export interface ReadFunctions {
  /** `name(iteration?, row, column) -> i32`: one element, 0 where there is none. */
  load(read: SpecializedLoad): string;
  /** `name(iteration?, row, index) -> u32`: where the word starts, in what `fetch` takes; NO_WORD where there is none. */
  word(read: SpecializedWord): string;
  /** `name(address) -> Word`: the word at an address. `mayFail`: the address may be NO_WORD although the read needs no check. */
  fetch(read: SpecializedWord, mayFail?: boolean): string;
  /** `name(left, right) -> i32`: dot product of two words. */
  dot(): string;
  /** `name(left, right) -> i32`: dot product of two vectors of four units. */
  dotVectors(): string;
  /** Buffer declarations and functions. `firstBinding` is the binding of the first operand. */
  code(firstBinding: number): string;
  /** Operands that have bindings of their own, in the order of the bindings. */
  bindings(): number[];
}

/** A word whose checks failed: no binding is that large. */
const NO_WORD = '0xffffffffu';

export interface ReadOptions {
  /** One for each operand. */
  readonly storage: readonly OperandStorage[];
  readonly shardUnits: number;
  /** The buffer that the kernel writes. */
  readonly output: BufferCode;
  /** The library function for four products. */
  readonly dot4: string;
}

export function createReadFunctions(kernel: SpecializedKernel, { storage, shardUnits, output, dot4 }: ReadOptions): ReadFunctions {
  const functions = new Map<string, string>();
  const used = new Set<number>();
  const asVectors = vectorOperands(kernel, storage);

  const bufferOf = (operand: number, firstBinding = 0): BufferCode => storage[operand]?.inOutput === true ? output
    : bufferCode(`operand${operand}`, { firstBinding, shards: storage[operand]?.shards ?? 1, shardUnits, vectors: asVectors.has(operand) });
  const at = (operand: number, index: string): string => bufferOf(operand).at(index);
  const operandOf = (read: SpecializedRead): SpecializedKernel['operands'][number] => {
    const operand = kernel.operands[read.operand];
    if (operand === undefined || storage[read.operand] === undefined) throw new RangeError(`kernel ${kernel.name} reads operand ${read.operand}, which it does not have`);
    return operand;
  };
  const checked = (read: SpecializedRead): boolean => read.checkRow || read.checkColumn || operandOf(read).kind === 'iterated';
  const suffix = (read: SpecializedRead): string =>
    `${read.operand}${read.checkRow ? 'r' : ''}${read.checkColumn ? 'c' : ''}${operandOf(read).kind === 'iterated' ? (read.latest === 0 ? 'i' : 'p') : ''}`;
  const define = (name: string, code: () => string): string => {
    if (!functions.has(name)) functions.set(name, code());
    return name;
  };

  /** Parameters, failing checks and the address of the row's start, in 32-bit units. */
  const addressing = (read: SpecializedRead, columns: number): { parameters: string; outside: string; rowStart: string } => {
    const { shape, kind } = operandOf(read);
    const outside: string[] = [];
    // Always checked, however early the reader can be shown to run: a body that stopped early left the later ones unwritten.
    if (kind === 'iterated') outside.push(`u32(iteration) >= run.${read.latest === 0 ? 'writtenNow' : 'writtenBefore'}`);
    if (read.checkRow) outside.push(`u32(row) >= ${shape.rows}u`);
    if (read.checkColumn) outside.push(`u32(column) >= ${columns}u`);
    const stride = storage[read.operand]?.iterationStride ?? 0;
    const number = storage[read.operand]?.fromCurrent === true ? '(u32(iteration) - run.iteration)' : 'u32(iteration)';
    const base = kind === 'iterated' && stride > 0 ? `${number} * ${stride}u + ` : '';
    return {
      parameters: `${kind === 'iterated' ? 'iteration: i32, ' : ''}row: i32, column: i32`,
      outside: outside.map((check) => `(${check})`).join(' || '),
      rowStart: `${base}u32(row) * ${wordsPerRow(shape) * UNITS_PER_WORD}u`,
    };
  };

  return {
    load(read) {
      used.add(read.operand);
      return define(`load_${suffix(read)}`, () => {
        const { parameters, outside, rowStart } = addressing(read, operandOf(read).shape.columns);
        const guard = outside === '' ? '' : `  if (${outside}) { return 0i; }\n`;
        const value = read.element === 'i32'
          ? `  return i32(${at(read.operand, `${rowStart} + u32(column)`)});`
          : `  let unit = i32(${at(read.operand, `${rowStart} + (u32(column) >> 2u)`)});\n  return extractBits(unit, (u32(column) & 3u) * 8u, 8u);`;
        return `fn load_${suffix(read)}(${parameters}) -> i32 {\n${guard}${value}\n}`;
      });
    },
    word(read) {
      used.add(read.operand);
      return define(`word_${suffix(read)}`, () => {
        const { parameters, outside, rowStart } = addressing(read, wordsPerRow(operandOf(read).shape));
        const guard = outside === '' ? '' : `  if (${outside}) { return ${NO_WORD}; }\n`;
        const units = `${rowStart} + u32(column) * ${UNITS_PER_WORD}u`;
        return `fn word_${suffix(read)}(${parameters}) -> u32 {\n${guard}  return ${asVectors.has(read.operand) ? `(${units}) >> 2u` : units};\n}`;
      });
    },
    fetch(read, mayFail = checked(read)) {
      const { operand } = read;
      const name = `fetch_${operand}${mayFail ? 'c' : ''}`;
      return define(name, () => {
        const guard = mayFail ? `  if (address == ${NO_WORD}) { return Word(vec4<u32>(0u, 0u, 0u, 0u), vec4<u32>(0u, 0u, 0u, 0u)); }\n` : '';
        const half = (first: number): string => asVectors.has(operand)
          ? at(operand, `address + ${first / 4}u`)
          : `vec4<u32>(${[0, 1, 2, 3].map((index) => at(operand, `address + ${first + index}u`)).join(', ')})`;
        return `fn ${name}(address: u32) -> Word {\n${guard}  return Word(${half(0)}, ${half(4)});\n}`;
      });
    },
    dot() {
      this.dotVectors();
      return define('dot_words', () => 'fn dot_words(left: Word, right: Word) -> i32 { return dot_vectors(left.low, right.low) + dot_vectors(left.high, right.high); }');
    },
    dotVectors: () => define('dot_vectors', () => {
      const products = [...'xyzw'].map((part) => `${dot4}(left.${part}, right.${part})`);
      return `struct Word { low: vec4<u32>, high: vec4<u32> }\nfn dot_vectors(left: vec4<u32>, right: vec4<u32>) -> i32 {\n  return ${products.join('\n    + ')};\n}`;
    }),
    code(firstBinding) {
      let binding = firstBinding;
      const declarations = this.bindings().map((operand) => {
        const { code } = bufferOf(operand, binding);
        binding += storage[operand]?.shards ?? 1;
        return code;
      });
      return [...declarations, ...functions.values()].join('\n');
    },
    bindings: () => [...used].filter((operand) => storage[operand]?.inOutput !== true).sort((a, b) => a - b),
  };
}

/** Operands that are read as words only: their buffers are declared as vectors of four units, so that a word is two loads. */
function vectorOperands(kernel: SpecializedKernel, storage: readonly OperandStorage[]): ReadonlySet<number> {
  const words = new Set<number>();
  const elements = new Set<number>();
  for (const read of readsOf(kernel)) (read.kind === 'load' ? elements : words).add(read.operand);
  return new Set([...words].filter((operand) => !elements.has(operand) && storage[operand]?.inOutput !== true));
}

/** Every read in a kernel, shared ones once. */
export function readsOf(kernel: SpecializedKernel): (SpecializedLoad | SpecializedWord)[] {
  const seen = new Set<unknown>();
  const reads: (SpecializedLoad | SpecializedWord)[] = [];
  const visit = (node: SpecializedKernel['element'] | SpecializedWord): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === 'load' || node.kind === 'word') reads.push(node);
    childrenOf(node).forEach(visit);
  };
  visit(kernel.element);
  return reads;
}

/** The nodes directly under a node. */
export function childrenOf(node: SpecializedKernel['element'] | SpecializedWord): (SpecializedKernel['element'] | SpecializedWord)[] {
  switch (node.kind) {
    case 'constant': case 'coordinate': case 'index': return [];
    case 'load': return [...(node.iteration === null ? [] : [node.iteration]), node.row, node.column];
    case 'word': return [...(node.iteration === null ? [] : [node.iteration]), node.row, node.index];
    case 'dot32': case 'binary': return [node.left, node.right];
    case 'select': return [node.condition, node.whenTrue, node.whenFalse];
    case 'requantize': return [node.accumulator, node.multiplier, node.shift];
    case 'convert': return [node.value];
    case 'reduce': return [node.body];
  }
}
