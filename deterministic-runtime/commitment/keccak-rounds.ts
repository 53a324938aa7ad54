import type { FunctionBuilder, Local } from '../wasm/assembler.ts';

/** Lanes of the state, of 64 bits each. */
export const LANES = 25;
const ROUNDS = 24;
/** The rounds' constants, as bytes. */
export const ROUND_TABLE_BYTES = ROUNDS * 8;

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

/** What the code of a round works with. */
export interface RoundRegisters {
  readonly columns: readonly Local[];
  readonly parities: readonly Local[];
  readonly row: readonly Local[];
  readonly lane: Local;
  /** Address of what lies behind the caller's pages. */
  readonly base: Local;
  /** Address of the first round's constant in the loop's turn. */
  readonly constant: Local;
}

/** Locals for rounds on lanes of this type, behind those that the function has already. */
export function roundRegisters(code: FunctionBuilder, type: 'i64' | 'v128'): RoundRegisters {
  const lanes = (): Local[] => Array.from({ length: 5 }, () => code.local(type));
  return { base: code.local('i32'), constant: code.local('i32'), columns: lanes(), parities: lanes(), row: lanes(), lane: code.local(type) };
}
