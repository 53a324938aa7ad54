import { concat, keccak256, pad, slice, stringToBytes, toHex } from 'viem';
import type { Hex } from 'viem';
import { describe, expect, test } from 'vitest';
import { decodeState, encodeState, failedState, finishedState, hashState, initialState, machineContext, MalformedStateError, Status, STATE_WORDS } from './state.ts';
import type { MachineState } from './state.ts';
import { edgeNumber, edgeValue, edgeWord, Random } from './testing/random.ts';

const bytes = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const word = (value: bigint): Hex => toHex(value, { size: 32 });

const state: MachineState = {
  context: bytes(0xc0), slotsRoot: bytes(0xa0),
  slot: 0x01020304, word: 0x05060708, pc: 0x090a, counters: [0x11111111, 0x22222222, 0x33333333, 0x44444444], status: Status.RUNNING,
  scalars: [1n, -1n, 2n, -2n, ...Array.from({ length: 11 }, () => 0n), -(2n ** 63n)],
  vectors: [bytes(1), bytes(2), bytes(3), bytes(4)],
};

describe('state', () => {
  test('is encoded as the page says', () => {
    expect(toHex(encodeState(state))).toBe(concat([
      `0x${'c0'.repeat(32)}`, `0x${'a0'.repeat(32)}`,
      '0x00000000000044444444333333332222222211111111090a0506070801020304',
      '0x0000000000000001ffffffffffffffff0000000000000002fffffffffffffffe',
      word(0n), word(0n), '0x0000000000000000000000000000000000000000000000008000000000000000',
      `0x${'01'.repeat(32)}`, `0x${'02'.repeat(32)}`, `0x${'03'.repeat(32)}`, `0x${'04'.repeat(32)}`,
    ]));
    expect(toHex(hashState(state))).toBe(pad(slice(keccak256(encodeState(state)), 1), { size: 32 }));
  });

  test('the ends, and the beginning', () => {
    const [context, root] = [bytes(7), bytes(8)];
    const zeros = (words: number): Hex => pad('0x', { size: 32 * words });
    expect(toHex(encodeState(initialState(context)))).toBe(concat([toHex(context), zeros(10)]));
    expect(toHex(encodeState(finishedState(context, root)))).toBe(concat([toHex(context), toHex(root), word(1n << 208n), zeros(8)]));
    expect(toHex(encodeState(failedState(context)))).toBe(concat([toHex(context), word(0n), word(2n << 208n), zeros(8)]));
  });

  test('the context binds version, model, input and seed', () => {
    const parts = [keccak256(stringToBytes('assay.machine.v1')), toHex(bytes(1)), toHex(bytes(2)), toHex(bytes(3))] as const;
    expect(toHex(machineContext(bytes(1), bytes(2), bytes(3)))).toBe(keccak256(concat([...parts])));
  });

  test('decoding is the inverse', () => {
    const random = new Random(5);
    for (let round = 0; round < 300; round += 1) {
      const drawn: MachineState = {
        context: edgeWord(random), slotsRoot: edgeWord(random),
        slot: edgeNumber(random, 32), word: edgeNumber(random, 32), pc: edgeNumber(random, 16),
        counters: Array.from({ length: 4 }, () => edgeNumber(random, 32)), status: random.pick(Object.values(Status)),
        scalars: Array.from({ length: 16 }, () => edgeValue(random)), vectors: Array.from({ length: 4 }, () => edgeWord(random)),
      };
      expect(decodeState(encodeState(drawn))).toEqual(drawn);
    }
  });

  test('other bytes are not a state', () => {
    const encoded = encodeState(state);
    expect(() => decodeState(encoded.subarray(1))).toThrow(MalformedStateError);
    expect(() => decodeState(new Uint8Array(STATE_WORDS * 32 + 32))).toThrow('it has 352 bytes, not 384');
    for (let byte = 64; byte < 69; byte += 1) expect(() => decodeState(encoded.with(byte, 1))).toThrow('unused bits');
    for (const status of [3, 128, 255]) expect(() => decodeState(encoded.with(69, status))).toThrow(`its status is ${status}`);
  });
});
