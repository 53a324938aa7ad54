/**
 * A small assembler for WebAssembly modules: it writes the binary format directly and needs nothing but typed arrays,
 * so it works in a browser. It checks little; `WebAssembly.validate` checks the rest.
 *
 * @example A function that sums `count ≥ 1` 32-bit integers from an imported memory:
 * ```ts
 * const module = new ModuleBuilder();
 * module.importMemory('env', 'memory', { minimum: 1 });
 * module.function({ export: 'sum', parameters: ['i32', 'i32'], results: ['i32'] }, (code, [pointer, count]) => {
 *   const total = code.local('i32'); // locals start at zero
 *   code.loop((next) => {
 *     code.get(total).get(pointer).memory('i32.load', 0).op('i32.add').set(total);
 *     code.get(pointer).i32(4).op('i32.add').set(pointer);
 *     code.get(count).i32(1).op('i32.sub').tee(count).branchIf(next);
 *   });
 *   code.get(total);
 * });
 * const memory = new WebAssembly.Memory({ initial: 1 });
 * const { exports } = await WebAssembly.instantiate(await WebAssembly.compile(module.encode()), { env: { memory } });
 * ```
 */
import { ByteWriter } from './byte-writer.ts';
import { FunctionBuilder, VALUE_TYPE } from './function-builder.ts';
import type { FunctionReference, Global, LocalsOf, ValueType } from './function-builder.ts';

export { FunctionBuilder } from './function-builder.ts';
export type { FunctionReference, Global, Label, Local, ValueType } from './function-builder.ts';

/** Sizes of a memory in pages of 64 KiB. A shared memory needs a maximum. */
export interface MemoryLimits {
  readonly minimum: number;
  readonly maximum?: number;
  readonly shared?: boolean;
}

interface FunctionType {
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** Collects what a module consists of and encodes it. Imports of functions come before the module's own functions. */
export class ModuleBuilder {
  #types: FunctionType[] = [];
  #imports: ByteWriter[] = [];
  #importedFunctions = 0;
  #functions: { readonly type: number; readonly body: Uint8Array }[] = [];
  #memories: ByteWriter[] = [];
  #globals: ByteWriter[] = [];
  #exports: ByteWriter[] = [];
  #data: ByteWriter[] = [];

  /** Imports the module's memory. */
  importMemory(module: string, name: string, limits: MemoryLimits): void {
    this.#imports.push(writeLimits(new ByteWriter().text(module).text(name).byte(0x02), limits));
  }

  /** Defines the module's own memory and exports it if `exportName` is given. */
  memory(limits: MemoryLimits, exportName?: string): void {
    this.#memories.push(writeLimits(new ByteWriter(), limits));
    if (exportName !== undefined) this.#exports.push(new ByteWriter().text(exportName).byte(0x02).unsigned(0));
  }

  /** Imports a function. @throws Error when the module has functions of its own already, whose numbers would move. */
  importFunction(module: string, name: string, type: { readonly parameters?: readonly ValueType[]; readonly results?: readonly ValueType[] }): FunctionReference {
    if (this.#functions.length > 0) throw new Error(`import ${module}.${name} before defining functions`);
    this.#imports.push(new ByteWriter().text(module).text(name).byte(0x00).unsigned(this.#typeIndex(type)));
    this.#importedFunctions += 1;
    return { index: this.#importedFunctions - 1 };
  }

  /** Defines a mutable global that starts with `initial`. */
  global(type: 'i32' | 'i64', initial: number | bigint = 0): Global {
    const writer = new ByteWriter().byte(VALUE_TYPE[type]).byte(0x01);
    writer.byte(type === 'i32' ? 0x41 : 0x42).signed(initial).byte(0x0b);
    this.#globals.push(writer);
    return { index: this.#globals.length - 1, type };
  }

  /** Bytes that the memory holds at `offset` when the module is instantiated. */
  data(offset: number, bytes: Uint8Array): void {
    this.#data.push(new ByteWriter().byte(0x00).byte(0x41).signed(offset | 0).byte(0x0b).unsigned(bytes.length).bytes(bytes));
  }

  /** Defines a function; `body` writes its code, and its parameters come as locals. */
  function<const P extends readonly ValueType[] = []>(
    signature: { readonly export?: string; readonly parameters?: P; readonly results?: readonly ValueType[] },
    body: (code: FunctionBuilder, parameters: LocalsOf<P>) => void,
  ): FunctionReference {
    const code = new FunctionBuilder(signature.parameters ?? []);
    body(code, code.parameters as LocalsOf<P>);
    const index = this.#importedFunctions + this.#functions.length;
    this.#functions.push({ type: this.#typeIndex(signature), body: code.encode() });
    if (signature.export !== undefined) this.#exports.push(new ByteWriter().text(signature.export).byte(0x00).unsigned(index));
    return { index };
  }

  #typeIndex({ parameters = [], results = [] }: { readonly parameters?: readonly ValueType[]; readonly results?: readonly ValueType[] }): number {
    const same = (a: readonly ValueType[], b: readonly ValueType[]): boolean => a.length === b.length && a.every((type, index) => type === b[index]);
    const found = this.#types.findIndex((type) => same(type.parameters, parameters) && same(type.results, results));
    return found >= 0 ? found : this.#types.push({ parameters, results }) - 1;
  }

  /** The module in the binary format. */
  encode(): Uint8Array<ArrayBuffer> {
    const writer = new ByteWriter().bytes(Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00));
    section(writer, 1, this.#types.map(({ parameters, results }) => {
      const type = new ByteWriter().byte(0x60).unsigned(parameters.length);
      for (const parameter of parameters) type.byte(VALUE_TYPE[parameter]);
      type.unsigned(results.length);
      for (const result of results) type.byte(VALUE_TYPE[result]);
      return type;
    }));
    section(writer, 2, this.#imports);
    section(writer, 3, this.#functions.map(({ type }) => new ByteWriter().unsigned(type)));
    section(writer, 5, this.#memories);
    section(writer, 6, this.#globals);
    section(writer, 7, this.#exports);
    section(writer, 10, this.#functions.map(({ body }) => new ByteWriter().unsigned(body.length).bytes(body)));
    section(writer, 11, this.#data);
    return writer.finish();
  }
}

function writeLimits(writer: ByteWriter, { minimum, maximum, shared = false }: MemoryLimits): ByteWriter {
  if (shared && maximum === undefined) throw new Error('a shared memory needs a maximum');
  writer.byte((maximum === undefined ? 0 : 1) | (shared ? 2 : 0)).unsigned(minimum);
  return maximum === undefined ? writer : writer.unsigned(maximum);
}

function section(writer: ByteWriter, id: number, entries: readonly ByteWriter[]): void {
  if (entries.length === 0) return;
  const content = new ByteWriter().unsigned(entries.length);
  for (const entry of entries) content.bytes(entry.finish());
  writer.byte(id).unsigned(content.length).bytes(content.finish());
}
