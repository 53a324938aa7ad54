import { AdmissionError, admit } from '../../../deterministic-runtime/program/admission.ts';
import type { EncodedModel } from '../../../deterministic-runtime/program/encoding.ts';
import type { Model } from '../../../deterministic-runtime/program/program.ts';
import { ImportError } from '../../../kernels/import/import-error.ts';
import { importOnnx } from '../../../kernels/import/onnx/import.ts';
import { buildLande } from '../../../kernels/models/lande/program.ts';
import { UserError } from '../../errors.ts';
import { loadLandePackage } from '../../lande-package.ts';
import { saveBundle } from '../bundles.ts';
import type { ImportFlags } from '../commands/import.ts';
import { readInputFile } from '../files.ts';
import { hex, printAnswer } from '../output.ts';
import { showStatus } from '../status.ts';

const LANDE = 'npm:lande';

/** Reads a model file, and writes the bundle. @throws UserError */
export async function importModel(source: string, flags: ImportFlags): Promise<void> {
  const { modelId, operators, steps, model: { program, constants } } = await readModel(source, flags);
  showStatus(`writing ${flags.out}`);
  await saveBundle(flags.out, { program, constants });
  await printAnswer(
    {
      modelId: hex(modelId),
      name: program.name,
      signature: program.signature,
      operators: operators.length,
      steps: Number(steps),
      bytes: constants.reduce((sum, words) => sum + words.length, 0),
      bundle: flags.out,
      input: program.metadata.input,
      output: program.metadata.output,
    },
    flags.json === true,
  );
}

async function readModel(source: string, flags: ImportFlags): Promise<EncodedModel> {
  try {
    return admit(source === LANDE ? await readLande(flags) : await readFile(source, flags));
  } catch (error) {
    if (!(error instanceof ImportError) && !(error instanceof AdmissionError)) throw error;
    const asksForCalibration = error instanceof ImportError && flags.calibration === undefined && error.message.includes('calibration data');
    throw new UserError(`cannot import ${source}: ${error.message}`, { cause: error, ...(asksForCalibration ? { hint: 'name the file with --calibration' } : {}) });
  }
}

async function readLande({ calibration, classify, name }: ImportFlags): Promise<Model> {
  if (calibration !== undefined || classify === true || name !== undefined) throw new UserError(`--calibration, --classify and --name are for ONNX files, not for ${LANDE}`);
  return buildLande(await loadLandePackage());
}

async function readFile(source: string, { calibration, name, classify }: ImportFlags): Promise<Model> {
  if (/^npm:/.test(source)) throw new UserError(`${source} is not known: the one model that comes from npm is ${LANDE}`);
  const bytes = await readInputFile(source);
  if (bytes.length === 0) throw new UserError(`${source} is empty`);
  const samples = calibration === undefined ? undefined : floats(await readInputFile(calibration), calibration);
  showStatus(samples === undefined ? 'reading the model' : `reading the model, and running it on ${samples.length.toLocaleString('en')} numbers of calibration data`);
  return importOnnx(bytes, {
    ...(samples === undefined ? {} : { calibration: samples }),
    ...(name === undefined ? {} : { name }),
    classify: classify === true,
  }).model;
}

function floats(bytes: Uint8Array, file: string): Float32Array {
  if (bytes.length === 0) throw new UserError(`${file} is empty`);
  if (bytes.length % 4 !== 0) throw new UserError(`${file} has ${bytes.length} bytes, which is no whole number of float32 values`);
  return new Float32Array(bytes.slice().buffer);
}
