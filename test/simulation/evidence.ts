/**
 * Plays Sybil attacks of every kind on the contracts, in this process, and prints what they cost whom:
 * `npm run evidence:sybils [-- --sybils 1,10,100,1000 --kind false-challenges --block-gas 60 --write]`. `--block-gas` is in millions; `--write`
 * keeps the figures in docs/figures/sybils.json and draws docs/figures/sybils.svg. Exit code 1 when an honest party loses anything or a closed form is exceeded.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { plotSybils } from './plot.ts';
import { attack, KINDS } from './sybils.ts';
import type { Kind, Result } from './sybils.ts';

const { values } = parseArgs({
  options: { sybils: { type: 'string', default: '1,10,100,1000' }, kind: { type: 'string' }, 'block-gas': { type: 'string', default: '60' }, write: { type: 'boolean', default: false } },
});
const numbers = values.sybils.split(',').map(Number);
if (numbers.some((number) => !Number.isInteger(number) || number < 1)) throw new Error(`--sybils wants whole numbers from 1, separated by commas, not ${values.sybils}`);
const kinds = values.kind === undefined ? KINDS : KINDS.filter((kind) => kind === values.kind);
if (kinds.length === 0) throw new Error(`--kind is one of ${KINDS.join(', ')}, not ${values.kind}`);
const blockGas = BigInt(Math.round(Number(values['block-gas']) * 1e6));

const number = (value: number, digits = 0): string => value.toLocaleString('en', { maximumFractionDigits: digits });
const row = ({ kind, sybils, games, delay, recorded, honestGas, honestTransactions, attackerGas, reruns, honestStakes, attackerLoss, ratio, honestGain }: Result): string =>
  `| ${[kind.replaceAll('-', ' '), number(sybils), number(games), number(delay), number(recorded), number(honestGas / 1e6, 2), number(honestTransactions), number(attackerGas / 1e6, 2), number(reruns),
    number(honestStakes, 3), number(attackerLoss, 2), ratio === null ? '–' : number(ratio, 1), number(honestGain, 3)].join(' | ')} |`;

console.log('| kind | Sybils | games | delay, s | recorded after, s | honest gas, millions | transactions | attackers\' gas | re-runs | stakes at peak, ETH | attackers lose, ETH | ratio | honest gain, ETH |');
console.log(`|${'---|'.repeat(13)}`);
const results: Result[] = [];
let failed = false;
for (const kind of kinds as readonly Kind[]) {
  for (const sybils of numbers) {
    try {
      const result = await attack(kind, sybils, blockGas);
      results.push(result);
      console.log(row(result));
    } catch (error) {
      failed = true;
      console.error(`${kind}, ${sybils} Sybils: ${(error as Error).message}`);
    }
  }
}
console.log(`closed form: ${number(results[0]?.bound ?? 0)} s`);
if (values.write && results.length > 0) {
  const folder = fileURLToPath(new URL('../../docs/figures/', import.meta.url));
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}sybils.json`, `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(`${folder}sybils.svg`, plotSybils(results));
}
if (failed) process.exitCode = 1;
