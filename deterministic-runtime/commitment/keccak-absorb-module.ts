import { ModuleBuilder } from '../wasm/assembler.ts';
import type { FunctionBuilder, Local } from '../wasm/assembler.ts';
import { LANES, ROTATIONS, ROUND_TABLE_BYTES, roundRegisters, roundTable } from './keccak-rounds.ts';
import type { RoundRegisters } from './keccak-rounds.ts';

/** Lanes of a block of Keccak-256, and its bytes. */
const BLOCK_LANES = 17;
export const BLOCK_BYTES = BLOCK_LANES * 8;
/** Bytes of a state in memory. */
export const STATE_BYTES = LANES * 8;

/** Behind the caller's pages: the rounds' constants, and two places for the state, which rounds read and write in turn. */
const CONSTANTS = 0;
const FIRST_STATE = 256;
const SECOND_STATE = FIRST_STATE + STATE_BYTES;

/**
 * A module that hashes one long message. It exports `memory` and `absorb(state, source, blocks)`, which takes `blocks` (at least 1) times 136 bytes at
 * `source` into the 200 bytes of the state. The caller has the first `pages` pages of the memory. One message offers nothing to compute side by side, so
 * lanes are i64 here, which can be rotated in one instruction. As in `keccakModule`, the state lies in memory, since processors have no registers for it.
 */
export function keccakAbsorbModule(pages: number): Uint8Array {
  const module = new ModuleBuilder();
  const address = pages * 65536;
  module.memory({ minimum: pages + 1 }, 'memory');
  module.data(address + CONSTANTS, roundTable());
  module.function({ export: 'absorb', parameters: ['i32', 'i32', 'i32'] }, (code, [state, source, blocks]) => {
    const registers = roundRegisters(code, 'i64');
    const { base, constant } = registers;
    code.i32(address).set(base);
    for (let lane = 0; lane < LANES; lane += 1) code.get(base).get(state).memory('i64.load', lane * 8).memory('i64.store', FIRST_STATE + lane * 8);
    code.loop((nextBlock) => {
      for (let lane = 0; lane < BLOCK_LANES; lane += 1) {
        code.get(base).get(base).memory('i64.load', FIRST_STATE + lane * 8).get(source).memory('i64.load', lane * 8).op('i64.xor').memory('i64.store', FIRST_STATE + lane * 8);
      }
      emitColumns(code, registers);
      code.get(base).set(constant);
      code.loop((again) => {
        emitRound(code, registers, { from: FIRST_STATE, to: SECOND_STATE, constants: CONSTANTS });
        emitRound(code, registers, { from: SECOND_STATE, to: FIRST_STATE, constants: CONSTANTS + 8 });
        code.get(constant).i32(16).op('i32.add').tee(constant).i32(address + ROUND_TABLE_BYTES).op('i32.lt_u').branchIf(again);
      });
      code.get(source).i32(BLOCK_BYTES).op('i32.add').set(source);
      code.get(blocks).i32(1).op('i32.sub').tee(blocks).branchIf(nextBlock);
    });
    for (let lane = 0; lane < LANES; lane += 1) code.get(state).get(base).memory('i64.load', FIRST_STATE + lane * 8).memory('i64.store', lane * 8);
  });
  return module.encode();
}

/** The columns' sums of the first state. */
function emitColumns(code: FunctionBuilder, { columns, base }: RoundRegisters): void {
  columns.forEach((column, x) => {
    code.get(base).memory('i64.load', FIRST_STATE + x * 8);
    for (let y = 1; y < 5; y += 1) code.get(base).memory('i64.load', FIRST_STATE + (x + 5 * y) * 8).op('i64.xor');
    code.set(column);
  });
}

/** One round: where its states lie, and its constant (from `RoundRegisters.constant` on). */
interface Round { readonly from: number; readonly to: number; readonly constants: number }

/** One round of Keccak-f[1600] (FIPS 202, 3.2). `columns` holds the state's columns' sums, and then those of the result. */
function emitRound(code: FunctionBuilder, { columns, parities, row, lane, base, constant }: RoundRegisters, { from, to, constants }: Round): void {
  const at = (list: readonly Local[], index: number): Local => list[index % 5]!;
  parities.forEach((parity, x) => code.get(at(columns, x + 1)).i64(1).op('i64.rotl').get(at(columns, x + 4)).op('i64.xor').set(parity));
  for (let y = 0; y < 5; y += 1) {
    for (let x = 0; x < 5; x += 1) {
      // The lane that moves to (x, y): the inverse of (x, y) → (y, 2x + 3y).
      const fromX = (x + 3 * y) % 5;
      const source = fromX + 5 * x;
      code.get(base).memory('i64.load', from + source * 8).get(at(parities, fromX)).op('i64.xor').i64(ROTATIONS[source]!).op('i64.rotl').set(at(row, x));
    }
    for (let x = 0; x < 5; x += 1) {
      code.get(base).get(at(row, x + 1)).i64(-1).op('i64.xor').get(at(row, x + 2)).op('i64.and').get(at(row, x)).op('i64.xor');
      if (x === 0 && y === 0) code.get(constant).memory('i64.load', constants).op('i64.xor');
      code.tee(lane).memory('i64.store', to + (x + 5 * y) * 8).get(lane);
      if (y > 0) code.get(at(columns, x)).op('i64.xor');
      code.set(at(columns, x));
    }
  }
}
