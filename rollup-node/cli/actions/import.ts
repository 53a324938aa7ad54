import { BundleError } from '../../../deterministic-runtime/bundle/bundle.ts';
import { fileStore } from '../../../deterministic-runtime/bundle/constant-store.ts';
import type { ConstantStore } from '../../../deterministic-runtime/bundle/constant-store.ts';
import { admit, AdmissionError } from '../../../deterministic-runtime/program/admission.ts';
import { byteLength } from '../../../deterministic-runtime/program/tensor.ts';
import { ImportError } from '../../../kernels/import/import-error.ts';
import { UserError } from '../../errors.ts';
import { takesTokens, TOKENIZER_FILE } from '../../language-model.ts';
import { importModelFile } from '../../model-import.ts';
import { requestSize } from '../../request-size.ts';
import { openSpoolFile } from '../../spool-file.ts';
import type { SpoolFile } from '../../spool-file.ts';
import { saveBundle } from '../bundles.ts';
import { RANGES } from '../commands/import.ts';
import type { ImportFlags } from '../commands/import.ts';
import { readFloats, writeError } from '../files.ts';
import { formatOperators, operatorRows } from '../operator-table.ts';
import { hex, print, printAnswer } from '../output.ts';
import { showStatus } from '../status.ts';

/** Reads a model file, and writes the bundle. @throws UserError */
export async function importModel(source: string, flags: ImportFlags): Promise<void> {
  const { calibration: file, ranges, out: _out, json: _json, ...options } = flags;
  const calibration = file === undefined ? undefined : await readFloats(file);
  showStatus(calibration === undefined ? 'reading the model' : `reading the model, and running it on ${calibration.length.toLocaleString('en')} numbers of calibration data`);
  let spool: SpoolFile | undefined;
  const openStore = async (): Promise<ConstantStore> => fileStore(spool = await openSpoolFile(flags.out));
  const { encoded, report } = await orUserError(source, flags, async () => {
    const imported = await importModelFile(source, { ...options, ...(ranges === undefined ? {} : { ranges: RANGES[ranges] }), ...(calibration === undefined ? {} : { calibration }) }, openStore);
    return { encoded: admit(imported.model), report: imported.report };
  });
  const { modelId, operators, steps, model } = encoded;
  const { program } = model;
  showStatus(`writing ${flags.out}`);
  await saveBundle(flags.out, model);
  spool?.close();
  const rows = operatorRows(encoded, report);
  const { bytes: requestBytes, warning } = requestSize(program);
  if (flags.json !== true) await print(`${formatOperators(rows)}\n`);
  await printAnswer(
    {
      modelId: hex(modelId),
      name: program.name,
      signature: program.signature,
      operators: operators.length,
      ...(program.maxIterations === 0 ? {} : { iterations: program.maxIterations }),
      steps: Number(steps),
      bytes: program.constants.reduce((sum, shape) => sum + byteLength(shape), 0),
      requestBytes,
      bundle: flags.out,
      input: program.metadata.input,
      output: program.metadata.output,
      ...(takesTokens(model) ? { tokenizer: model.attachments?.[TOKENIZER_FILE] === undefined ? null : TOKENIZER_FILE } : {}),
      ...(report === undefined ? {} : { sixteenBits: flags.json === true ? report.sixteenBits : `${report.sixteenBits.length} values` }),
      ...(flags.json === true ? { ...(warning === undefined ? {} : { warning }), report: rows } : {}),
    },
    flags.json === true,
  );
  if (warning !== undefined) console.error(`warning: ${warning}`);
}

async function orUserError<T>(source: string, flags: ImportFlags, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (error instanceof BundleError) throw writeError(flags.out, error.cause);
    if (!(error instanceof ImportError) && !(error instanceof AdmissionError) && !(error instanceof RangeError)) throw error;
    const hint = error instanceof ImportError ? hintFor(error.message, flags) : undefined;
    throw new UserError(`cannot import ${source}: ${error.message}`, { cause: error, ...(hint === undefined ? {} : { hint }) });
  }
}

function hintFor(message: string, { calibration }: ImportFlags): string | undefined {
  if (calibration === undefined && message.includes('calibration data')) return 'name the file with --calibration';
  return message.includes('not an ONNX model') ? 'ONNX, TensorFlow Lite, GGUF and llama2.c files are read, and folders with safetensors' : undefined;
}
