import { ModuleBuilder } from '../wasm/assembler.ts';
import type { FunctionBuilder, Local } from '../wasm/assembler.ts';
import { LANES, ROTATIONS, ROUND_TABLE_BYTES, roundRegisters, roundTable } from './keccak-rounds.ts';
import type { RoundRegisters } from './keccak-rounds.ts';

/** Lanes of a pair of nodes, of what a tensor's commitment hashes (three words), and of a digest. */
const PAIR_LANES = 8;
const TRIPLE_LANES = 12;
const DIGEST_LANES = 4;
/** The last lane of Keccak-256's block of 136 bytes. */
const LAST_RATE_LANE = 16;

const LOW_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const HIGH_HALVES = LOW_HALVES.map((byte) => byte + 8);

/** Bytes of a vector, which holds one lane of two states. */
const VECTOR_BYTES = 16;
/** Behind the caller's pages: the rounds' constants, and two places for the two states, which rounds read and write in turn. */
const CONSTANTS = 0;
const FIRST_STATES = 256;
const SECOND_STATES = FIRST_STATES + LANES * VECTOR_BYTES;

/**
 * A module that hashes many short messages. It exports `memory` and `hashPairs(source, target, messages)`: `messages` (even, at
 * least 2) times 64 bytes at `source` become 32 bytes each at `target`, zero where all 64 are zero and Keccak-256
 * elsewhere; and `hashTriples`, the same of 96 bytes. It computes two hashes at once, one in each half of SIMD registers. The caller has the
 * first `pages` pages of the memory. Rounds are a loop, since unrolled code outgrows the instruction cache. The states lie in memory: in locals, of
 * which engines have registers for few, they were seen to take 1.6 times as long.
 */
export function keccakModule(pages: number): Uint8Array {
  const module = new ModuleBuilder();
  const base = pages * 65536;
  module.memory({ minimum: pages + 1 }, 'memory');
  module.data(base + CONSTANTS, roundTable());
  emitHashes(module, 'hashPairs', PAIR_LANES, base);
  emitHashes(module, 'hashTriples', TRIPLE_LANES, base);
  return module.encode();
}

/** A function that hashes messages of so many lanes, which fit one block. */
function emitHashes(module: ModuleBuilder, name: string, messageLanes: number, address: number): void {
  module.function({ export: name, parameters: ['i32', 'i32', 'i32'] }, (code, [source, target, messages]) => {
    const registers = roundRegisters(code, 'v128');
    const { base, constant } = registers;
    const mask = code.local('v128');
    code.i32(address).set(base);
    code.loop((next) => {
      emitAbsorb(code, messageLanes, { source, mask, base });
      code.get(mask).op('v128.any_true').if(() => {
        emitColumns(code, registers);
        code.get(base).set(constant);
        code.loop((again) => {
          emitRound(code, registers, { from: FIRST_STATES, to: SECOND_STATES, constants: CONSTANTS, rows: 5 });
          emitRound(code, registers, { from: SECOND_STATES, to: FIRST_STATES, constants: CONSTANTS + 8, rows: 5 });
          code.get(constant).i32(16).op('i32.add').tee(constant).i32(address + ROUND_TABLE_BYTES - 16).op('i32.lt_u').branchIf(again);
        });
        // Of the last round only the digest's lanes are needed, which lie in the first row.
        emitRound(code, registers, { from: FIRST_STATES, to: SECOND_STATES, constants: CONSTANTS, rows: 5 });
        emitRound(code, registers, { from: SECOND_STATES, to: FIRST_STATES, constants: CONSTANTS + 8, rows: 1 });
      });
      for (let lane = 0; lane < DIGEST_LANES; lane += 2) {
        for (const [message, halves] of [LOW_HALVES, HIGH_HALVES].entries()) {
          code.get(target);
          for (const one of [lane, lane + 1]) code.get(base).memory('v128.load', FIRST_STATES + one * VECTOR_BYTES);
          code.shuffle(halves).get(mask);
          code.get(mask).shuffle(halves.map((_, byte) => (message * 8) + (byte % 8))).op('v128.and').memory('v128.store', message * 32 + lane * 8);
        }
      }
      code.get(source).i32(2 * messageLanes * 8).op('i32.add').set(source);
      code.get(target).i32(64).op('i32.add').set(target);
      code.get(messages).i32(2).op('i32.sub').tee(messages).branchIf(next);
    });
  });
}

