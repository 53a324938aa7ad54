import { opendir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { runInNewContext } from 'node:vm';
import { z } from 'zod';
import { ImportError } from '../../kernels/import/import-error.ts';
import type { PackageReader } from '../../kernels/import/npm/recipe.ts';
import { UserError } from '../errors.ts';

/** What `npm:<package>[@version][/path]` names. */
export interface PackageSource {
  readonly name: string;
  readonly version: string | undefined;
  /** Path inside of the package. */
  readonly path: string | undefined;
}

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
}

/** Entries of a package that are looked at, and how deep, in search of models. */
const LIMITS = { entries: 20_000, depth: 8, fileBytes: 2 ** 31 } as const;
/** Milliseconds that a module of data may take. */
const MODULE_TIMEOUT = 30_000;
const MODEL_FILE = /\.(onnx|tflite|gguf)$/;

/** Parses `npm:…`. @throws UserError when it is no package's name (those of npm: validate-npm-package-name) */
export function parsePackageSource(source: string): PackageSource {
  const [, name, version, path] = /^npm:((?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*)(?:@([0-9A-Za-z.+-]+))?(?:\/(.+))?$/.exec(source) ?? [];
  if (name === undefined) throw new UserError(`${source} names no package`, { hint: 'the form is npm:<package>, npm:<package>@<version> or npm:<package>/<path inside>' });
  return { name, version, path };
}

/**
 * Finds an installed package in `node_modules` of a folder or of those above it, as Node.js does. Nothing is downloaded.
 * @throws UserError when it is not installed, or in another version
 */
export async function findPackage({ name, version }: PackageSource, from: string): Promise<InstalledPackage> {
  const wanted = version === undefined ? name : `${name}@${version}`;
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    const manifest = await readFile(join(candidate, 'package.json'), 'utf8').catch(() => undefined);
    if (manifest !== undefined) {
      const installed = versionOf(candidate, manifest);
      if (version !== undefined && version !== installed) throw new UserError(`the package ${name} is installed in version ${installed}, not ${version}`, { hint: `npm install ${wanted}` });
      return { name, version: installed, folder: await realpath(candidate) };
    }
    if (dirname(folder) === folder) throw new UserError(`the package ${name} is not installed here`, { hint: `npm install ${wanted}` });
  }
}

function versionOf(folder: string, manifest: string): string {
  try {
    return z.looseObject({ version: z.string().max(256) }).parse(JSON.parse(manifest)).version;
  } catch (cause) {
    throw new UserError(`${join(folder, 'package.json')} is no package's description`, { hint: 'install the package again', cause });
  }
}

/** A path inside of a package, as a path of the file system. @throws UserError when there is nothing, or it leads out of the package */
export async function pathInPackage({ name, folder }: InstalledPackage, path: string): Promise<string> {
  const found = await realpath(join(folder, path)).catch(() => undefined);
  if (found === undefined) throw new UserError(`the package ${name} has no ${path}`);
  if (!found.startsWith(folder + sep)) throw new UserError(`${path} is not inside of the package ${name}`);
  return found;
}

/** The one model file (or folder of a language model) in a package. @throws UserError when there are none, or several */
export async function onlyModelOf(found: InstalledPackage): Promise<string> {
  const models = await modelsOf(found.folder);
  const [only] = models;
  if (only !== undefined && models.length === 1) return join(found.folder, only);
  if (only === undefined) throw new UserError(`the package ${found.name} holds no model that is understood`, { hint: 'ONNX, TensorFlow Lite and GGUF files, TensorFlow.js model.json, and folders with config.json and safetensors are' });
  const shown = models.slice(0, 10).join(', ');
  throw new UserError(`the package ${found.name} holds ${models.length} models: ${shown}${models.length > 10 ? ', …' : ''}`, { hint: `name one, as npm:${found.name}/${only}` });
}

async function modelsOf(root: string): Promise<string[]> {
  const models: string[] = [];
  let seen = 0;
  const walk = async (folder: string, depth: number): Promise<void> => {
    const [names, folders]: [string[], string[]] = [[], []];
    for await (const entry of await opendir(folder)) {
      seen += 1;
      if (seen > LIMITS.entries) throw new UserError(`${root} holds more than ${LIMITS.entries} files, too many to look through`, { hint: 'name the model as npm:<package>/<path inside>' });
      if (entry.isFile()) names.push(entry.name);
      else if (entry.isDirectory() && entry.name !== 'node_modules') folders.push(entry.name);
    }
    for (const name of names) if (MODEL_FILE.test(name) || name === 'model.json') models.push(relative(root, join(folder, name)));
    if (names.includes('config.json') && names.some((name) => name.endsWith('.safetensors'))) models.push(relative(root, folder) === '' ? '.' : relative(root, folder));
    if (depth < LIMITS.depth) for (const name of folders) await walk(join(folder, name), depth + 1);
  };
  await walk(root, 0);
  return models.sort();
}

/** Reads a package's files for its recipe. */
export function packageReader(found: InstalledPackage): PackageReader {
  const bytes = async (path: string): Promise<Uint8Array> => {
    try {
      const file = await pathInPackage(found, path);
      const { size } = await stat(file);
      if (size > LIMITS.fileBytes) throw new ImportError(`${path} has ${size} bytes, more than the ${LIMITS.fileBytes} that are read`);
      return new Uint8Array(await readFile(file));
    } catch (error) {
      if (error instanceof ImportError) throw error;
      throw new ImportError(`version ${found.version} of the package ${found.name} cannot be read: ${(error as Error).message}`, { cause: error });
    }
  };
  return { bytes, data: async (path) => evaluateData(path, new TextDecoder().decode(await bytes(path))) };
}

/** What a module of data exports. It runs in a context of its own that has neither `require` nor the process, and only JSON comes out; it is the user's own package all the same. */
function evaluateData(path: string, code: string): unknown {
  try {
    const json: unknown = runInNewContext(`var module = { exports: {} }, exports = module.exports;\n${code}\n;JSON.stringify(module.exports)`, Object.create(null) as object, { timeout: MODULE_TIMEOUT, contextCodeGeneration: { strings: false, wasm: false } });
    return JSON.parse(String(json));
  } catch (cause) {
    throw new ImportError(`${path} is no module of data: ${(cause as Error).message}`, { cause });
  }
}
