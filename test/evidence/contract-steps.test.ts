import { beforeAll, expect, test } from 'vitest';
import { WordMachineEvm } from '../../contracts/test/machine/word-machine-evm.ts';
import type { PreparedModel } from '../../deterministic-runtime/executors/executor.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { Random } from '../../fraud-proof/machine/testing/random.ts';
import { openTrace } from '../../fraud-proof/trace/trace.ts';
import { buildLande } from '../../kernels/models/lande/program.ts';
import { encodeText, normalizeText } from '../../kernels/models/lande/text.ts';
import { loadLandePackage } from '../../rollup-node/lande-package.ts';
import { checkRandomSteps } from './contract-steps.ts';

/** Steps of each text; `npm run evidence:steps` takes 20 of a text in each of 50 languages. */
const STEPS = 10;
const TEXTS = ['Everyone has the right to life, liberty and security of person.', 'Каждый человек имеет право на жизнь, на свободу и на личную неприкосновенность.'];

let contract: WordMachineEvm;
let prepared: PreparedModel;
beforeAll(async () => {
  contract = await WordMachineEvm.create();
  prepared = await createWasmExecutor().prepare(buildLande(await loadLandePackage()));
});

test.each(TEXTS)('the compiled contract replays random steps of lande on %j', async (text) => {
  const trace = await openTrace({ prepared, input: encodeText(normalizeText(text)) });
  const checked = await checkRandomSteps(contract, trace, STEPS, new Random(20261122));
  expect(checked).toHaveLength(STEPS);
  expect(new Set(checked.map(({ opcode }) => opcode)).size).toBeGreaterThan(3);
});

test('a step of another inference is refused', async () => {
  const [one, other] = await Promise.all(TEXTS.map((text) => openTrace({ prepared, input: encodeText(normalizeText(text)) })));
  const proof = await contract.step(Uint8Array.from(Buffer.from((await other!.stateAt([1_000n]))[0]!.slice(2), 'hex')), one!.prove(1_000n).proof);
  expect(proof).toEqual({ refusal: 'WrongPreState' });
});
