import { afterAll, beforeAll, expect, test } from 'vitest';
import { WordMachineEvm } from '../../contracts/test/machine/word-machine-evm.ts';
import { compileQuickly, sourcesFrom } from '../../contracts/test/machine/compile.ts';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { Random } from '../../fraud-proof/machine/testing/random.ts';
import { kernelCatalogue } from './kernel-catalogue.ts';
import { stepKernel } from './kernel-steps.ts';

/** `npm run evidence:kernels-steps` takes all kernels. */
const SHARE = 3;
const MACHINE = 'contracts/src/machine/WordMachine.sol';

const executor = createWasmExecutor();
let catalogue: Awaited<ReturnType<typeof kernelCatalogue>>;
beforeAll(async () => {
  catalogue = await kernelCatalogue();
});
afterAll(() => executor.dispose());

test('the catalogue has every file that defines kernels, in several forms', () => {
  const files = new Set(catalogue.map(({ file }) => file));
  for (const file of ['linear.ts', 'quantized-linear.ts', 'strided-copy.ts', 'matrix-product.ts', 'projection.ts', 'concatenate.ts', 'threefry.ts']) expect(files, file).toContain(file);
  expect(catalogue.length).toBeGreaterThan(200);
  expect(catalogue.filter(({ file }) => file === 'strided-copy.ts').length).toBeGreaterThan(1);
});

test('the contract replays every step of a word of some kernels', async () => {
  const contract = await WordMachineEvm.create();
  const random = new Random(20261122);
  for (let number = 0; number < SHARE; number += 1) {
    const { kernel } = random.pick(catalogue);
    const { steps, opcodes } = await stepKernel(contract, executor, kernel, random);
    expect(steps, kernel.name).toBeGreaterThan(1);
    expect(opcodes.has(0x1b), kernel.name).toBe(true);
  }
});

test('a contract that stores another word is found out', async () => {
  const wrong = await WordMachineEvm.create(compileQuickly(sourcesFrom(MACHINE, (path, source) => (path === MACHINE ? source.replace('Operands.store(scope, reader, value);', 'Operands.store(scope, reader, value ^ bytes32(uint256(1) << 248));') : source)), MACHINE, 'WordMachine'));
  const { kernel } = catalogue.find(({ file }) => file === 'elementwise.ts')!;
  await expect(stepKernel(wrong, executor, kernel, new Random(3))).rejects.toThrow('the contract has');
});
