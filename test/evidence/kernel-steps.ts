import { bytesToHex } from 'viem';
import type { WordMachineEvm } from '../../contracts/test/machine/word-machine-evm.ts';
import type { Executor } from '../../deterministic-runtime/executors/executor.ts';
import type { ElementType } from '../../deterministic-runtime/language/expression.ts';
import { i32, i8, kernel } from '../../deterministic-runtime/language/kernel.ts';
import type { Kernel } from '../../deterministic-runtime/language/kernel.ts';
import { admit } from '../../deterministic-runtime/program/admission.ts';
import { placeOf, slotOf } from '../../deterministic-runtime/program/program.ts';
import type { Model } from '../../deterministic-runtime/program/program.ts';
import { packTensor, wordCount } from '../../deterministic-runtime/program/tensor.ts';
import type { TensorShape } from '../../deterministic-runtime/program/tensor.ts';
import { proveStep } from '../../fraud-proof/machine/proof.ts';
import { hashState } from '../../fraud-proof/machine/state.ts';
import { edgeValue } from '../../fraud-proof/machine/testing/random.ts';
import type { Random } from '../../fraud-proof/machine/testing/random.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import { ProgramBuilder } from '../../kernels/program-builder.ts';
import type { Tensor } from '../../kernels/program-builder.ts';

/** Words whose computation takes longer are left for other shapes. */
const MOST_STEPS = 4000;
const ATTEMPTS = 40;

export interface SteppedKernel {
  readonly steps: number;
  readonly opcodes: ReadonlySet<number>;
  readonly gas: bigint;
}

function randomElements(random: Random, shape: TensorShape): Uint8Array {
  const values = Array.from({ length: shape.rows * shape.columns }, () => (random.chance(0.5) ? random.below(7) - 3 : Number(BigInt.asIntN(32, edgeValue(random)))));
  const elements = shape.element === 'i8' ? Int8Array.from(values) : Int32Array.from(values);
  return packTensor(shape, new Uint8Array(elements.buffer));
}

/** A tensor of each iteration, for kernels that read those of other iterations. */
const COPIES: Readonly<Record<ElementType, Kernel>> = {
  i8: kernel('copy-bytes', { operands: { x: i8 }, output: i8, element: ({ row, column, operands: { x } }) => x.at(row, column) }),
  i32: kernel('copy-integers', { operands: { x: i32 }, output: i32, element: ({ row, column, iteration, operands: { x } }) => x.at(row, column).add(iteration) }),
};

interface RandomModel {
  readonly model: Model;
  readonly input: Uint8Array;
  /** That the kernel writes. */
  readonly slot: number;
}

/** A program with the kernel on small random tensors, the first of which is the input, with small random parameters; in a body, on copies of them in each iteration. */
function randomModel(tried: Kernel, random: Random, inBody: boolean): RandomModel {
  const shapes = tried.operands.map(({ type }): TensorShape => ({ element: type, rows: 1 + random.below(4), columns: 1 + random.below(40) }));
  const inputShape = shapes[0] ?? { element: 'i8', rows: 1, columns: 1 };
  const builder = new ProgramBuilder({ name: 'stepped', signature: 'stepped()->()', input: inputShape, metadata: {} });
  const constants = shapes.map((shape, index): Tensor => (index === 0 ? builder.input : builder.words(shape, randomElements(random, shape))));
  const iterations = 1 + random.below(4);
  if (inBody) builder.beginBody(iterations);
  const operands = inBody ? constants.map((x, index) => builder.append(`copy ${index}`, { kernel: COPIES[x.shape.element], output: x.shape, operands: [x] })) : constants;
  const parameters = Object.fromEntries(tried.parameters.map((name) => [name, random.chance(0.8) ? 1 + random.below(3) : random.below(9) - 2]));
  builder.append(tried.name, { kernel: tried, output: { element: tried.output, rows: 1 + random.below(3), columns: 1 + random.below(40) }, operands, parameters });
  if (inBody) {
    const never = builder.bytes(1, 1, Int8Array.of(0));
    builder.append('stop', { kernel: COPIES.i8, output: never.shape, operands: [never] });
    builder.beginEpilogue();
    builder.append('end', { kernel: COPIES[inputShape.element], output: inputShape, operands: [builder.input] });
  }
  const { model } = admit(builder.build());
  const slot = inBody ? slotOf(model.program, 'body', operands.length, random.below(iterations)) : 0;
  return { model, input: randomElements(random, inputShape), slot };
}

/**
 * Has the compiled contract replay every step of one word of a kernel's output, from the word's first state: each state that it gives must be the trace's, and the
 * last one commits to the word that the executor wrote.
 * @throws Error where they differ, or when no small program with this kernel is admitted
 */
export async function stepKernel(contract: WordMachineEvm, executor: Executor, tried: Kernel, random: Random): Promise<SteppedKernel> {
  let refusal: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    let program: ReturnType<typeof randomModel>;
    try {
      // Most kernels do without a body; those that name an iteration do not.
      program = randomModel(tried, random, attempt % 2 === 1);
    } catch (error) {
      refusal = error;
      continue;
    }
    const prepared = await executor.prepare(program.model);
    try {
      const trace = await openTrace({ prepared, input: program.input, keep: 'all' });
      const { operator } = placeOf(program.model.program, program.slot);
      const word = random.below(wordCount(operator.output));
      const first = trace.startOf(program.slot, word);
      const steps = Number(trace.locate(first)!.operator.steps.word(0, word));
      if (steps > MOST_STEPS) continue;
      const states = trace.states(Array.from({ length: steps + 1 }, (_, index) => first + BigInt(index)));
      const { environment } = trace.stateFull(first);
      let [expected, gas] = [hashState(states[0]!), 0n];
      const opcodes = new Set<number>();
      for (let index = 0; index < steps; index += 1) {
        const outcome = await contract.step(expected, proveStep(states[index]!, environment).proof);
        expected = hashState(states[index + 1]!);
        if (!('value' in outcome) || outcome.value !== bytesToHex(expected)) {
          throw new Error(`'${tried.name}', word ${word}, step ${index} of ${steps}: the contract has ${'value' in outcome ? outcome.value : outcome.refusal}, the trace ${bytesToHex(expected)}`);
        }
        gas = outcome.gas > gas ? outcome.gas : gas;
        opcodes.add(trace.locate(first + BigInt(index))!.instruction.op);
      }
      return { steps, opcodes, gas };
    } finally {
      await prepared.dispose();
    }
  }
  throw new Error(`'${tried.name}': no small program in ${ATTEMPTS} attempts${refusal === undefined ? '' : `: ${(refusal as Error).message}`}`);
}
