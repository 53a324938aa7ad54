import { bytesToHex, keccak256 } from 'viem';
import { mkdtemp, mkdir, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { attach } from '../deterministic-runtime/bundle/attachments.ts';
import { BundleError, readBundle, writeBundle } from '../deterministic-runtime/bundle/bundle.ts';
import { evaluateProgram } from '../deterministic-runtime/language/evaluate.ts';
import { AdmissionError } from '../deterministic-runtime/program/admission.ts';
import { encodeModel } from '../deterministic-runtime/program/encoding.ts';
import { packTensor } from '../deterministic-runtime/program/tensor.ts';
import { fileStore } from '../deterministic-runtime/bundle/constant-store.ts';
import { createWasmExecutor } from '../deterministic-runtime/wasm/executor.ts';
import { encodePrompt } from '../kernels/language-model/interface.ts';
import { buildLanguageModel } from '../kernels/language-model/program.ts';
import { randomWeights } from '../kernels/language-model/random-weights.ts';
import { openSpoolFile } from '../rollup-node/spool-file.ts';
import { readBundleDirectory, writeBundleDirectory } from '../rollup-node/bundle-files.ts';
import { smallClassifier, smallClassifierInput } from './models/small-classifier.ts';
import { tokenLoop } from './models/token-loop.ts';

const from = (files: ReadonlyMap<string, Uint8Array>) => async (name: string): Promise<Uint8Array> => {
  const bytes = files.get(name);
  if (bytes === undefined) throw new BundleError(`${name} does not exist`);
  return bytes;
};
const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
const utf8 = (value: string): Uint8Array => new TextEncoder().encode(value);

/** The bundle with a file edited, and the manifest's description of it made right again. */
function edited(name: string, edit: (bytes: Uint8Array) => Uint8Array): Map<string, Uint8Array> {
  const files = writeBundle(tokenLoop());
  files.set(name, edit(files.get(name)!));
  if (name === 'manifest.json') return files;
  const manifest = JSON.parse(text(files.get('manifest.json'))) as { files: Record<string, unknown> };
  manifest.files[name] = { bytes: files.get(name)!.length, keccak256: keccak256(files.get(name)!) };
  return files.set('manifest.json', utf8(JSON.stringify(manifest)));
}
const editedJson = (name: string, edit: (value: Record<string, never>) => void): Map<string, Uint8Array> => edited(name, (bytes) => {
  const value = JSON.parse(text(bytes)) as Record<string, never>;
  edit(value);
  return utf8(JSON.stringify(value));
});

describe('bundle', () => {
  test.each([['a classifier', smallClassifier()], ['a loop', tokenLoop()]])('%s survives writing and reading, id and all', async (_, model) => {
    const files = writeBundle(model);
    expect([...files.keys()].sort()).toEqual(['manifest.json', 'program.json', 'weights.bin']);
    const read = await readBundle(from(files));
    expect(encodeModel(read).modelId).toEqual(encodeModel(model).modelId);
    expect((JSON.parse(text(files.get('manifest.json'))) as { modelId: string }).modelId).toBe(bytesToHex(encodeModel(model).modelId));
    expect(read.constants).toEqual(model.constants);
    expect({ ...read.program, kernels: [] }).toEqual({ ...model.program, kernels: [] });
    expect(writeBundle(read)).toEqual(files);
    if (model.program.name !== 'small-classifier') return;
    const input = packTensor(model.program.input, smallClassifierInput());
    expect(evaluateProgram(read, input).output).toEqual(evaluateProgram(model, input).output);
  });

  test('asks for no other file, and for none without a limit', async () => {
    const files = writeBundle(tokenLoop());
    const asked: [string, number][] = [];
    await readBundle(async (name, limit) => {
      asked.push([name, limit]);
      return from(files)(name);
    });
    expect(asked).toEqual([['manifest.json', 2 ** 20], ['program.json', files.get('program.json')!.length], ['weights.bin', files.get('weights.bin')!.length]]);
  });

  const set = (path: readonly string[], value: unknown) => (root: Record<string, never>) => {
    const parent = path.slice(0, -1).reduce<Record<string, unknown>>((object, key) => object[key] as Record<string, unknown>, root);
    parent[path.at(-1)!] = value;
  };
  const hostile: readonly (readonly [string, () => Map<string, Uint8Array>, string])[] = [
    ['no manifest', () => new Map(), 'manifest.json does not exist'],
    ['an empty manifest', () => edited('manifest.json', () => new Uint8Array(0)), 'manifest.json is not JSON'],
    ['a truncated manifest', () => edited('manifest.json', (bytes) => bytes.subarray(0, 100)), 'manifest.json is not JSON'],
    ['bytes that are not text', () => edited('manifest.json', () => Uint8Array.of(0xff, 0xfe)), 'manifest.json is not JSON'],
    ['a deep manifest', () => edited('manifest.json', () => utf8(`${'['.repeat(200_000)}`)), 'manifest.json is'],
    ['another format', () => editedJson('manifest.json', set(['format'], 'assay-bundle-9')), 'manifest.json is malformed: format'],
    ['an unknown field', () => editedJson('manifest.json', set(['extra'], 1)), 'manifest.json is malformed'],
    ['a file outside', () => editedJson('manifest.json', set(['files', '../../etc/passwd'], { bytes: 1, keccak256: `0x${'00'.repeat(32)}` })), 'manifest.json is malformed: files'],
    ['a wrong id', () => editedJson('manifest.json', set(['modelId'], `0x${'11'.repeat(32)}`)), 'as manifest.json says'],
    ['another signature', () => editedJson('manifest.json', set(['signature'], 'other()')), 'as manifest.json says'],
    ['other metadata', () => editedJson('manifest.json', set(['metadata'], { a: 1 })), 'as manifest.json says'],
    ['a huge size', () => editedJson('manifest.json', set(['files', 'program.json', 'bytes'], 2 ** 40)), 'program.json has 1099511627776 bytes, more than'],
    ['a truncated program', () => new Map([...writeBundle(tokenLoop()), ['program.json', writeBundle(tokenLoop()).get('program.json')!.subarray(1)]]), 'is it truncated?'],
    ['a changed program', () => new Map([...writeBundle(tokenLoop()), ['program.json', writeBundle(tokenLoop()).get('program.json')!.map((byte) => byte ^ 1)]]), 'its hash differs'],
    ['truncated weights', () => new Map([...writeBundle(tokenLoop()), ['weights.bin', new Uint8Array(31)]]), 'weights.bin has 31 bytes, not 32'],
    ['changed weights', () => edited('weights.bin', (bytes) => bytes.with(1, 99)), 'as manifest.json says'],
    ['dirty padding', () => edited('weights.bin', (bytes) => bytes.with(31, 9)), 'padding that is not zero'],
    ['more weights than constants', () => edited('weights.bin', () => new Uint8Array(64)), "the program's constants have 32 bytes, but weights.bin has 64"],
    ['constants of terabytes', () => editedJson('program.json', set(['constants', '0', 'rows'], 2 ** 31)), "the program's constants have 68719476736 bytes"],
    ['a negative shape', () => editedJson('program.json', set(['input', 'rows'], -1)), 'program.json is malformed: input.rows'],
    ['a fraction', () => editedJson('program.json', set(['maxIterations'], 1.5)), 'program.json is malformed: maxIterations'],
    ['a kernel that is none', () => editedJson('program.json', set(['kernels', '2'], { name: 'x' })), 'program.json is malformed: kernel 2'],
    ['too many operands', () => editedJson('program.json', set(['body', '0', 'operands'], Array.from({ length: 9 }, () => ({ kind: 'input' })))), 'program.json is malformed: body.0.operands'],
    ['an operand of no kind', () => editedJson('program.json', set(['body', '0', 'operands', '0'], { kind: 'file' })), 'program.json is malformed: body.0.operands.0'],
    ['a missing section', () => editedJson('program.json', set(['epilogue'], undefined)), 'program.json is malformed: epilogue'],
    ['a forward read', () => editedJson('program.json', set(['prologue', '0', 'operands', '0'], { kind: 'epilogue', operator: 0 })), 'not admissible'],
  ];
  test.each(hostile)('refuses %s', async (_, files, message) => {
    const error: unknown = await readBundle(from(files())).catch((reason: unknown) => reason);
    expect(error instanceof BundleError || error instanceof AdmissionError, String(error)).toBe(true);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).not.toContain('\n');
  });
});

