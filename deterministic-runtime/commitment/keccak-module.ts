import { ModuleBuilder } from '../wasm/assembler.ts';
import type { FunctionBuilder, Local } from '../wasm/assembler.ts';

/** Lanes of the state, of 64 bits each. */
export const LANES = 25;
const ROUNDS = 24;
/** The rounds' constants, as bytes. */
export const ROUND_TABLE_BYTES = ROUNDS * 8;
/** Lanes of a pair of nodes, of what a tensor's commitment hashes (three words), and of a digest. */
const PAIR_LANES = 8;
const TRIPLE_LANES = 12;
const DIGEST_LANES = 4;
/** The last lane of Keccak-256's block of 136 bytes. */
const LAST_RATE_LANE = 16;

const LOW_HALVES = [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23];
const HIGH_HALVES = LOW_HALVES.map((byte) => byte + 8);

/** FIPS 202, 3.2.2: how far each lane `x + 5y` is rotated. */
function rotationOffsets(): number[] {
  const offsets = new Array<number>(LANES).fill(0);
  let [x, y] = [1, 0];
  for (let t = 0; t < LANES - 1; t += 1) {
    offsets[x + 5 * y] = (((t + 1) * (t + 2)) / 2) % 64;
    [x, y] = [y, (2 * x + 3 * y) % 5];
  }
  return offsets;
}

/** FIPS 202, 3.2.5: bit `2^j - 1` of a round's constant is the output of a linear feedback shift register. */
function roundConstants(): bigint[] {
  let register = 1;
  return Array.from({ length: ROUNDS }, () => {
    let constant = 0n;
    for (let j = 0; j <= 6; j += 1) {
      if ((register & 1) === 1) constant |= 1n << BigInt(2 ** j - 1);
      register = (register << 1) ^ ((register >> 7) * 0x171);
    }
    return constant;
  });
}

export const ROTATIONS: readonly number[] = rotationOffsets();

/** The rounds' constants, little-endian. */
export function roundTable(): Uint8Array {
  const table = new Uint8Array(ROUND_TABLE_BYTES);
  roundConstants().forEach((constant, index) => new DataView(table.buffer).setBigUint64(index * 8, constant, true));
  return table;
}

interface Registers {
  readonly state: readonly Local[];
  readonly next: readonly Local[];
  readonly columns: readonly Local[];
  readonly parities: readonly Local[];
  readonly row: readonly Local[];
}

/**
 * A module that hashes many short messages. It exports `memory` and `hashPairs(source, target, messages)`: `messages` (even, at
 * least 2) times 64 bytes at `source` become 32 bytes each at `target`, zero where all 64 are zero and Keccak-256
 * elsewhere; and `hashTriples`, the same of 96 bytes. It computes two hashes at once, one in each half of 25 SIMD registers. The caller has the
 * first `pages` pages of the memory. Rounds are a loop, since unrolled code outgrows the instruction cache and halves the speed.
 */
export function keccakModule(pages: number): Uint8Array {
  const module = new ModuleBuilder();
  const constants = pages * 65536;
  module.memory({ minimum: pages + 1 }, 'memory');
  module.data(constants, roundTable());
  emitHashes(module, 'hashPairs', PAIR_LANES, constants);
  emitHashes(module, 'hashTriples', TRIPLE_LANES, constants);
  return module.encode();
}

/** A function that hashes messages of so many lanes, which fit one block; the rounds' constants lie at `constants`. */
function emitHashes(module: ModuleBuilder, name: string, messageLanes: number, constants: number): void {
  module.function({ export: name, parameters: ['i32', 'i32', 'i32'] }, (code, [source, target, messages]) => {
    const locals = (count: number): Local[] => Array.from({ length: count }, () => code.local('v128'));
    const [state, other, columns, parities, row] = [locals(LANES), locals(LANES), locals(5), locals(5), locals(5)];
    const mask = code.local('v128');
    const round = code.local('i32');
    code.loop((next) => {
      emitAbsorb(code, messageLanes, { source, state, mask });
      code.get(mask).op('v128.any_true').if(() => {
        code.i32(0).set(round);
        code.loop((again) => {
          emitRound(code, { state, next: other, columns, parities, row }, round, constants);
          emitRound(code, { state: other, next: state, columns, parities, row }, round, constants + 8);
          code.get(round).i32(16).op('i32.add').tee(round).i32(ROUND_TABLE_BYTES).op('i32.lt_u').branchIf(again);
        });
      });
      for (let lane = 0; lane < DIGEST_LANES; lane += 2) {
        for (const [message, halves] of [LOW_HALVES, HIGH_HALVES].entries()) {
          code.get(target).get(state[lane]!).get(state[lane + 1]!).shuffle(halves).get(mask);
          code.get(mask).shuffle(halves.map((_, byte) => (message * 8) + (byte % 8))).op('v128.and').memory('v128.store', message * 32 + lane * 8);
        }
      }
      code.get(source).i32(2 * messageLanes * 8).op('i32.add').set(source);
      code.get(target).i32(64).op('i32.add').set(target);
      code.get(messages).i32(2).op('i32.sub').tee(messages).branchIf(next);
    });
  });
}

