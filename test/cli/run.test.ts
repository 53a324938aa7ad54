import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { importOnnx } from '../../kernels/import/onnx/import.ts';
import { buildLande } from '../../kernels/models/lande/program.ts';
import { writeBundleDirectory } from '../../rollup-node/bundle-files.ts';
import { loadLandePackage } from '../../rollup-node/lande-package.ts';
import { hasGpuDevice } from '../../rollup-node/webgpu/vulkan.ts';
import { answer, assay, refusal, temporaryFolder } from './assay.ts';
import { calibration, floats, INPUT, linearModel, OUTPUT } from './models.ts';

const at = temporaryFolder();

beforeAll(async () => {
  await writeBundleDirectory(at('linear'), importOnnx(linearModel(), { calibration: new Float32Array(calibration().buffer), name: 'linear' }).model);
  await writeBundleDirectory(at('lande'), buildLande(await loadLandePackage()));
  writeFileSync(at('input.f32'), floats(...INPUT));
  writeFileSync(at('text.txt'), 'Alle Menschen sind frei und gleich an Würde und Rechten geboren.');
});

describe.concurrent('an inference', () => {
  test('every executor gives the same bits, near the float network\'s', async () => {
    const answers = await Promise.all(['auto', 'wasm', 'lifted', 'word-machine'].map((executor) => answer(['run', at('linear'), '--input', at('input.f32'), '--executor', executor])));
    expect(new Set(answers.map(({ outputRoot }) => outputRoot)).size).toBe(1);
    expect(answers.map(({ executor }) => executor).slice(1)).toEqual(['wasm', 'lifted', 'word-machine']);
    for (const one of answers) {
      expect(Object.keys(one)).toEqual(['modelId', 'outputRoot', 'output', 'executor', 'adapter', 'milliseconds']);
      (one.output as number[]).forEach((value, index) => expect(Math.abs(value - (OUTPUT[index] ?? 0))).toBeLessThan(0.03));
    }
  });

  test('text from standard input, as the package normalises it', async () => {
    expect(await answer(['run', at('lande'), '--input', '-'], { input: readFileSync(at('text.txt')) })).toMatchObject({ output: 'deu' });
  });

  test('--output has the model\'s own numbers, or its text', async () => {
    const { output } = await answer(['run', at('linear'), '--input', at('input.f32'), '--output', at('scores.f32')]);
    expect([...new Float32Array(new Uint8Array(readFileSync(at('scores.f32'))).buffer)]).toEqual(output);
    await answer(['run', at('lande'), '--input', at('text.txt'), '--output', at('language.txt')]);
    expect(readFileSync(at('language.txt'), 'utf8')).toBe('deu');
  });
});

describe.concurrent('an input that does not fit', () => {
  const refuse = async (bundle: string, name: string, bytes: Uint8Array | string, reason: RegExp): Promise<void> => {
    writeFileSync(at(name), bytes);
    await refusal(['run', at(bundle), '--input', at(name), '--output', at(`${name}.out`)], 2, reason);
    expect(readdirSync(at()).filter((entry) => entry.includes(`${name}.out`))).toEqual([]);
  };
  test('too few numbers', () => refuse('linear', 'short.f32', floats(1, 2), /the input has 8 bytes; this model takes 16: 1 × 4 float32/));
  test('not finite', () => refuse('linear', 'nan.f32', floats(0, 1, Number.NaN, 2), /number 2 of the input is NaN/));
  test('empty', () => refuse('linear', 'empty.f32', '', /the input is empty/));
  test('an empty text', () => refuse('lande', 'empty.txt', '', /the input is empty/));
  test('not UTF-8', () => refuse('lande', 'latin.txt', Uint8Array.of(0x57, 0xfc, 0x72, 0x64, 0x65), /not UTF-8/));
  test('too long a text', () => refuse('lande', 'long.txt', 'a '.repeat(600), /the model reads 1024/));
  test('no file', () => refusal(['run', at('linear'), '--input', at('absent')], 2, /absent does not exist/));
});

