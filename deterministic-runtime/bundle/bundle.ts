import { bytesToHex } from '@noble/hashes/utils.js';
import type { z } from 'zod';
import { KeccakStream, keccak256 } from '../commitment/keccak.ts';
import { parseKernel, serializeKernel } from '../language/canonical.ts';
import { admit } from '../program/admission.ts';
import { canonicalJson } from '../program/canonical-json.ts';
import type { Model, Program } from '../program/program.ts';
import { byteLength } from '../program/tensor.ts';
import { attachmentList, checkAttachment } from './attachments.ts';
import { checkConstantsOf, memoryFile } from './constants.ts';
import type { WeightFile } from './constants.ts';
import { BUNDLE_FILES, BUNDLE_FORMAT, BUNDLE_LIMITS, manifestSchema, programSchema } from './format.ts';
import type { Manifest } from './format.ts';

/** A bundle that cannot be read, or is not what it says; the message says why. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
}

/** Reads one of a bundle's files. Must refuse, without reading it, a file larger than `limit` bytes. */
export type ReadFile = (name: string, limit: number) => Promise<Uint8Array>;

const toHex = (bytes: Uint8Array): string => `0x${bytesToHex(bytes)}`;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A part of one of a bundle's files, which belongs behind those of the same name that came before. */
export interface BundlePart { readonly name: string; readonly bytes: Uint8Array }

/**
 * A model as the files of a bundle, part by part: `program.json`, `weights.bin` (the constants' padded words, one after another), what is attached, and
 * at last `manifest.json`. One constant is in memory at a time, if the model reads them when they are looked at.
 * @throws AdmissionError when the model is not admissible; BundleError when it goes beyond the format
 */
export function* bundleParts(model: Model): Generator<BundlePart> {
  const { modelId } = admit(model);
  const { name, signature, metadata, input, kernels, constants, prologue, body, epilogue, maxIterations } = model.program;
  const program = encode(canonicalJson({ input, kernels: kernels.map(serializeKernel), constants, prologue, body, epilogue, maxIterations }));
  // What is written can be read: names, for one, have a greatest length.
  parse(BUNDLE_FILES.program, programSchema, program);
  const attached = attachmentFiles(model);
  const manifestOf = (weights: Manifest['files'][typeof BUNDLE_FILES.weights]): Uint8Array => {
    const manifest: Manifest = {
      format: BUNDLE_FORMAT,
      modelId: toHex(modelId),
      name,
      signature,
      metadata: metadata as Manifest['metadata'],
      files: { [BUNDLE_FILES.program]: { bytes: program.length, keccak256: toHex(keccak256(program)) }, [BUNDLE_FILES.weights]: weights },
    };
    const written = encode(`${JSON.stringify(manifest, null, 2)}\n`);
    if (written.length > BUNDLE_LIMITS.manifest) throw new BundleError(`${BUNDLE_FILES.manifest} would have ${written.length} bytes, more than ${BUNDLE_LIMITS.manifest}: its metadata are too long`);
    parse(BUNDLE_FILES.manifest, manifestSchema, written);
    return written;
  };
  const bytes = constants.reduce((sum, shape) => sum + byteLength(shape), 0);
  if (bytes > BUNDLE_LIMITS.weights) throw new BundleError(`${BUNDLE_FILES.weights} would have ${bytes} bytes, more than ${BUNDLE_LIMITS.weights}`);
  manifestOf({ bytes, keccak256: toHex(modelId) });
  yield { name: BUNDLE_FILES.program, bytes: program };
  const hash = new KeccakStream();
  yield { name: BUNDLE_FILES.weights, bytes: new Uint8Array(0) };
  for (const words of model.constants) {
    hash.update(words);
    yield { name: BUNDLE_FILES.weights, bytes: words };
  }
  for (const [file, content] of attached) yield { name: file, bytes: content };
  yield { name: BUNDLE_FILES.manifest, bytes: manifestOf({ bytes, keccak256: toHex(hash.digest()) }) };
}

/**
 * A model as the files of a bundle, whole: see `bundleParts`.
 * @throws AdmissionError when the model is not admissible; BundleError when it goes beyond the format
 */
export function writeBundle(model: Model): Map<string, Uint8Array> {
  const parts = new Map<string, Uint8Array[]>();
  for (const { name, bytes } of bundleParts(model)) {
    const list = parts.get(name);
    if (list === undefined) parts.set(name, [bytes]);
    else list.push(bytes);
  }
  return new Map([...parts].map(([name, list]) => [name, list.length === 1 ? list[0]! : concatenate(list)]));
}

/** What is attached to a model, all of what its metadata name and nothing else. @throws BundleError */
function attachmentFiles({ program, attachments = {} }: Model): readonly (readonly [string, Uint8Array])[] {
  const list = Object.entries(orBundleError(() => attachmentList(program)));
  if (list.length !== Object.keys(attachments).length) throw new BundleError(`the model has ${Object.keys(attachments).length} attachments, and its metadata name ${list.length}`);
  return list.map(([name, stated]) => {
    const bytes = attachments[name];
    if (bytes === undefined) throw new BundleError(`the attachment '${name}' is missing`);
    orBundleError(() => checkAttachment(name, bytes, stated));
    return [name, bytes];
  });
}