/** Two padded messages become the state; `mask` is all ones in the half of each message that is not zero. */
function emitAbsorb(code: FunctionBuilder, messageLanes: number, { source, state, mask }: { readonly source: Local; readonly state: readonly Local[]; readonly mask: Local }): void {
  for (let lane = 0; lane < messageLanes; lane += 2) {
    for (const [half, halves] of [LOW_HALVES, HIGH_HALVES].entries()) {
      code.get(source).memory('v128.load', lane * 8).get(source).memory('v128.load', (messageLanes + lane) * 8);
      code.shuffle(halves).set(state[lane + half]!);
    }
  }
  code.get(state[0]!);
  for (let lane = 1; lane < messageLanes; lane += 1) code.get(state[lane]!).op('v128.or');
  code.i64(0).op('i64x2.splat').op('i64x2.ne').set(mask);
  for (let lane = messageLanes; lane < LANES; lane += 1) {
    const padding = lane === messageLanes ? 1n : lane === LAST_RATE_LANE ? 1n << 63n : 0n;
    code.i64(padding).op('i64x2.splat').set(state[lane]!);
  }
}

/**
 * One round of Keccak-f[1600] (FIPS 202, 3.2) on two states, from `state` to `next`. Row by row, so that few values are
 * live at a time; `columns`, `parities` and `row` are scratch.
 */
function emitRound(code: FunctionBuilder, { state, next, columns, parities, row }: Registers, round: Local, constants: number): void {
  for (let x = 0; x < 5; x += 1) {
    code.get(state[x]!);
    for (let y = 1; y < 5; y += 1) code.get(state[x + 5 * y]!).op('v128.xor');
    code.set(columns[x]!);
  }
  for (let x = 0; x < 5; x += 1) {
    emitRotation(code, columns[(x + 1) % 5]!, 1);
    code.get(columns[(x + 4) % 5]!).op('v128.xor').set(parities[x]!);
  }
  for (let y = 0; y < 5; y += 1) {
    for (let x = 0; x < 5; x += 1) {
      // The lane that moves to (x, y): the inverse of (x, y) → (y, 2x + 3y).
      const fromX = (x + 3 * y) % 5;
      const from = fromX + 5 * x;
      code.get(state[from]!).get(parities[fromX]!).op('v128.xor').set(row[x]!);
      emitRotation(code, row[x]!, ROTATIONS[from]!);
      code.set(row[x]!);
    }
    for (let x = 0; x < 5; x += 1) {
      code.get(row[(x + 2) % 5]!).get(row[(x + 1) % 5]!).op('v128.andnot').get(row[x]!).op('v128.xor');
      if (x === 0 && y === 0) code.get(round).memory('v128.load64_splat', constants).op('v128.xor');
      code.set(next[x + 5 * y]!);
    }
  }
}

/** Leaves `value` rotated to the left. Whole bytes move with one shuffle instead of three instructions. */
function emitRotation(code: FunctionBuilder, value: Local, distance: number): void {
  if (distance === 0) code.get(value);
  else if (distance % 8 === 0) code.get(value).get(value).shuffle(LOW_HALVES.map((_, byte) => (byte & 8) + ((byte + 8 - distance / 8) % 8)));
  else code.get(value).i32(distance).op('i64x2.shl').get(value).i32(64 - distance).op('i64x2.shr_u').op('v128.or');
}
