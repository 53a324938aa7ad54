import { readFileSync } from 'node:fs';
import { bytesToHex, hexToBytes } from 'viem';
import { beforeAll, describe, expect, test } from 'vitest';
import { proveStep } from '../../../../fraud-proof/machine/proof.ts';
import { verifyStep } from '../../../../fraud-proof/machine/verify.ts';
import { compileQuickly, sourcesFrom } from '../compile.ts';
import { WordMachineEvm } from '../word-machine-evm.ts';
import { counterExample, differs } from './compare.ts';
import { digestOf, stepOutcome } from './digests.ts';
import type { StepDigests } from './digests.ts';
import { drawnStep } from './drawn-step.ts';
import { Draws, edgeScalar } from './draws.ts';
import { readRegressions } from './regressions.ts';

const MACHINE = 'contracts/src/machine/WordMachine.sol';
const committed = JSON.parse(readFileSync(new URL('digests.json', import.meta.url), 'utf8')) as StepDigests;

let contract: WordMachineEvm;
beforeAll(async () => {
  contract = await WordMachineEvm.create();
});

test('the committed digests, which forge compares with the contract, are the interpreter\'s', () => {
  expect(committed.digests.length * committed.each).toBeGreaterThanOrEqual(4000);
  for (const group of [0, 5]) expect(digestOf(committed.seed, committed.first + group * committed.each, committed.each)).toBe(committed.digests[group]);
});

test('every opcode is drawn, in all that can become of it', () => {
  const opcodes = new Set<number>();
  const statuses = new Set<number>();
  const edges = new Set<bigint>();
  let [opened, stored] = [0, 0];
  for (let number = 0; number < 1800; number += 1) {
    const { parts, scenario } = drawnStep(7, number);
    const { postState } = proveStep(scenario.state, scenario.environment);
    opcodes.add(parts.instruction.op);
    statuses.add(postState.status);
    for (const value of parts.state.scalars) edges.add(value);
    if (parts.instruction.op === 0x16 && postState.vectors.some((vector, index) => bytesToHex(vector) !== bytesToHex(scenario.state.vectors[index]!))) opened += 1;
    if (parts.instruction.op === 0x1b && postState.status === 0 && postState.pc === 0) stored += 1;
  }
  for (const op of Array.from({ length: 27 }, (_, index) => index + 1)) expect(opcodes).toContain(op);
  for (const op of Array.from({ length: 17 }, (_, index) => index + 0x21)) expect(opcodes).toContain(op);
  expect(opcodes.size).toBeGreaterThan(60);
  expect([...statuses].sort()).toEqual([0, 1, 2]);
  expect(opened).toBeGreaterThan(5);
  expect(stored).toBeGreaterThan(10);
  for (const value of [0n, 1n, -1n, 63n, 64n, 2n ** 31n, -(2n ** 31n), 2n ** 31n - 1n, 2n ** 63n - 1n, -(2n ** 63n)]) expect(edges, String(value)).toContain(value);
});

test('draws are a keccak of their number, and edge values are those of their kind', () => {
  // keccak256(abi.encode(2^64 + 5, 0)), by `cast keccak`.
  expect(bytesToHex(new Draws(1, 5).word())).toBe('0xcdc165805a24ce6a2493bbe929c050d0a360688019258c53e4be580c74492578');
  expect(edgeScalar(0x4000_3f01, 0, 9, false)).toBe(-(2n ** 63n));
  expect(edgeScalar(0x6000_1f02, 0, 9, false)).toBe(1n - 2n ** 31n);
  expect(edgeScalar(0x8000_0000, 0xffff_ffff, 9, false)).toBe(-1n);
  expect(edgeScalar(0xe000_0001, 0, 9, false)).toBe(8n);
  expect(() => new Draws(0, 5)).toThrow('a seed is a whole number');
});

test('two cases have different outcomes, and a case has one', () => {
  expect(bytesToHex(stepOutcome(1, 8))).toBe(bytesToHex(stepOutcome(1, 8)));
  expect(new Set(Array.from({ length: 50 }, (_, number) => bytesToHex(stepOutcome(1, number)))).size).toBe(50);
});

describe('kept steps', () => {
  test.each(readRegressions().map((regression) => [regression.name, regression] as const))('%s', async (_, { preState, proof, postState }) => {
    expect(bytesToHex(verifyStep(hexToBytes(preState), hexToBytes(proof)))).toBe(postState);
    expect(await contract.step(hexToBytes(preState), hexToBytes(proof))).toMatchObject({ value: postState });
  });
});

describe('a contract with a mistake', () => {
  test('is found out, and the step shrunk to what shows it', async () => {
    const wrong = await WordMachineEvm.create(compileQuickly(
      sourcesFrom(MACHINE, (path, source) => (path.endsWith('Arithmetic.sol') ? source.replace('result := smod(a, b)', 'result := mod(a, b)') : source)), MACHINE, 'WordMachine',
    ));
    let number = 4;
    for (; !(await differs(wrong, drawnStep(1, number).parts)); number += 45);
    expect(await differs(contract, drawnStep(1, number).parts)).toBe(false);
    const found = await counterExample(wrong, drawnStep(1, number).parts);
    expect(found?.parts.instruction).toMatchObject({ op: 0x05 });
    expect(found?.parts.state.scalars.filter((value) => value !== 0n).length).toBeLessThanOrEqual(2);
    expect(found?.text).toContain('op 0x5');
    expect(found?.step.contract).not.toBe(found?.step.postState);
  });
});
