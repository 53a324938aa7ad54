import { WORD_BYTES } from '../program/tensor.ts';

/** 32-bit units in a word. */
export const UNITS_PER_WORD = WORD_BYTES / 4;

/** How a tensor's 32-bit units lie in storage bindings. */
export interface BufferLayout {
  readonly firstBinding: number;
  /** Bindings: one, or for what is larger than a binding may be several of `shardUnits` units each. */
  readonly shards: number;
  /** A power of two, at least a word's units, so that a word never lies in two shards. */
  readonly shardUnits: number;
  /** Declared as vectors of four units: indices then count those. */
  readonly vectors?: boolean;
  readonly writable?: boolean;
}

/** WGSL over a tensor's storage. */
export interface BufferCode {
  /** Declarations and functions. */
  readonly code: string;
  /** The unit (or vector) at an index. */
  at(index: string): string;
  /** A statement that writes a unit. */
  store(index: string, value: string): string;
}

/** The code for a buffer of this name. A single binding is indexed directly; shards are told apart by the index's high bits. */
export function bufferCode(name: string, { firstBinding, shards, shardUnits, vectors = false, writable = false }: BufferLayout): BufferCode {
  const type = vectors ? 'vec4<u32>' : 'u32';
  const declare = (variable: string, binding: number): string =>
    `@group(0) @binding(${binding}) var<storage, ${writable ? 'read_write' : 'read'}> ${variable}: array<${type}>;`;
  if (shards === 1) return { code: declare(name, firstBinding), at: (index) => `${name}[${index}]`, store: (index, value) => `${name}[${index}] = ${value};` };
  const perShard = vectors ? shardUnits / 4 : shardUnits;
  const shard = (number: number): string => `${name}_${number}`;
  const numbers = Array.from({ length: shards }, (_, number) => number);
  const choose = (statement: (number: number) => string): string => [
    `  let place = index & ${perShard - 1}u;`,
    `  switch (index >> ${Math.log2(perShard)}u) {`,
    ...numbers.map((number) => `    ${number === shards - 1 ? 'default:' : `case ${number}u:`} { ${statement(number)} }`),
    '  }',
  ].join('\n');
  const functions = [
    `fn ${name}_at(index: u32) -> ${type} {\n${choose((number) => `return ${shard(number)}[place];`)}\n}`,
    ...(writable ? [`fn ${name}_store(index: u32, value: ${type}) {\n${choose((number) => `${shard(number)}[place] = value;`)}\n}`] : []),
  ];
  return {
    code: [...numbers.map((number) => declare(shard(number), firstBinding + number)), ...functions].join('\n'),
    at: (index) => `${name}_at(${index})`,
    store: (index, value) => `${name}_store(${index}, ${value});`,
  };
}
