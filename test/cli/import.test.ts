import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { answer, assay, refusal, temporaryFolder } from './assay.ts';
import { calibration, floats, hugeModel, linearModel, unknownOperator, WIDE, wideModel } from './models.ts';

const at = temporaryFolder();

beforeAll(() => {
  writeFileSync(at('linear.onnx'), linearModel());
  writeFileSync(at('calibration.f32'), calibration());
});

test('a model becomes a bundle, and the same model the same bundle', async () => {
  const parameters = ['import', at('linear.onnx'), '--calibration', at('calibration.f32'), '--name', 'linear'];
  const first = await answer([...parameters, '--out', at('deep/linear')]);
  expect(first).toMatchObject({ name: 'linear', signature: 'infer(int8[4])->(int32[3])', bundle: at('deep/linear'), modelId: expect.stringMatching(/^0x[0-9a-f]{64}$/) });
  const again = await answer([...parameters, '--out', at('deep/linear')]);
  expect(again).toEqual(first);
  expect(readdirSync(at('deep'))).toEqual(['linear']);
  expect(await answer(['inspect', at('deep/linear')])).toMatchObject({ modelId: first.modelId, operators: first.operators, steps: first.steps, bytes: first.bytes, iterations: 0 });
});

test('what calldata a request has is told, and more than transactions carry is warned of', async () => {
  expect(await answer(['import', at('linear.onnx'), '--calibration', at('calibration.f32'), '--out', at('little')])).toMatchObject({ requestBytes: 4 + 32 * (4 + 4) });
  writeFileSync(at('wide.onnx'), wideModel());
  writeFileSync(at('wide.f32'), floats(...Array.from({ length: WIDE }, (_, index) => Math.sin(index))));
  const { code, stdout, stderr } = await assay(['import', at('wide.onnx'), '--calibration', at('wide.f32'), '--out', at('wide'), '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^warning: a request has 160,132 bytes of calldata, [^\n]+\n$/) });
  expect(JSON.parse(stdout)).toMatchObject({ requestBytes: 4 + 32 * (4 + WIDE), warning: expect.stringMatching(/calldata/) });
});

describe('how float weights become integers', () => {
  const imported = (...more: string[]): Promise<Record<string, unknown>> => answer(['import', at('linear.onnx'), '--calibration', at('calibration.f32'), '--out', at(`linear${more.join('')}`), ...more]);
  const errorOf = async (bundle: string): Promise<number> =>
    (await answer(['evaluate', at(bundle), '--against', at('linear.onnx'), '--dataset', at('calibration.f32')])).meanError as number;

  test('weights and activations of sixteen bits are nearer to the float model', async () => {
    const [usual, exact] = await Promise.all([imported('--activation-bits', '8'), imported('--activation-bits', '16', '--weight-bits', '16')]);
    expect(usual).toMatchObject({ sixteenBits: [] });
    expect(exact.modelId).not.toBe(usual.modelId);
    const [usualError, exactError] = await Promise.all([errorOf('linear--activation-bits8'), errorOf('linear--activation-bits16--weight-bits16')]);
    expect(exactError).toBeLessThan(usualError / 20);
  });
  test('ranges are found as it is said', async () => {
    writeFileSync(at('outlier.f32'), floats(...Array.from({ length: 4000 }, (_, index) => Math.sin(index)), 100, 0, 0, 0));
    const scaleOf = async (method: string): Promise<number> => {
      const { input } = await answer(['import', at('linear.onnx'), '--calibration', at('outlier.f32'), '--activation-bits', '8', '--ranges', method, '--out', at(`ranges-${method}`)]);
      return (input as { scale: number }).scale;
    };
    const [all, least] = await Promise.all([scaleOf('min-max'), scaleOf('mean-squared-error')]);
    expect(all).toBeGreaterThan(99 / 255);
    expect(least).toBeLessThan(all);
  });
});

describe('a package in node_modules', () => {
  test('is imported as its file is, from folders below too, and in its version only', async () => {
    mkdirSync(at('app/below'), { recursive: true });
    mkdirSync(at('app/node_modules/@some/linear/models'), { recursive: true });
    writeFileSync(at('app/node_modules/@some/linear/package.json'), '{"name":"@some/linear","version":"1.2.3"}');
    writeFileSync(at('app/node_modules/@some/linear/models/linear.onnx'), linearModel());
    const parameters = (source: string): string[] => ['import', source, '--calibration', at('calibration.f32'), '--out', at('from-package')];
    const [found, inside, file] = [
      await answer(parameters('npm:@some/linear@1.2.3'), { folder: at('app/below') }),
      await answer(parameters('npm:@some/linear/models/linear.onnx'), { folder: at('app') }),
      await answer(parameters(at('linear.onnx'))),
    ];
    expect(found.modelId).toBe(file.modelId);
    expect(inside.modelId).toBe(file.modelId);
    const evaluate = ['evaluate', at('from-package'), '--against', 'npm:@some/linear', '--dataset', at('calibration.f32')];
    expect(await answer(evaluate, { folder: at('app') })).toMatchObject({ samples: 19, agreement: 1 });
    await refusal(parameters('npm:@some/linear@2.0.0'), 2, /installed in version 1\.2\.3, not 2\.0\.0 \(npm install @some\/linear@2\.0\.0\)/, { folder: at('app') });
    await refusal(parameters('npm:@some/linear'), 2, /@some\/linear is not installed here \(npm install @some\/linear\)/, { folder: at() });
    await refusal(parameters('npm:@some/linear/../../../../linear.onnx'), 2, /not inside of the package/, { folder: at('app') });
  });
});

describe.concurrent('what cannot be imported leaves nothing behind', () => {
  const attempt = async (name: string, file: Uint8Array | null, reason: RegExp, more: string[] = ['--calibration', at('calibration.f32')]): Promise<void> => {
    const path = at(`${name}.onnx`);
    if (file !== null) writeFileSync(path, file);
    const before = new Set(readdirSync(at()).filter((entry) => entry.includes(name)));
    await refusal(['import', path, '--out', at(`${name}-bundle`), ...more], 2, reason);
    expect(new Set(readdirSync(at()).filter((entry) => entry.includes(name)))).toEqual(before);
  };

  test('no file', () => attempt('absent', null, /absent\.onnx does not exist/));
  test('an empty file', () => attempt('empty', new Uint8Array(), /is empty/));
  test('a truncated file', () => attempt('truncated', linearModel().subarray(0, 100), /not an ONNX model, or it is truncated/));
  test('random bytes', () => attempt('random', Uint8Array.from({ length: 5_000 }, (_, index) => (index * 7919) & 0xff), /not an ONNX model|truncated/));
  test('huge dimensions', () => attempt('huge', hugeModel(), /cannot import .*w/));
  test('an unknown operator is named with its node', () => attempt('unknown', unknownOperator(), /strange.*Frobnicate/));
  test('no calibration', () => attempt('uncalibrated', linearModel(), /calibration.*--calibration/, []));
  test('calibration of a wrong size', () => {
    writeFileSync(at('short.f32'), floats(1, 2, 3));
    return attempt('miscalibrated', linearModel(), /3 numbers, which is not one or more whole inputs of 4/, ['--calibration', at('short.f32')]);
  });
  test('calibration that is not finite', () => {
    writeFileSync(at('nan.f32'), floats(1, 2, 3, Number.NaN));
    return attempt('infinite', linearModel(), /not finite/, ['--calibration', at('nan.f32')]);
  });
  test('calibration that is not float32', () => {
    writeFileSync(at('odd.f32'), 'three');
    return attempt('odd', linearModel(), /5 bytes, which is no whole number of float32/, ['--calibration', at('odd.f32')]);
  });
});

describe.concurrent('where a bundle cannot be written', () => {
  const parameters = (out: string): string[] => ['import', at('linear.onnx'), '--calibration', at('calibration.f32'), '--out', out];

  test('a folder with other things stays as it is', async () => {
    mkdirSync(at('letters'));
    writeFileSync(at('letters/letter.txt'), 'dear');
    await refusal(parameters(at('letters')), 2, /holds 'letter.txt', which is no part of a bundle/);
    expect(readdirSync(at('letters'))).toEqual(['letter.txt']);
  });
  test('a file stays as it is', async () => {
    writeFileSync(at('letter.txt'), 'dear');
    await refusal(parameters(at('letter.txt')), 2, /a file stands where a folder is needed/);
    await refusal(parameters(at('letter.txt/below')), 2, /a file stands where a folder is needed/);
    expect(readFileSync(at('letter.txt'), 'utf8')).toBe('dear');
  });
  test.runIf(process.platform === 'linux')('a file system without room for folders', () => refusal(parameters('/proc/nowhere/bundle'), 2, /cannot write \/proc\/nowhere\/bundle/));
  test('a disk without room for the files', async () => {
    await refusal(['import', 'npm:lande', '--out', at('large')], 4, /cannot write .*large: EFBIG.*ulimit/, { shell: 'ulimit -f 8', environment: { TSX_DISABLE_CACHE: '1' } });
    expect(existsSync(at('large'))).toBe(false);
    expect(readdirSync(at()).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
