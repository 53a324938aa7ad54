import { typeOf } from '../expression.ts';
import type { BinaryOperator, ElementType, Expression, ReductionOperator, ScalarType, WordExpression } from '../expression.ts';
import type { Kernel } from '../kernel.ts';
import { MAX_REDUCTION_DEPTH } from '../scalar.ts';
import { randomInt32, randomInt64 } from './random.ts';
import type { Random } from './random.ts';

const OPERATORS: readonly BinaryOperator[] = [
  'add', 'add', 'add', 'sub', 'sub', 'mul', 'mul', 'div', 'mod', 'shl', 'shr', 'shru', 'and', 'or', 'xor', 'min', 'max',
];
const COMPARISONS: readonly BinaryOperator[] = ['lt', 'le', 'eq'];
/** Right sides that compilers treat in ways of their own. */
const USEFUL = [0, 1, -1, 2, 4, 8, 16, 32, 3, 7, 31, 63, 255, 1024];
const REDUCTIONS: readonly ReductionOperator[] = ['add', 'add', 'add', 'min', 'max', 'and', 'or', 'xor'];

/** An operand that a random kernel may read. */
export interface RandomOperand {
  readonly name: string;
  readonly type: ElementType;
  readonly rows: number;
  readonly columns: number;
  /** `single`: no iteration may be named; `optional`: one may; `required`: one must. */
  readonly iteration: 'single' | 'optional' | 'required';
}

/** A subexpression that may be used again: where it was made, how deep it nests, how often its innermost body runs. */
interface Made {
  readonly expression: Expression;
  readonly depth: number;
  readonly nesting: number;
  readonly runs: number;
}

/** Where the generator stands: open reductions, and how often a body opened here may still run. */
interface Place {
  readonly depth: number;
  readonly runs: number;
}

/** What a random kernel may use. */
export interface RandomKernelOptions {
  readonly name: string;
  readonly operands: readonly RandomOperand[];
  readonly output: ElementType;
  /** Roughly the number of expressions. */
  readonly size: number;
  /** The largest value of the iteration coordinate. */
  readonly maxIterations: number;
}

/** A random kernel and values for its parameters. Every operator of the language turns up; most reads are near their operand's edges. */
export function randomKernel(random: Random, options: RandomKernelOptions): { readonly kernel: Kernel; readonly parameters: Record<string, number> } {
  const generator = new Generator(random, options);
  const element = generator.element();
  const kernel: Kernel = {
    name: options.name,
    operands: options.operands.map(({ name, type }) => ({ name, type })),
    parameters: Object.keys(generator.parameters),
    output: options.output,
    element,
  };
  return { kernel, parameters: generator.parameters };
}

const constant = (value: number | bigint, type: ScalarType = 'i32'): Expression => ({ kind: 'constant', type, value: BigInt(value) });
const binary = (operator: BinaryOperator, left: Expression, right: Expression): Expression => ({ kind: 'binary', operator, type: typeOf(left), left, right });

class Generator {
  readonly parameters: Record<string, number> = {};
  readonly #random: Random;
  readonly #options: RandomKernelOptions;
  readonly #made: Made[] = [];
  #left: number;
  /** Nesting and runs of what is being made, the innermost last. */
  #nesting = 0;
  #runs = 1;

  constructor(random: Random, options: RandomKernelOptions) {
    this.#random = random;
    this.#options = options;
    this.#left = options.size;
    this.parameters['any'] = randomInt32(random);
    this.parameters['count'] = random.integer(1, 4);
  }

  element(): Expression {
    return this.#value('i32', { depth: 0, runs: 48 });
  }

