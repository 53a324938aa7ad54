import { beforeAll, expect, test } from 'vitest';
import { Random } from '../../../fraud-proof/machine/testing/random.ts';
import { dearestSteps, shareOfLimit, TRANSACTION_GAS_LIMIT, transactionGas } from './dearest-step.ts';
import { WordMachineEvm } from './word-machine-evm.ts';

let contract: WordMachineEvm;
beforeAll(async () => {
  contract = await WordMachineEvm.create();
});

test('a transaction pays for its calldata, at EIP-7623\'s floor where that is more', () => {
  expect(transactionGas(Uint8Array.of(0, 1, 1), 100n)).toBe(21_000n + 4n + 32n + 100n);
  expect(transactionGas(Uint8Array.of(0, 1, 1), 0n)).toBe(21_000n + 10n + 80n);
});

test('one step always fits: the dearest that a search finds takes a small share of a transaction', async () => {
  // The instructions that open trees, one that does not, one that fails; `npm run evidence:dearest-step` takes all 256.
  const found = await dearestSteps(contract, [0x16, 0x1b, 0x13, 0x00], new Random(1), 1);
  const [dearest] = found;
  console.info(`dearest step found: opcode 0x${dearest!.op.toString(16)}, ${shareOfLimit(dearest!.gas)}, ${dearest!.proofBytes} bytes of proof`);
  expect(dearest!.op).toBe(0x16);
  // The deepest trees that the machine admits: 2^32 slots and a tensor of 2^28 words, 12,288 operators, 65,535 instructions, eight operands.
  expect(dearest!.proofBytes).toBe(32 * (8 + 2 + 10 + 11 + 14 + 1 + 14 + 1 + 32 + 3 + 28));
  expect(dearest!.gas * 50n).toBeLessThan(TRANSACTION_GAS_LIMIT);
  expect(found.every(({ gas }) => gas > 50_000n)).toBe(true);
});
