import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createWasmExecutor } from '../../deterministic-runtime/wasm/executor.ts';
import { decodeTflite } from '../../kernels/import/tflite/decode.ts';
import { importTflite } from '../../kernels/import/tflite/import.ts';
import { packIntegers, resultIntegers } from '../models/tflite-comparison.ts';

/** One-operator models of TensorFlow Lite for Microcontrollers with 16-bit activations, inside the folder of models. */
const ARCHIVE = 'conformance/tflm_seanet_int16x8_golden.tar.xz';

/** A model's file. Its inputs and golden lie beside it as comma-separated numbers: `<name>_input<i>_<type>.csv`, `<name>_golden_<type>.csv`. */
export interface SeanetModel { readonly name: string; readonly operator: string; readonly file: string }

/** Unpacks the archive (with the command `tar`) to a temporary folder; returns its models and a function that removes them. */
export function unpackSeanet(folder: string): { readonly models: readonly SeanetModel[]; readonly remove: () => void } {
  const target = mkdtempSync(join(tmpdir(), 'seanet-'));
  execFileSync('tar', ['xJf', join(folder, ARCHIVE), '-C', target]);
  const root = join(target, 'tensorflow/lite/micro/integration_tests/seanet');
  const models = readdirSync(root).sort().flatMap((operator) =>
    readdirSync(join(root, operator)).filter((name) => name.endsWith('.tflite')).sort().map((name) => ({ name: basename(name, '.tflite'), operator, file: join(root, operator, name) })));
  return { models, remove: () => { rmSync(target, { recursive: true, force: true }); } };
}

/** How many outputs of a model differ from its golden, of how many. Microcontrollers round as gemmlowp does. */
export async function compareSeanet({ name, file }: SeanetModel): Promise<{ readonly differing: number; readonly total: number }> {
  const bytes = new Uint8Array(readFileSync(file));
  const siblings = readdirSync(join(file, '..'));
  const read = (prefix: string): number[] => {
    const found = siblings.find((sibling) => sibling.startsWith(prefix));
    if (found === undefined) throw new Error(`${name} has no file ${prefix}…`);
    return readFileSync(join(file, '..', found), 'utf8').split(/[,\s]+/).filter((text) => text !== '').map(Number);
  };
  const { model, network } = importTflite(bytes, { rounding: 'twice' });
  const { inputs, tensors } = decodeTflite(bytes);
  const used = new Set(network.inputs.map(({ value }) => value));
  const values = inputs.flatMap((tensor, index) => (used.has(tensors[tensor]?.name ?? '') || used.has(`tensor ${tensor}`) ? read(`${name}_input${index}_`) : []));
  const prepared = await createWasmExecutor().prepare(model);
  const own = resultIntegers(model, (await prepared.run(packIntegers(model.program.input, values))).output);
  await prepared.dispose();
  const golden = read(`${name}_golden_`);
  if (own.length !== golden.length) throw new Error(`${name} gives ${own.length} outputs, its golden has ${golden.length}`);
  return { differing: golden.filter((value, index) => value !== own[index]).length, total: golden.length };
}
