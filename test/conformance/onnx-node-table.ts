/**
 * Runs ONNX's own operator tests and writes docs/operators.md: `npx tsx test/conformance/onnx-node-table.ts [pattern] [--json]`. With a pattern (of test names) it writes nothing and
 * prints each test. Exit code 1 when a test fails for which KNOWN_FAILURES has no reason.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { OPERATORS } from '../../kernels/import/onnx/operators.ts';
import { QUANTIZED_OPERATORS } from '../../kernels/import/onnx/quantized/operators.ts';
import { modelFiles } from '../models/model-files.ts';
import { runNodeTest, unpackOnnxTests } from './onnx-node.ts';
import type { NodeTestResult } from './onnx-node.ts';
import { KNOWN_FAILURES, operatorTable } from './onnx-node-document.ts';

const { values, positionals: [pattern] } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean', default: false } } });
const folder = modelFiles();
if (folder === null) throw new Error('the folder of models is missing: put it at ../shared/models, or name it in ASSAY_MODELS');
const { tests, remove } = unpackOnnxTests(folder);
const results: NodeTestResult[] = [];
try {
  for (const test of tests) {
    const name = test.split('/').at(-1) ?? '';
    if (pattern !== undefined && !new RegExp(pattern).test(name)) continue;
    const result = await runNodeTest(test);
    results.push(result);
    if (pattern !== undefined) console.log(`${result.test}  ${result.outcome}  ${result.detail}`);
  }
} finally {
  remove();
}
if (pattern === undefined) writeFileSync(new URL('../../docs/operators.md', import.meta.url), operatorTable(results, [...OPERATORS.keys(), ...QUANTIZED_OPERATORS.keys()]));
const count = (outcome: NodeTestResult['outcome']): number => results.filter((result) => result.outcome === outcome).length;
const unexplained = results.filter(({ test, outcome }) => outcome === 'failed' && !KNOWN_FAILURES.some(({ tests: known }) => known.test(test)));
const summary = { tests: results.length, passed: count('passed'), passedWithEightBits: results.filter(({ eightBits }) => eightBits === 'passed').length, failed: count('failed'), unsupported: count('unsupported'), unexplained: unexplained.map(({ test }) => test) };
console.log(values.json ? JSON.stringify({ ...summary, results }) : summary);
if (unexplained.length > 0) process.exitCode = 1;
