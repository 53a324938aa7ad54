import { concat, hexToBytes, keccak256, stringToBytes, toHex } from 'viem';
import type { Hex } from 'viem';
import type { MachineState } from '../state.ts';
import type { GoldenStep } from './golden.ts';
import type { Scenario } from './scenario.ts';

const ZERO: Hex = `0x${'00'.repeat(32)}`;
const TENSOR_TAG = keccak256(stringToBytes('assay.tensor.v1'));

/** A path's root by the definition, with nothing of the machine's own code. */
function fold(leaf: Hex, index: number, path: readonly Uint8Array[]): Hex {
  let [node, position] = [leaf, index];
  for (const sibling of path.map((word) => toHex(word))) {
    const pair = position % 2 === 1 ? [sibling, node] as const : [node, sibling] as const;
    node = pair[0] === ZERO && pair[1] === ZERO ? ZERO : keccak256(concat([...pair]));
    position = Math.floor(position / 2);
  }
  return node;
}

/** The state that a golden step must lead to. */
export function expectedState({ parts, expected }: GoldenStep, { state, environment }: Scenario): MachineState {
  const { scalar, vector, cleared, slots, ...fields } = expected;
  const zeros: Partial<MachineState> = {
    counters: [0, 0, 0, 0], scalars: new Array<bigint>(16).fill(0n), vectors: new Array<Uint8Array>(4).fill(new Uint8Array(32)),
  };
  return {
    ...state,
    ...(cleared === true ? zeros : {}),
    ...(scalar === undefined ? {} : { scalars: state.scalars.map((value, register) => (register === scalar[0] ? scalar[1] : value)) }),
    ...(vector === undefined ? {} : { vectors: state.vectors.map((value, register) => (register === vector[0] ? vector[1] : value)) }),
    ...fields,
    slotsRoot: slots === undefined ? state.slotsRoot : slots === 'zero' ? new Uint8Array(32) : hexToBytes(rootWithStored(slots.stored)),
  };

  function rootWithStored(word: Uint8Array): Hex {
    const { rows, columns, elementBytes } = parts.descriptor;
    const wordCount = rows * Math.ceil(columns / (elementBytes === 4 ? 8 : 32));
    const root = fold(toHex(word), state.word, environment.partialTensor(state.slot, state.word, wordCount).path);
    const commitment = keccak256(concat([TENSOR_TAG, root, toHex(wordCount, { size: 32 })]));
    return fold(commitment, state.slot, environment.slotPath(state.slot));
  }
}