  /** A value of `type`; remembered, and sometimes one made before. */
  #value(type: ScalarType, place: Place): Expression {
    const again = this.#made.filter(({ expression, depth, nesting, runs }) =>
      typeOf(expression) === type && depth <= place.depth && place.depth + nesting <= MAX_REDUCTION_DEPTH && runs <= place.runs);
    if (again.length > 0 && this.#random.chance(12)) {
      const chosen = this.#random.pick(again);
      this.#nesting = Math.max(this.#nesting, chosen.nesting);
      this.#runs = Math.max(this.#runs, chosen.runs);
      return chosen.expression;
    }
    const [nesting, runs] = [this.#nesting, this.#runs];
    [this.#nesting, this.#runs] = [0, 1];
    this.#left -= 1;
    const expression = this.#left <= 0 ? this.#leaf(type, place) : this.#node(type, place);
    this.#made.push({ expression, depth: place.depth, nesting: this.#nesting, runs: this.#runs });
    this.#nesting = Math.max(nesting, this.#nesting);
    this.#runs = Math.max(runs, this.#runs);
    return expression;
  }

  #node(type: ScalarType, place: Place): Expression {
    const random = this.#random;
    const kind = random.integer(1, 100);
    if (kind <= 30) return this.#binary(type, place);
    if (kind <= 38) return { kind: 'select', type, condition: this.#value('i32', place), whenTrue: this.#value(type, place), whenFalse: this.#value(type, place) };
    if (kind <= 56 && place.depth < MAX_REDUCTION_DEPTH && place.runs > 1) return this.#reduction(type, place);
    if (type === 'i64') {
      if (kind <= 80) return { kind: 'convert', to: 'i64', value: this.#value('i32', place) };
      return kind <= 90 ? this.#binary(type, place) : this.#leaf(type, place);
    }
    if (kind <= 64) return this.#comparison(place);
    if (kind <= 70) return { kind: 'convert', to: 'i32', value: this.#value('i64', place) };
    if (kind <= 76) {
      return { kind: 'requantize', accumulator: this.#value('i32', place), multiplier: this.#value('i32', place), shift: this.#value('i32', place) };
    }
    const bytes = this.#options.operands.filter((operand) => operand.type === 'i8');
    if (kind <= 86 && bytes.length > 0) return { kind: 'dot32', left: this.#word(random.pick(bytes), place), right: this.#word(random.pick(bytes), place) };
    return this.#load(place);
  }

  #binary(type: ScalarType, place: Place): Expression {
    const right = this.#random.chance(25) ? constant(this.#random.pick(USEFUL), type) : this.#value(type, place);
    return binary(this.#random.pick(OPERATORS), this.#value(type, place), right);
  }

  #comparison(place: Place): Expression {
    const type = this.#random.chance(70) ? 'i32' : 'i64';
    return binary(this.#random.pick(COMPARISONS), this.#value(type, place), this.#value(type, place));
  }

  #leaf(type: ScalarType, place: Place): Expression {
    const random = this.#random;
    if (type === 'i64') return random.chance(50) ? constant(randomInt64(random), 'i64') : { kind: 'convert', to: 'i64', value: this.#leaf('i32', place) };
    const kind = random.integer(1, 100);
    if (kind <= 25) return this.#load(place);
    if (kind <= 55) return this.#coordinate(place);
    if (kind <= 65) return { kind: 'parameter', name: random.pick(['any', 'count']) };
    if (kind <= 75) return this.#extent();
    return constant(randomInt32(random));
  }

  #coordinate(place: Place): Expression {
    const random = this.#random;
    if (place.depth > 0 && random.chance(60)) return { kind: 'index', level: random.integer(0, place.depth - 1) };
    return { kind: 'coordinate', of: random.pick(['row', 'column', 'column', 'iteration'] as const) };
  }

  #extent(): Expression {
    const operand = this.#random.pick([null, ...this.#options.operands.map(({ name }) => name)]);
    return { kind: 'extent', operand, of: this.#random.pick(['rows', 'columns', 'words'] as const) };
  }

  #reduction(type: ScalarType, place: Place): Expression {
    const { bound, most } = this.#bound(place);
    const [nesting, runs] = [this.#nesting, this.#runs];
    [this.#nesting, this.#runs] = [0, 1];
    const body = this.#value(type, { depth: place.depth + 1, runs: Math.floor(place.runs / most) });
    this.#nesting = Math.max(nesting, this.#nesting + 1);
    this.#runs = Math.max(runs, this.#runs * most);
    return { kind: 'reduce', operator: this.#random.pick(REDUCTIONS), type, level: place.depth, bound, body };
  }

  /** A bound of at least 1 in every iteration, and the most that it comes to. */
  #bound(place: Place): { readonly bound: Expression; readonly most: number } {
    const random = this.#random;
    const { maxIterations, operands } = this.#options;
    const iteration: Expression = { kind: 'coordinate', of: 'iteration' };
    const rows = operands.filter((operand) => operand.rows <= place.runs);
    const candidates: { readonly bound: Expression; readonly most: number }[] = [
      { bound: constant(1), most: 1 },
      { bound: { kind: 'parameter', name: 'count' }, most: this.parameters['count'] as number },
      { bound: binary('add', iteration, constant(1)), most: maxIterations + 1 },
      { bound: binary('add', binary('mul', iteration, constant(2)), constant(3)), most: 2 * maxIterations + 3 },
      ...rows.map(({ name, rows: most }) => ({ bound: { kind: 'extent', operand: name, of: 'rows' } as const, most })),
      ...[2, 3, 5].map((most) => ({ bound: constant(most), most })),
    ];
    return random.pick(candidates.filter(({ most }) => most <= place.runs));
  }

  #load(place: Place): Expression {
    const { operands } = this.#options;
    if (operands.length === 0) return this.#coordinate(place);
    const operand = this.#random.pick(operands);
    return {
      kind: 'load', operand: operand.name, iteration: this.#iteration(operand, place),
      row: this.#position(operand.rows, 'row', place), column: this.#position(operand.columns, 'column', place),
    };
  }

  #word(operand: RandomOperand, place: Place): WordExpression {
    return {
      kind: 'word', operand: operand.name, iteration: this.#iteration(operand, place),
      row: this.#position(operand.rows, 'row', place), index: this.#position(Math.ceil(operand.columns / 32), 'column', place),
    };
  }

  #iteration({ iteration }: RandomOperand, place: Place): Expression | null {
    const random = this.#random;
    if (iteration === 'single' || (iteration === 'optional' && random.chance(40))) return null;
    const now: Expression = { kind: 'coordinate', of: 'iteration' };
    const kind = random.integer(1, 5);
    if (kind === 1) return binary('sub', now, constant(1));
    if (kind === 2) return place.depth > 0 ? this.#coordinate(place) : constant(random.integer(-1, this.#options.maxIterations));
    if (kind === 3) return binary('sub', now, this.#coordinate(place));
    if (kind === 4) return binary('add', now, constant(random.integer(-2, 1)));
    return this.#value('i32', place);
  }

  /** A row or column: often in range, often just outside. */
  #position(count: number, of: 'row' | 'column', place: Place): Expression {
    const random = this.#random;
    const kind = random.integer(1, 10);
    if (kind <= 2) return { kind: 'coordinate', of };
    if (kind <= 4) return this.#coordinate(place);
    if (kind === 5) return constant(random.integer(-1, count));
    if (kind === 6) return binary('add', this.#coordinate(place), constant(random.integer(-2, 2)));
    if (kind === 7) return binary('mod', this.#coordinate(place), constant(count));
    if (kind === 8) return binary('add', binary('mul', this.#coordinate(place), constant(random.integer(1, 9))), this.#coordinate(place));
    return this.#value('i32', place);
  }
}
