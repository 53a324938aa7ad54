import { ModuleBuilder } from '../wasm/assembler.ts';
import type { FunctionBuilder, Local } from '../wasm/assembler.ts';
import { LANES, ROTATIONS, ROUND_TABLE_BYTES, roundTable } from './keccak-module.ts';

/** Lanes of a block of Keccak-256, and its bytes. */
const BLOCK_LANES = 17;
export const BLOCK_BYTES = BLOCK_LANES * 8;
/** Bytes of a state in memory. */
export const STATE_BYTES = LANES * 8;

interface Registers { readonly state: readonly Local[]; readonly next: readonly Local[]; readonly columns: readonly Local[]; readonly parities: readonly Local[]; readonly row: readonly Local[] }

/**
 * A module that hashes one long message. It exports `memory` and `absorb(state, source, blocks)`, which takes `blocks` (at least 1) times 136 bytes at
 * `source` into the 200 bytes of the state. The caller has the first `pages` pages of the memory. One message offers nothing to compute side by side, so
 * lanes are i64 here, which can be rotated in one instruction.
 */
export function keccakAbsorbModule(pages: number): Uint8Array {
  const module = new ModuleBuilder();
  const constants = pages * 65536;
  module.memory({ minimum: pages + 1 }, 'memory');
  module.data(constants, roundTable());
  module.function({ export: 'absorb', parameters: ['i32', 'i32', 'i32'] }, (code, [stateAddress, source, blocks]) => {
    const locals = (count: number): Local[] => Array.from({ length: count }, () => code.local('i64'));
    const [state, next, columns, parities, row] = [locals(LANES), locals(LANES), locals(5), locals(5), locals(5)];
    const round = code.local('i32');
    state.forEach((lane, index) => code.get(stateAddress).memory('i64.load', index * 8).set(lane));
    code.loop((nextBlock) => {
      state.slice(0, BLOCK_LANES).forEach((lane, index) => code.get(lane).get(source).memory('i64.load', index * 8).op('i64.xor').set(lane));
      code.i32(0).set(round);
      code.loop((again) => {
        emitRound(code, { state, next, columns, parities, row }, round, constants);
        emitRound(code, { state: next, next: state, columns, parities, row }, round, constants + 8);
        code.get(round).i32(16).op('i32.add').tee(round).i32(ROUND_TABLE_BYTES).op('i32.lt_u').branchIf(again);
      });
      code.get(source).i32(BLOCK_BYTES).op('i32.add').set(source);
      code.get(blocks).i32(1).op('i32.sub').tee(blocks).branchIf(nextBlock);
    });
    state.forEach((lane, index) => code.get(stateAddress).get(lane).memory('i64.store', index * 8));
  });
  return module.encode();
}

/** One round of Keccak-f[1600] (FIPS 202, 3.2), from `state` to `next`; all else is scratch. */
function emitRound(code: FunctionBuilder, { state, next, columns, parities, row }: Registers, round: Local, constants: number): void {
  const lane = (list: readonly Local[], index: number): Local => list[index]!;
  for (let x = 0; x < 5; x += 1) {
    code.get(lane(state, x));
    for (let y = 1; y < 5; y += 1) code.get(lane(state, x + 5 * y)).op('i64.xor');
    code.set(lane(columns, x));
  }
  for (let x = 0; x < 5; x += 1) code.get(lane(columns, (x + 1) % 5)).i64(1).op('i64.rotl').get(lane(columns, (x + 4) % 5)).op('i64.xor').set(lane(parities, x));
  for (let y = 0; y < 5; y += 1) {
    for (let x = 0; x < 5; x += 1) {
      // The lane that moves to (x, y): the inverse of (x, y) → (y, 2x + 3y).
      const fromX = (x + 3 * y) % 5;
      const from = fromX + 5 * x;
      code.get(lane(state, from)).get(lane(parities, fromX)).op('i64.xor').i64(ROTATIONS[from]!).op('i64.rotl').set(lane(row, x));
    }
    for (let x = 0; x < 5; x += 1) {
      code.get(lane(row, (x + 1) % 5)).i64(-1).op('i64.xor').get(lane(row, (x + 2) % 5)).op('i64.and').get(lane(row, x)).op('i64.xor');
      if (x === 0 && y === 0) code.get(round).memory('i64.load', constants).op('i64.xor');
      code.set(lane(next, x + 5 * y));
    }
  }
}
