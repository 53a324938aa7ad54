import { bytesToHex } from '@noble/hashes/utils.js';
import type { z } from 'zod';
import { keccak256 } from '../commitment/keccak.ts';
import { parseKernel, serializeKernel } from '../language/canonical.ts';
import { admit } from '../program/admission.ts';
import { canonicalJson } from '../program/canonical-json.ts';
import type { Model, Program } from '../program/program.ts';
import { byteLength } from '../program/tensor.ts';
import { attachmentList, checkAttachment } from './attachments.ts';
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

/**
 * A model as the files of a bundle: `manifest.json`, `program.json`, `weights.bin` (the constants' padded words, one
 * after another), and what is attached.
 * @throws AdmissionError when the model is not admissible; BundleError when it goes beyond the format
 */
export function writeBundle(model: Model): Map<string, Uint8Array> {
  const { modelId } = admit(model);
  const { name, signature, metadata, input, kernels, constants, prologue, body, epilogue, maxIterations } = model.program;
  const program = encode(canonicalJson({ input, kernels: kernels.map(serializeKernel), constants, prologue, body, epilogue, maxIterations }));
  // What is written can be read: names, for one, have a greatest length.
  parse(BUNDLE_FILES.program, programSchema, program);
  const weights = concatenate(model.constants);
  const describe = (bytes: Uint8Array) => ({ bytes: bytes.length, keccak256: toHex(keccak256(bytes)) });
  const manifest: Manifest = {
    format: BUNDLE_FORMAT,
    modelId: toHex(modelId),
    name,
    signature,
    metadata: metadata as Manifest['metadata'],
    files: { [BUNDLE_FILES.program]: describe(program), [BUNDLE_FILES.weights]: describe(weights) },
  };
  const written = encode(`${JSON.stringify(manifest, null, 2)}\n`);
  parse(BUNDLE_FILES.manifest, manifestSchema, written);
  return new Map([
    [BUNDLE_FILES.manifest, written],
    [BUNDLE_FILES.program, program],
    [BUNDLE_FILES.weights, weights],
    ...attachmentFiles(model),
  ]);
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

/**
 * Reads a bundle, checks its files against the manifest and the model against the rules of admission, and computes the
 * model's id again. `encodeModel` of the result costs nothing.
 * @throws BundleError or AdmissionError that says what is wrong; whatever `read` throws
 */
export async function readBundle(read: ReadFile): Promise<Model> {
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
  const sizes = program.constants.map(byteLength);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const stated = manifest.files[BUNDLE_FILES.weights].bytes;
  if (total !== stated) throw new BundleError(`the program's constants have ${total} bytes, but ${BUNDLE_FILES.weights} has ${stated}: the bundle does not fit together`);
  const weights = await readDescribed(read, manifest, BUNDLE_FILES.weights, BUNDLE_LIMITS.weights);
  let offset = 0;
  const constants = sizes.map((size) => {
    offset += size;
    return weights.subarray(offset - size, offset);
  });
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
