import { admit, AdmissionError } from '../../../deterministic-runtime/program/admission.ts';
import { ImportError } from '../../../kernels/import/import-error.ts';
import { UserError } from '../../errors.ts';
import { importModelFile } from '../../model-import.ts';
import { saveBundle } from '../bundles.ts';
import type { ImportFlags } from '../commands/import.ts';
import { readFloats } from '../files.ts';
import { formatOperators, operatorRows } from '../operator-table.ts';
import { hex, print, printAnswer } from '../output.ts';
import { showStatus } from '../status.ts';

/** Reads a model file, and writes the bundle. @throws UserError */
export async function importModel(source: string, flags: ImportFlags): Promise<void> {
  const { calibration: file, ...options } = flags;
  const calibration = file === undefined ? undefined : await readFloats(file);
  showStatus(calibration === undefined ? 'reading the model' : `reading the model, and running it on ${calibration.length.toLocaleString('en')} numbers of calibration data`);
  const { encoded, report } = await orUserError(source, flags, async () => {
    const imported = await importModelFile(source, { ...options, ...(calibration === undefined ? {} : { calibration }) });
    return { encoded: admit(imported.model), report: imported.report };
  });
  const { modelId, operators, steps, model } = encoded;
  const { program, constants } = model;
  showStatus(`writing ${flags.out}`);
  await saveBundle(flags.out, model);
  const rows = operatorRows(encoded, report);
  if (flags.json !== true) await print(`${formatOperators(rows)}\n`);
  await printAnswer(
    {
      modelId: hex(modelId),
      name: program.name,
      signature: program.signature,
      operators: operators.length,
      ...(program.maxIterations === 0 ? {} : { iterations: program.maxIterations }),
      steps: Number(steps),
      bytes: constants.reduce((sum, words) => sum + words.length, 0),
      bundle: flags.out,
      input: program.metadata.input,
      output: program.metadata.output,
      ...(report === undefined ? {} : { sixteenBits: report.sixteenBits }),
      ...(flags.json === true ? { report: rows } : {}),
    },
    flags.json === true,
  );
}

async function orUserError<T>(source: string, flags: ImportFlags, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof ImportError) && !(error instanceof AdmissionError) && !(error instanceof RangeError)) throw error;
    const asksForCalibration = error instanceof ImportError && flags.calibration === undefined && error.message.includes('calibration data');
    throw new UserError(`cannot import ${source}: ${error.message}`, { cause: error, ...(asksForCalibration ? { hint: 'name the file with --calibration' } : {}) });
  }
}
