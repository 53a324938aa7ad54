/**
 * Accuracy of the language detector as an integer program, on paragraphs of the Universal Declaration of Human Rights in its 50 languages, each normalised
 * and cut to 1,024 bytes, beside the npm package on the same text:
 * `npx tsx bench/accuracy-lande.ts [--declarations main|all] [--executor wasm,webgpu,…] [--every n] [--tensors] [--json]`.
 * With several executors the first gives the answers and the others must give the same bits: in the output, or with --tensors in every tensor. Exit code 1
 * when they do not, when the accuracy is more than 0.3 points below the package's, or the first answer is the same in less than 99%.
 */
import { parseArgs } from 'node:util';
import lande from 'lande';
import { buildLande } from '../kernels/models/lande/program.ts';
import { encodeText, normalizeText, truncateText } from '../kernels/models/lande/text.ts';
import { loadLandePackage } from '../rollup-node/lande-package.ts';
import { executorByName } from '../rollup-node/executors.ts';
import { readParagraphs } from '../test/models/udhr.ts';
import { conclude, conditions, percent, progress } from './measurement.ts';
import { runOnAll } from './same-bits.ts';

const POINTS_BELOW_PACKAGE = 0.3;
const SAME_FIRST_ANSWER_PERCENT = 99;

const { values } = parseArgs({
  options: {
    declarations: { type: 'string', default: 'main' },
    executor: { type: 'string', default: 'wasm' },
    every: { type: 'string', default: '1' },
    tensors: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
});

const sources = await loadLandePackage();
const model = buildLande(sources);
const executors = await Promise.all(values.executor.split(',').map(executorByName));
const prepared = await Promise.all(executors.map((executor) => executor.prepare(model)));
const paragraphs = (await readParagraphs(sources.langs, values.declarations === 'all' ? 'all' : 'main')).filter((_, index) => index % Number(values.every) === 0);

const started = conditions();
const reached = progress('paragraphs', paragraphs.length);
let [right, packageRight, same, otherBits, milliseconds] = [0, 0, 0, 0, 0];
const differing: string[] = [];
for (const [number, { language, text }] of paragraphs.entries()) {
  reached(number);
  const normalized = truncateText(normalizeText(text));
  const input = encodeText(normalized);
  const { run, milliseconds: time, same: sameBits } = await runOnAll(prepared, input, values.tensors);
  milliseconds += time;
  if (!sameBits) otherBits += 1;
  const answer = new TextDecoder().decode(run.output.subarray(0, 3));
  const expected = lande(normalized)[0]?.[0];
  if (answer === language) right += 1;
  if (expected === language) packageRight += 1;
  if (answer === expected) same += 1;
  else differing.push(`${language}: ${answer}, package ${expected}`);
}

const [accuracy, packageAccuracy, sameFirstAnswer] = [right, packageRight, same].map((count) => percent(count, paragraphs.length) ?? 0) as [number, number, number];
conclude(
  {
    ...started,
    paragraphs: paragraphs.length,
    languages: new Set(paragraphs.map(({ language }) => language)).size,
    accuracy,
    packageAccuracy,
    sameFirstAnswer,
    differing,
    executors: executors.map(({ name, adapter }) => `${name} (${adapter})`),
    compared: values.tensors ? 'every tensor' : 'outputs',
    differentBits: otherBits,
    millisecondsEach: Math.round((1000 * milliseconds) / paragraphs.length) / 1000,
  },
  {
    'all executors give the same bits': otherBits === 0,
    [`the accuracy is at most ${POINTS_BELOW_PACKAGE} points below the package's`]: accuracy >= packageAccuracy - POINTS_BELOW_PACKAGE,
    [`the first answer is the package's in at least ${SAME_FIRST_ANSWER_PERCENT}%`]: sameFirstAnswer >= SAME_FIRST_ANSWER_PERCENT,
  },
  values.json,
);
await Promise.all(prepared.map((runner) => runner.dispose()));
await Promise.all(executors.map((executor) => executor.dispose()));