describe('attachments', () => {
  const attached = attach(tokenLoop(), { 'tokenizer.json': utf8('{"vocabulary":[]}') });

  test('survive writing and reading, and the id commits to them', async () => {
    const files = writeBundle(attached);
    expect(text(files.get('tokenizer.json'))).toBe('{"vocabulary":[]}');
    const read = await readBundle(from(files));
    expect(read.attachments).toEqual(attached.attachments);
    const ids = [tokenLoop(), attached, attach(tokenLoop(), { 'tokenizer.json': utf8('{}') })].map((model) => bytesToHex(encodeModel(model).modelId));
    expect(new Set(ids).size).toBe(3);
    expect(bytesToHex(encodeModel(read).modelId)).toBe(ids[1]);
  });

  test('another file, one more, one less, or a name that is no plain one, is refused', async () => {
    const files = writeBundle(attached);
    await expect(readBundle(from(new Map(files).set('tokenizer.json', utf8('{"vocabulary":[1]}'))))).rejects.toThrow(BundleError);
    await expect(readBundle(from(new Map(files).set('tokenizer.json', utf8('{"vocabulary":[}}'))))).rejects.toThrow('its hash differs');
    await expect(readBundle(from(new Map([...files].filter(([name]) => name !== 'tokenizer.json'))))).rejects.toThrow('tokenizer.json does not exist');
    expect(() => writeBundle({ ...attached, attachments: {} })).toThrow('the model has 0 attachments, and its metadata name 1');
    expect(() => writeBundle({ ...attached, attachments: { ...attached.attachments, more: utf8('') } })).toThrow('has 2 attachments');
    for (const name of ['../escape', 'manifest.json', 'weights.bin', '/etc/passwd', '.hidden', '', 'A']) expect(() => attach(tokenLoop(), { [name]: utf8('') }), name).toThrow('malformed');
    const evil = editedJson('manifest.json', (manifest) => { Object.assign(manifest, { metadata: { attachments: { '../../x': { bytes: 1, keccak256: `0x${'00'.repeat(32)}` } } } }); });
    await expect(readBundle(from(evil))).rejects.toThrow(/attachments are malformed/);
  });
});