describe.concurrent('a bundle that does not hold', () => {
  const damage = async (name: string, change: (folder: string) => void, exitCode: number, reason: RegExp): Promise<void> => {
    cpSync(at('linear'), at(name), { recursive: true });
    change(at(name));
    await refusal(['inspect', at(name)], exitCode, reason);
  };
  test('no directory', () => refusal(['inspect', at('input.f32')], 2, /input\.f32 is no directory/));
  test('nothing there', () => refusal(['run', at('absent'), '--input', at('input.f32')], 2, /absent does not exist/));
  test('a file is missing', () => damage('missing', (folder) => rmSync(`${folder}/weights.bin`), 2, /weights\.bin does not exist/));
  test('weights are cut short', () => damage('cut', (folder) => truncateSync(`${folder}/weights.bin`, 10), 5, /weights\.bin has 10 bytes, not/));
  test('a bit of the weights is another', () => damage('flipped', (folder) => {
    const bytes = readFileSync(`${folder}/weights.bin`);
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    writeFileSync(`${folder}/weights.bin`, bytes);
  }, 5, /weights\.bin is not the file that manifest\.json describes/));
  test('another id is claimed', () => damage('renamed', (folder) => {
    const text = readFileSync(`${folder}/manifest.json`, 'utf8');
    writeFileSync(`${folder}/manifest.json`, text.replace(/"modelId": "0x[0-9a-f]{8}/, '"modelId": "0x00000000'));
  }, 5, /the bundle's model is 0x[0-9a-f]{64}, not 0x00000000/));
  test('the manifest is no JSON', () => damage('garbled', (folder) => writeFileSync(`${folder}/manifest.json`, '{'), 5, /manifest\.json is not JSON/));
});

describe.concurrent('where the output cannot go', () => {
  const run = (output: string): string[] => ['run', at('linear'), '--input', at('input.f32'), '--output', output];
  test('no such folder', () => refusal(run(at('absent/scores.f32')), 2, /the folder .*absent does not exist/));
  test('a folder', () => refusal(run(at('lande')), 2, /lande is a directory/));
  test.runIf(existsSync('/dev/full'))('a full disk', () => refusal(run('/dev/full'), 4, /cannot write \/dev\/full: ENOSPC.*the disk is full/));
  test.runIf(existsSync('/dev/full'))('standard output on a full disk', async () => {
    const { code, stderr } = await assay(['inspect', at('linear')], { shell: 'exec > /dev/full' });
    expect({ code, stderr }).toEqual({ code: 4, stderr: expect.stringMatching(/^assay: cannot write to standard output: ENOSPC[^\n]*\n$/) });
  });
  test('an old output stays when the new one does not fit', async () => {
    writeFileSync(at('old.f32'), 'old');
    await refusal(run(at('old.f32')), 4, /cannot write .*old\.f32: EFBIG/, { shell: 'ulimit -f 0', environment: { TSX_DISABLE_CACHE: '1' } });
    expect(readFileSync(at('old.f32'), 'utf8')).toBe('old');
    expect(readdirSync(at()).filter((name) => name.startsWith('.'))).toEqual([]);
  });
  test('a device takes it as it is', async () => {
    await answer(run('/dev/null'));
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });
});

test.runIf(process.platform === 'linux' && !hasGpuDevice())('no place for the software driver: webgpu says so, auto does without', async () => {
  const options = { environment: { XDG_CACHE_HOME: '/proc/nowhere', VK_DRIVER_FILES: '', VK_ICD_FILENAMES: '' } };
  await refusal(['run', at('linear'), '--input', at('input.f32'), '--executor', 'webgpu'], 4, /cannot unpack SwiftShader.*--executor wasm/, options);
  expect(await answer(['run', at('linear'), '--input', at('input.f32')], options)).toMatchObject({ adapter: expect.any(String) });
});
