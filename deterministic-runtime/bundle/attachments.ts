import { bytesToHex } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { keccak256 } from '../commitment/keccak.ts';
import type { Model, Program } from '../program/program.ts';

/** Files that clients of a model need and its program does not, such as a tokenizer. The metadata, and so the model's id, commit to them. */
export type Attachments = Readonly<Record<string, Uint8Array>>;

/** Most files, and most bytes of one. */
const LIMITS = { files: 8, bytes: 2 ** 26 } as const;
const NAMES = /^(?!(?:manifest|program)\.json$|weights\.bin$)[a-z0-9][a-z0-9._-]{0,63}$/;

const schema = z.record(
  z.string().regex(NAMES, 'expected a plain file name in lower case'),
  z.strictObject({ bytes: z.int().min(0).max(LIMITS.bytes), keccak256: z.string().regex(/^0x[0-9a-f]{64}$/, 'expected 0x and 64 hexadecimal digits') }),
).refine((files) => Object.keys(files).length <= LIMITS.files, `expected at most ${LIMITS.files} files`);

/** What the metadata say of each attachment. */
export type AttachmentList = z.infer<typeof schema>;

const describe = (bytes: Uint8Array): AttachmentList[string] => ({ bytes: bytes.length, keccak256: `0x${bytesToHex(keccak256(bytes))}` });

/** A model with files that its clients need. Its id changes, since its metadata now commit to them. @throws RangeError on names or sizes that a bundle cannot have */
export function attach(model: Model, files: Attachments): Model {
  const attachments = { ...model.attachments, ...files };
  const list = Object.fromEntries(Object.entries(attachments).map(([name, bytes]) => [name, describe(bytes)]));
  const program: Program = { ...model.program, metadata: { ...model.program.metadata, attachments: list } };
  attachmentList(program);
  return { ...model, program, attachments };
}

/** The attachments that a program's metadata name. @throws RangeError when they are malformed */
export function attachmentList({ metadata }: Pick<Program, 'metadata'>): AttachmentList {
  const parsed = schema.safeParse(metadata.attachments ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new RangeError(`the metadata's attachments are malformed: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

/** Checks a file against what the metadata say of it. @throws RangeError when it is another one */
export function checkAttachment(name: string, bytes: Uint8Array, stated: AttachmentList[string]): void {
  const found = describe(bytes);
  if (stated.bytes !== found.bytes || stated.keccak256 !== found.keccak256) throw new RangeError(`${name} is not the file that the model's metadata describe: its hash differs`);
}