describe('bundle directory', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'assay-bundle-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('writes, reads, and replaces a bundle without leaving anything else', async () => {
    const target = join(folder, 'deep', 'model');
    await writeBundleDirectory(target, tokenLoop());
    expect((await readBundleDirectory(target)).program.name).toBe('token-loop');
    await writeBundleDirectory(target, smallClassifier());
    expect((await readBundleDirectory(target)).program.name).toBe('small-classifier');
    expect(await readdir(join(folder, 'deep'))).toEqual(['model']);
  });

  test('replaces one with attachments', async () => {
    const target = join(folder, 'attached');
    await writeBundleDirectory(target, attach(tokenLoop(), { 'tokenizer.json': utf8('{}') }));
    expect((await readdir(target)).sort()).toEqual(['manifest.json', 'program.json', 'tokenizer.json', 'weights.bin']);
    expect(text((await readBundleDirectory(target)).attachments?.['tokenizer.json'])).toBe('{}');
    await writeBundleDirectory(target, tokenLoop());
    expect((await readdir(target)).sort()).toEqual(['manifest.json', 'program.json', 'weights.bin']);
  });

  test('touches no directory that holds something else, and no file', async () => {
    const target = join(folder, 'precious');
    await mkdir(target);
    await writeFile(join(target, 'thesis.txt'), 'x');
    await expect(writeBundleDirectory(target, tokenLoop())).rejects.toThrow("holds 'thesis.txt'");
    expect(await readdir(target)).toEqual(['thesis.txt']);
    await expect(writeBundleDirectory(join(target, 'thesis.txt'), tokenLoop())).rejects.toThrow(BundleError);
    await expect(writeBundleDirectory(join(target, 'thesis.txt', 'deep', 'model'), tokenLoop())).rejects.toThrow('cannot write the bundle');
  });

  test('a model that was put together in a file is the same bundle, and weights are read when they are looked at', async () => {
    const weights = randomWeights({ family: 'llama', vocabulary: 50, width: 32, hidden: 40, layers: 1, heads: 2, keyValueHeads: 1, headSize: 16, context: 10, normEpsilon: 1e-5, rotary: { base: 10_000, pairs: 'adjacent' }, endTokens: [2] });
    const target = join(folder, 'spooled');
    const spool = await openSpoolFile(target);
    const inMemory = await buildLanguageModel(weights, { promptLimit: 6, newTokenLimit: 6, sampling: false });
    const inFile = await buildLanguageModel(weights, { promptLimit: 6, newTokenLimit: 6, sampling: false, store: fileStore(spool) });
    expect(spool.size).toBe(inMemory.constants.reduce((sum, { length }) => sum + length, 0));
    await writeBundleDirectory(target, inFile);
    spool.close();
    for (const [name, bytes] of writeBundle(inMemory)) expect(new Uint8Array(await readFile(join(target, name))), name).toEqual(bytes);
    const read = await readBundleDirectory(target);
    await writeBundleDirectory(target, tokenLoop());
    // The files that were read are gone by name, and still there.
    expect([...read.constants]).toEqual(inMemory.constants);
    const outputs = await Promise.all([inMemory, read].map(async (model) => (await (await createWasmExecutor().prepare(model)).run(encodePrompt(model, [1, 5]))).output));
    expect(outputs[1]).toEqual(outputs[0]);
  });

  test('a wrong weight anywhere is found, and so is a file of another length, before anything of that size is allocated', async () => {
    const target = join(folder, 'large');
    await writeBundleDirectory(target, smallClassifier());
    const path = join(target, 'weights.bin');
    const { size } = await stat(path);
    const file = await open(path, 'r+');
    const { buffer: [byte] } = await file.read(Buffer.alloc(1), 0, 1, size - 64);
    await file.write(Uint8Array.of(byte! ^ 1), 0, 1, size - 64);
    await file.close();
    await expect(readBundleDirectory(target)).rejects.toThrow('its hash differs');
    await truncate(path, size - 32);
    await expect(readBundleDirectory(target)).rejects.toThrow('is it truncated?');
    // A file with a hole, as large as any that may be.
    const huge = 2 ** 41;
    const manifest = JSON.parse(await readFile(join(target, 'manifest.json'), 'utf8')) as { files: Record<string, { bytes: number }> };
    manifest.files['weights.bin']!.bytes = huge;
    await writeFile(join(target, 'manifest.json'), JSON.stringify(manifest));
    await truncate(path, 2 ** 36);
    await expect(readBundleDirectory(target)).rejects.toThrow('the bundle does not fit together');
  });

  test('weights that come whole have 4 GiB at most', async () => {
    const files = editedJson('program.json', (program) => { Object.assign(program, { constants: Array.from({ length: 2 }, () => ({ element: 'i8', rows: 2 ** 28, columns: 32 })) }); });
    const manifest = JSON.parse(text(files.get('manifest.json'))) as { files: Record<string, { bytes: number }> };
    manifest.files['weights.bin']!.bytes = 2 ** 34;
    files.set('manifest.json', utf8(JSON.stringify(manifest)));
    await expect(readBundle(from(files))).rejects.toThrow(`weights.bin has ${2 ** 34} bytes, more than ${2 ** 32}`);
    await expect(readBundle({ read: from(files), open: async (_, limit) => ({ size: 32, read: () => { throw new Error(`nothing of ${limit} bytes is to be read`); } }) })).rejects.toThrow('is it truncated?');
  });

  test('one clear error for what is no bundle', async () => {
    await expect(readBundleDirectory(join(folder, 'nothing'))).rejects.toThrow('does not exist: is this the directory of a bundle?');
    const target = join(folder, 'hostile');
    await writeBundleDirectory(target, tokenLoop());
    await writeFile(join(target, 'weights.bin'), new Uint8Array(1000));
    await expect(readBundleDirectory(target)).rejects.toThrow('has 1000 bytes, more than the 32 that it may have');
    await rm(join(target, 'weights.bin'));
    await mkdir(join(target, 'weights.bin'));
    await expect(readBundleDirectory(target)).rejects.toThrow('is not a file');
    await rm(join(target, 'manifest.json'));
    await writeFile(join(target, 'manifest.json'), new Uint8Array(2 ** 20 + 1));
    await expect(readBundleDirectory(target)).rejects.toThrow('more than the 1048576');
    expect((await readFile(join(target, 'program.json'))).length).toBeGreaterThan(0);
  });
});