function orBundleError<T>(attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new BundleError(error.message, { cause: error });
  }
}

/** How a bundle's files are opened. */
export interface BundleFiles {
  readonly read: ReadFile;
  /** Opens the weights. Must refuse a file larger than `limit` bytes. Absent where they are read whole, which limits them to 4 GiB. */
  readonly open?: (name: string, limit: number) => Promise<WeightFile>;
}

/**
 * Reads a bundle, checks its files against the manifest and the model against the rules of admission, and computes the
 * model's id again. The weights are read once, a piece at a time, to check them, and again when the model's constants are looked at. `encodeModel` of the result costs nothing.
 * @throws BundleError or AdmissionError that says what is wrong; whatever `files` throws
 */
export async function readBundle(files: ReadFile | BundleFiles): Promise<Model> {
  const { read, open } = typeof files === 'function' ? { read: files } : files;
  const manifest = parse(BUNDLE_FILES.manifest, manifestSchema, await readLimited(read, BUNDLE_FILES.manifest, BUNDLE_LIMITS.manifest));
  const programFile = await readDescribed(read, manifest, BUNDLE_FILES.program, BUNDLE_LIMITS.program);
  const { kernels, ...fields } = parse(BUNDLE_FILES.program, programSchema, programFile);
  const program: Program = {
    name: manifest.name,
    signature: manifest.signature,
    metadata: manifest.metadata,
    kernels: kernels.map((value, index) => readKernel(value, index)),
    ...fields,
  };
  const constants = await readConstants(program, manifest, open ?? (async (name, limit) => memoryFile(await readLimited(read, name, limit))), open === undefined ? BUNDLE_LIMITS.weightsInMemory : BUNDLE_LIMITS.weights);
  const attachments: Record<string, Uint8Array> = {};
  for (const [name, stated] of Object.entries(orBundleError(() => attachmentList(program)))) {
    const bytes = await readLimited(read, name, stated.bytes);
    orBundleError(() => checkAttachment(name, bytes, stated));
    attachments[name] = bytes;
  }
  const model: Model = { program, constants, ...(Object.keys(attachments).length === 0 ? {} : { attachments }) };
  const modelId = toHex(admit(model).modelId);
  if (modelId !== manifest.modelId) throw new BundleError(`the bundle's model is ${modelId}, not ${manifest.modelId} as ${BUNDLE_FILES.manifest} says`);
  return model;
}

/** Opens and checks the weights. Nothing is allocated by what the program says of them before the file is as long as that. */
async function readConstants(program: Program, { files }: Manifest, open: NonNullable<BundleFiles['open']>, limit: number): Promise<readonly Uint8Array[]> {
  const name = BUNDLE_FILES.weights;
  const stated = files[name];
  const total = program.constants.reduce((sum, shape) => sum + byteLength(shape), 0);
  if (total !== stated.bytes) throw new BundleError(`the program's constants have ${total} bytes, but ${name} has ${stated.bytes}: the bundle does not fit together`);
  if (total > limit) throw new BundleError(`${name} has ${total} bytes, more than ${limit}`);
  const file = await open(name, total);
  if (file.size !== total) throw new BundleError(`${name} has ${file.size} bytes, not ${total} as ${BUNDLE_FILES.manifest} says: is it truncated?`);
  const { constants, keccak256: hash, dirty } = await checkConstantsOf(program.constants, file);
  if (toHex(hash) !== stated.keccak256) throw new BundleError(`${name} is not the file that ${BUNDLE_FILES.manifest} describes: its hash differs`);
  if (dirty !== undefined) throw new BundleError(`constant ${dirty} has padding that is not zero`);
  return constants;
}

async function readLimited(read: ReadFile, name: string, limit: number): Promise<Uint8Array> {
  const bytes = await read(name, limit);
  if (bytes.length > limit) throw new BundleError(`${name} has ${bytes.length} bytes, more than ${limit}`);
  return bytes;
}

/** Reads a file that the manifest describes. */
async function readDescribed(read: ReadFile, manifest: Manifest, name: keyof Manifest['files'], limit: number): Promise<Uint8Array> {
  const stated = manifest.files[name];
  if (stated.bytes > limit) throw new BundleError(`${name} has ${stated.bytes} bytes, more than ${limit}`);
  const bytes = await readLimited(read, name, stated.bytes);
  if (bytes.length !== stated.bytes) throw new BundleError(`${name} has ${bytes.length} bytes, not ${stated.bytes} as ${BUNDLE_FILES.manifest} says: is it truncated?`);
  if (toHex(keccak256(bytes)) !== stated.keccak256) throw new BundleError(`${name} is not the file that ${BUNDLE_FILES.manifest} describes: its hash differs`);
  return bytes;
}

function parse<T extends z.ZodType>(name: string, schema: T, bytes: Uint8Array): z.infer<T> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new BundleError(`${name} is not JSON: ${(error as Error).message}`, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new BundleError(`${name} is malformed: ${issue === undefined ? 'unreadable' : `${issue.path.join('.') || 'the value'}: ${issue.message}`}`);
}

function readKernel(value: unknown, index: number): Program['kernels'][number] {
  try {
    return parseKernel(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new BundleError(`${BUNDLE_FILES.program} is malformed: kernel ${index}: ${error.message}`, { cause: error });
  }
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
