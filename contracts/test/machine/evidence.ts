/**
 * Random steps of every opcode, interpreter against the compiled contract:
 * `npx tsx contracts/test/machine/evidence.ts [cases per opcode, 10000] [seed, 1]`. Ends with exit code 1 at the first difference.
 */
import { bytesToHex } from 'viem';
import { proveStep } from '../../../fraud-proof/machine/proof.ts';
import { hashState, Status } from '../../../fraud-proof/machine/state.ts';
import { DEFINED_OPCODES, randomScenario, UNDEFINED_OPCODES } from '../../../fraud-proof/machine/testing/random-scenario.ts';
import { Random } from '../../../fraud-proof/machine/testing/random.ts';
import { TAMPERINGS } from '../../../fraud-proof/machine/testing/tampering.ts';
import { verifyStep } from '../../../fraud-proof/machine/verify.ts';
import { WordMachineEvm } from './word-machine-evm.ts';

/** Every so many cases, a spoilt proof is tried as well. */
const TAMPER_EVERY = 20;

const argument = (position: number, otherwise: number): number => Number(process.argv[position] ?? otherwise);
const verified = (preState: Uint8Array, proof: Uint8Array): string | null => {
  try {
    return bytesToHex(verifyStep(preState, proof));
  } catch {
    return null;
  }
};

async function main(): Promise<void> {
  const [cases, seed] = [argument(2, 10_000), argument(3, 1)];
  const contract = await WordMachineEvm.create();
  const started = Date.now();
  let [total, failed, gas, tampered] = [0, 0, 0n, 0];

  const check = async (op: number, number: number): Promise<void> => {
    const random = new Random((seed * 256 + op) * 65536 + number);
    const { state, environment } = randomScenario(op, random);
    const { proof, postState } = proveStep(state, environment);
    const preState = hashState(state);
    const expected = bytesToHex(hashState(postState));
    const outcome = await contract.step(preState, proof);
    if (!('value' in outcome) || outcome.value !== expected || verified(preState, proof) !== expected) {
      throw new Error(`opcode 0x${op.toString(16)}, case ${number}: the interpreter has ${expected}, the contract ${JSON.stringify(outcome, (_, value: unknown) => String(value))}`);
    }
    total += 1;
    failed += postState.status === Status.FAILED ? 1 : 0;
    gas = outcome.gas > gas ? outcome.gas : gas;
    if (number % TAMPER_EVERY !== 0) return;
    const { name, apply } = random.pick(TAMPERINGS);
    const spoilt = apply(proof, random);
    if (bytesToHex(spoilt) === bytesToHex(proof)) return;
    tampered += 1;
    if ('value' in (await contract.step(preState, spoilt)) || verified(preState, spoilt) !== null) throw new Error(`opcode 0x${op.toString(16)}, case ${number}: '${name}' was accepted`);
  };

  for (const [index, op] of DEFINED_OPCODES.entries()) {
    for (let number = 0; number < cases; number += 1) await check(op, number);
    console.error(`${index + 1} of ${DEFINED_OPCODES.length} opcodes: ${total} steps agree`);
  }
  for (let number = 0; number < cases; number += 1) await check(UNDEFINED_OPCODES[number % UNDEFINED_OPCODES.length] as number, number);
  const seconds = ((Date.now() - started) / 1000).toFixed(0);
  console.log(`${total} steps agree (${DEFINED_OPCODES.length} opcodes and undefined ones, ${cases} each; ${failed} end in failure); ${tampered} spoilt proofs refused; at most ${gas} gas; ${seconds} s`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
