/**
 * The dearest step of the machine, by search over all 256 opcodes, the sizes of all trees, operands, places and contents:
 * `npm run evidence:dearest-step [-- --starts n] [--seed n]`. Exit code 1 when it takes more than a fiftieth of a transaction's gas.
 */
import { parseArgs } from 'node:util';
import { Random } from '../../../fraud-proof/machine/testing/random.ts';
import { dearestSteps, shareOfLimit, TRANSACTION_GAS_LIMIT } from './dearest-step.ts';
import { WordMachineEvm } from './word-machine-evm.ts';

const { values } = parseArgs({ options: { starts: { type: 'string', default: '2' }, seed: { type: 'string', default: '1' } } });
const opcodes = Array.from({ length: 256 }, (_, op) => op);
const found = await dearestSteps(await WordMachineEvm.create(), opcodes, new Random(Number(values.seed)), Number(values.starts));
for (const { op, gas, execution, proofBytes } of found.slice(0, 12)) console.log(`0x${op.toString(16).padStart(2, '0')}: ${shareOfLimit(gas)}; execution ${execution}, proof ${proofBytes} bytes`);
const [dearest] = found;
console.log(`dearest of ${found.length} opcodes: 0x${dearest!.op.toString(16)}, ${shareOfLimit(dearest!.gas)}\n${JSON.stringify(dearest!.choice)}`);
if (dearest!.gas * 50n > TRANSACTION_GAS_LIMIT) process.exitCode = 1;