/** Two padded messages become the first states; `mask` is all ones in the half of each message that is not zero. */
function emitAbsorb(code: FunctionBuilder, messageLanes: number, { source, mask, base }: { readonly source: Local; readonly mask: Local; readonly base: Local }): void {
  for (let lane = 0; lane < messageLanes; lane += 2) {
    for (const [half, halves] of [LOW_HALVES, HIGH_HALVES].entries()) {
      code.get(base).get(source).memory('v128.load', lane * 8).get(source).memory('v128.load', (messageLanes + lane) * 8);
      code.shuffle(halves).memory('v128.store', FIRST_STATES + (lane + half) * VECTOR_BYTES);
    }
  }
  code.get(base).memory('v128.load', FIRST_STATES);
  for (let lane = 1; lane < messageLanes; lane += 1) code.get(base).memory('v128.load', FIRST_STATES + lane * VECTOR_BYTES).op('v128.or');
  code.i64(0).op('i64x2.splat').op('i64x2.ne').set(mask);
  for (let lane = messageLanes; lane < LANES; lane += 1) {
    const padding = lane === messageLanes ? 1n : lane === LAST_RATE_LANE ? 1n << 63n : 0n;
    code.get(base).i64(padding).op('i64x2.splat').memory('v128.store', FIRST_STATES + lane * VECTOR_BYTES);
  }
}

/** The columns' sums of the first states. */
function emitColumns(code: FunctionBuilder, { columns, base }: RoundRegisters): void {
  for (let x = 0; x < 5; x += 1) {
    code.get(base).memory('v128.load', FIRST_STATES + x * VECTOR_BYTES);
    for (let y = 1; y < 5; y += 1) code.get(base).memory('v128.load', FIRST_STATES + (x + 5 * y) * VECTOR_BYTES).op('v128.xor');
    code.set(columns[x]!);
  }
}

/** One round: where its states lie, its constant (from `RoundRegisters.constant` on), and how many rows of its result are wanted. */
interface Round { readonly from: number; readonly to: number; readonly constants: number; readonly rows: number }

/** One round of Keccak-f[1600] (FIPS 202, 3.2) on two states. `columns` holds their columns' sums, and then those of the result. */
function emitRound(code: FunctionBuilder, { columns, parities, row, lane, base, constant }: RoundRegisters, { from, to, constants, rows }: Round): void {
  for (let x = 0; x < 5; x += 1) {
    emitRotation(code, columns[(x + 1) % 5]!, 1);
    code.get(columns[(x + 4) % 5]!).op('v128.xor').set(parities[x]!);
  }
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < 5; x += 1) {
      // The lane that moves to (x, y): the inverse of (x, y) → (y, 2x + 3y).
      const fromX = (x + 3 * y) % 5;
      const source = fromX + 5 * x;
      code.get(base).memory('v128.load', from + source * VECTOR_BYTES).get(parities[fromX]!).op('v128.xor').set(row[x]!);
      emitRotation(code, row[x]!, ROTATIONS[source]!);
      code.set(row[x]!);
    }
    for (let x = 0; x < 5; x += 1) {
      code.get(base).get(row[(x + 2) % 5]!).get(row[(x + 1) % 5]!).op('v128.andnot').get(row[x]!).op('v128.xor');
      if (x === 0 && y === 0) code.get(constant).memory('v128.load64_splat', constants).op('v128.xor');
      code.tee(lane).memory('v128.store', to + (x + 5 * y) * VECTOR_BYTES).get(lane);
      if (y > 0) code.get(columns[x]!).op('v128.xor');
      code.set(columns[x]!);
    }
  }
}

/** Leaves `value` rotated to the left. */
function emitRotation(code: FunctionBuilder, value: Local, distance: number): void {
  if (distance === 0) code.get(value);
  else code.get(value).i32(distance).op('i64x2.shl').get(value).i32(64 - distance).op('i64x2.shr_u').op('v128.or');
}
