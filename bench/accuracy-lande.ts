/**
 * Accuracy of the language detector as an integer program, on paragraphs of the Universal Declaration of Human Rights in its 50 languages, each normalised
 * and cut to 1,024 bytes, beside the npm package on the same text:
 * `npx tsx bench/accuracy-lande.ts [--declarations main|all] [--executor wasm,webgpu,…] [--every n] [--json]`.
 * With several executors the first gives the answers and the others must give the same bits. Exit code 1 when they do not.
 */
import { parseArgs } from 'node:util';
import lande from 'lande';
import { buildLande } from '../kernels/models/lande/program.ts';
import { encodeText, normalizeText, truncateText } from '../kernels/models/lande/text.ts';
import { loadLandePackage } from '../rollup-node/lande-package.ts';
import { readParagraphs } from '../test/models/udhr.ts';
import { openExecutors, percent, report } from './accuracy-executor.ts';

const { values } = parseArgs({
  options: {
    declarations: { type: 'string', default: 'main' },
    executor: { type: 'string', default: 'wasm' },
    every: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});

const sources = await loadLandePackage();
const model = buildLande(sources);
const executors = await openExecutors(values.executor);
const prepared = await Promise.all(executors.map((executor) => executor.prepare(model)));
const paragraphs = (await readParagraphs(sources.langs, values.declarations === 'all' ? 'all' : 'main')).filter((_, index) => index % Number(values.every) === 0);

let [right, packageRight, same, otherBits, milliseconds] = [0, 0, 0, 0, 0];
const differing: string[] = [];
for (const { language, text } of paragraphs) {
  const normalized = truncateText(normalizeText(text));
  const input = encodeText(normalized);
  const start = performance.now();
  const outputs: Uint8Array[] = [];
  for (const [index, runner] of prepared.entries()) {
    outputs.push((await runner.run(input)).output);
    if (index === 0) milliseconds += performance.now() - start;
  }
  const [output = new Uint8Array()] = outputs;
  if (outputs.some((other) => other.some((byte, index) => byte !== output[index]))) otherBits += 1;
  const answer = new TextDecoder().decode(output.subarray(0, 3));
  const expected = lande(normalized)[0]?.[0];
  if (answer === language) right += 1;
  if (expected === language) packageRight += 1;
  if (answer === expected) same += 1;
  else differing.push(`${language}: ${answer}, package ${expected}`);
}

report(
  {
    paragraphs: paragraphs.length,
    accuracy: percent(right, paragraphs.length),
    packageAccuracy: percent(packageRight, paragraphs.length),
    sameFirstAnswer: percent(same, paragraphs.length),
    differing,
    executors: executors.map(({ name, adapter }) => `${name} (${adapter})`),
    differentBits: otherBits,
    millisecondsEach: Math.round((1000 * milliseconds) / paragraphs.length) / 1000,
  },
  values.json,
);
await Promise.all(prepared.map((runner) => runner.dispose()));
await Promise.all(executors.map((executor) => executor.dispose()));
process.exitCode = otherBits === 0 ? 0 : 1;
