import { z } from 'zod';
import { ImportError } from '../../kernels/import/import-error.ts';
import type { TensorFlowJsFiles } from '../../kernels/import/tensorflow-js/graph.ts';
import { openModelFiles } from './open.ts';

/** Most bytes of model.json, and of all its shards. */
const LIMITS = { model: 2 ** 26, shards: 2 ** 31 } as const;

const schema = z.looseObject({ weightsManifest: z.array(z.looseObject({ paths: z.array(z.string()).max(2 ** 16) })).max(2 ** 16) });

/**
 * A TensorFlow.js layers model: its model.json, and the shards beside it that this names.
 * @throws ImportError when it is not understood, or shards are missing or too large
 */
export async function readTensorFlowJs(path: string): Promise<TensorFlowJsFiles> {
  const files = await openModelFiles(path);
  try {
    const read = async (name: string, limit: number): Promise<Uint8Array> => {
      const source = await files.open(name);
      if (source.size > limit) throw new ImportError(`${name} has ${source.size} bytes, more than the ${limit} that are read`);
      return source.read(0, source.size);
    };
    const model = parseJson(path, await read(files.main ?? 'model.json', LIMITS.model));
    const parsed = schema.safeParse(model);
    if (!parsed.success) throw new ImportError(`${path} is no TensorFlow.js layers model: it has no weightsManifest`);
    const parts: Uint8Array[] = [];
    let rest: number = LIMITS.shards;
    for (const name of parsed.data.weightsManifest.flatMap(({ paths }) => paths)) {
      const part = await read(name, rest);
      rest -= part.length;
      parts.push(part);
    }
    return { model, shards: Buffer.concat(parts) };
  } finally {
    await files.close();
  }
}

function parseJson(path: string, bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ImportError(`${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}
