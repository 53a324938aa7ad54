import { join } from 'node:path';
import { readCmsisCases } from '../conformance/cmsis-cases.ts';
import { kindOf, runCmsisCase } from '../conformance/cmsis-nn.ts';
import { compareSeanet, unpackSeanet } from '../conformance/seanet.ts';
import { modelFilesOrSkip } from '../models/model-files.ts';

/* Golden cases of CMSIS-NN and of TensorFlow Lite for Microcontrollers: a line for each kind of operator, and the reasons of those that are not run. */

const folder = modelFilesOrSkip('the evidence for quantised operators');
if (folder !== null) {
  const kinds = new Map<string, { passed: number; recovered: number; failed: number; skipped: Map<string, number> }>();
  for (const given of readCmsisCases(join(folder, 'conformance/cmsis_nn_int_testdata.json.gz'))) {
    const counts = kinds.get(kindOf(given)) ?? { passed: 0, recovered: 0, failed: 0, skipped: new Map<string, number>() };
    const outcome = await runCmsisCase(given);
    if (outcome.kind === 'passed') counts.passed += 1;
    else if (outcome.kind === 'recovered') counts.recovered += 1;
    else if (outcome.kind === 'failed') counts.failed += 1;
    else counts.skipped.set(outcome.reason, (counts.skipped.get(outcome.reason) ?? 0) + 1);
    kinds.set(kindOf(given), counts);
  }
  console.log('| CMSIS-NN | passed | passed with older bounds | failed | not run |\n|---|---|---|---|---|');
  for (const [kind, { passed, recovered, failed, skipped }] of [...kinds].sort()) console.log(`| ${kind} | ${passed} | ${recovered === 0 ? '' : recovered} | ${failed} | ${[...skipped].map(([reason, count]) => `${count}: ${reason}`).join('; ')} |`);

  const { models, remove } = unpackSeanet(folder);
  const operators = new Map<string, { models: number; exact: number; differing: number; outputs: number }>();
  for (const model of models) {
    const { differing, total } = await compareSeanet(model);
    const counts = operators.get(model.operator) ?? { models: 0, exact: 0, differing: 0, outputs: 0 };
    operators.set(model.operator, { models: counts.models + 1, exact: counts.exact + (differing === 0 ? 1 : 0), differing: counts.differing + differing, outputs: counts.outputs + total });
  }
  remove();
  console.log('\n| int16 × int8 models | models | exact | differing outputs | of |\n|---|---|---|---|---|');
  for (const [operator, counts] of operators) console.log(`| ${operator} | ${counts.models} | ${counts.exact} | ${counts.differing} | ${counts.outputs} |`);
}
