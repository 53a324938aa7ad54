import { bytesToHex } from 'viem';
import type { WordMachineEvm } from '../../contracts/test/machine/word-machine-evm.ts';
import type { Executor } from '../../deterministic-runtime/executors/executor.ts';
import type { Kernel } from '../../deterministic-runtime/language/kernel.ts';
import { admit } from '../../deterministic-runtime/program/admission.ts';
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

/** A program of one operator: the kernel on small random tensors, the first of which is the input, with small random parameters. */
function randomModel(kernel: Kernel, random: Random): { readonly model: Model; readonly input: Uint8Array } {
  const shapes = kernel.operands.map(({ type }): TensorShape => ({ element: type, rows: 1 + random.below(4), columns: 1 + random.below(40) }));
  const inputShape = shapes[0] ?? { element: 'i8', rows: 1, columns: 1 };
  const builder = new ProgramBuilder({ name: 'stepped', signature: 'stepped()->()', input: inputShape, metadata: {} });
  const operands = shapes.map((shape, index): Tensor => (index === 0 ? builder.input : builder.words(shape, randomElements(random, shape))));
  const parameters = Object.fromEntries(kernel.parameters.map((name) => [name, random.chance(0.8) ? 1 + random.below(3) : random.below(9) - 2]));
  builder.append(kernel.name, { kernel, output: { element: kernel.output, rows: 1 + random.below(3), columns: 1 + random.below(40) }, operands, parameters });
  return { model: admit(builder.build()).model, input: randomElements(random, inputShape) };
}

/**
 * Has the compiled contract replay every step of one word of a kernel's output, from the word's first state: each state that it gives must be the trace's, and the
 * last one commits to the word that the executor wrote.
 * @throws Error where they differ, or when no small program with this kernel is admitted
 */
export async function stepKernel(contract: WordMachineEvm, executor: Executor, kernel: Kernel, random: Random): Promise<SteppedKernel> {
  let refusal: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    let program: ReturnType<typeof randomModel>;
    try {
      program = randomModel(kernel, random);
    } catch (error) {
      refusal = error;
      continue;
    }
    const prepared = await executor.prepare(program.model);
    try {
      const trace = await openTrace({ prepared, input: program.input, keep: 'all' });
      const { output } = trace.model.model.program.prologue[0]!;
      const word = random.below(wordCount(output));
      const first = trace.startOf(0, word);
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
          throw new Error(`'${kernel.name}', word ${word}, step ${index} of ${steps}: the contract has ${'value' in outcome ? outcome.value : outcome.refusal}, the trace ${bytesToHex(expected)}`);
        }
        gas = outcome.gas > gas ? outcome.gas : gas;
        opcodes.add(trace.locate(first + BigInt(index))!.instruction.op);
      }
      return { steps, opcodes, gas };
    } finally {
      await prepared.dispose();
    }
  }
  throw new Error(`'${kernel.name}': no small program in ${ATTEMPTS} attempts${refusal === undefined ? '' : `: ${(refusal as Error).message}`}`);
}
