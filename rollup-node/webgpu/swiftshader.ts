import { createRequire } from 'node:module';
import { access, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { ExitCode, reasonOf, UserError } from '../errors.ts';
import { makeDirectory } from '../make-directory.ts';
import { readTar } from './tar.ts';

/** SwiftShader, a Vulkan driver that runs on the processor, and the Vulkan loader that came with it. */
export interface SwiftShader {
  /** `libvulkan.so.1`. */
  readonly loader: string;
  /** The driver's manifest, for `VK_DRIVER_FILES`. */
  readonly manifest: string;
}

const FILES = { loader: 'libvulkan.so.1', driver: 'libvk_swiftshader.so', manifest: 'vk_swiftshader_icd.json' } as const;

/** Where unpacked libraries are kept: `$XDG_CACHE_HOME/assay`, else `~/.cache/assay`. */
export const cacheFolder = (environment: NodeJS.ProcessEnv = process.env): string =>
  join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'assay');

/**
 * Unpacks SwiftShader out of the npm package `@sparticuz/chromium` into the cache, unless it is there. The folder appears
 * under its final name only when it is complete, so neither a crash nor a second process leaves half of it.
 * @throws UserError when this platform has no such library, or the cache cannot be written.
 */
export async function unpackSwiftShader(cache: string = cacheFolder()): Promise<SwiftShader> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new UserError(`there is no software WebGPU for ${process.platform} on ${process.arch}`, { hint: 'use --executor wasm' });
  }
  const archive = chromiumArchive();
  const folder = join(cache, `swiftshader-${archive.version}`);
  const unpacked = { loader: join(folder, FILES.loader), manifest: join(folder, FILES.manifest) };
  if (await exists(unpacked.manifest)) return unpacked;

  const wanted = Object.values(FILES);
  const files = readTar(await promisify(brotliDecompress)(await readFile(archive.path)));
  const missing = wanted.filter((name) => !files.has(name));
  if (missing.length > 0) throw new Error(`${archive.path} lacks ${missing.join(', ')}`);
  let temporary: string | undefined;
  try {
    await makeDirectory(cache);
    temporary = await mkdtemp(join(cache, 'swiftshader-'));
    for (const name of wanted) await writeFile(join(temporary, name), files.get(name) as Uint8Array, { mode: 0o755 });
    await rename(temporary, folder);
  } catch (error) {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
    // Another process was faster.
    if (await exists(unpacked.manifest)) return unpacked;
    throw new UserError(`cannot unpack SwiftShader into ${cache}: ${reasonOf(error)}`, {
      hint: 'set XDG_CACHE_HOME to a writable folder, or use --executor wasm', exitCode: ExitCode.storage, cause: error,
    });
  }
  return unpacked;
}

function chromiumArchive(): { readonly path: string; readonly version: string } {
  const require = createRequire(import.meta.url);
  try {
    // …/@sparticuz/chromium/build/<format>/index: the package exports nothing but its entry.
    const root = join(dirname(require.resolve('@sparticuz/chromium')), '..', '..');
    const { version } = require(join(root, 'package.json')) as { version: string };
    return { path: join(root, 'bin', 'swiftshader.tar.br'), version };
  } catch (error) {
    throw new UserError('the npm package @sparticuz/chromium, which carries SwiftShader, is not installed', { hint: 'run npm ci', exitCode: ExitCode.failure, cause: error });
  }
}

const exists = (path: string): Promise<boolean> => access(path).then(() => true, () => false);
