import { ModuleBuilder } from '../deterministic-runtime/wasm/assembler.ts';
import type { Local } from '../deterministic-runtime/wasm/assembler.ts';

/** Rows and columns of a product come in multiples of these: one tile of the result fills eight vector registers. */
export const TILE_ROWS = 4;
export const TILE_COLUMNS = 8;

const FLOAT_BYTES = 4;
const VECTOR_BYTES = 16;

/** A matrix in a memory: where its first element is, and how many floats its rows and columns are apart. */
export interface Matrix {
  readonly offset: number;
  readonly rowStride: number;
  /** 1 when absent; must be 1 for all but a product's left side. */
  readonly columnStride?: number;
}

/** The dimensions of a product: C [rows][columns] = A [rows][inner] · B [inner][columns]. */
export interface Dimensions { readonly rows: number; readonly columns: number; readonly inner: number }

/** `C = A · B`, or `C += A · B`. Offsets count floats of the memory. */
export type Multiply = (size: Dimensions, a: Matrix, b: Matrix, c: Matrix, accumulate?: boolean) => void;

type Product = (rows: number, columns: number, inner: number, a: number, aRow: number, aColumn: number, b: number, bRow: number, c: number, cRow: number, accumulate: number) => void;

/**
 * Makes the product of matrices of 32-bit floats, in SIMD WebAssembly: rows a multiple of 4, columns of 8, and at least one of each. Every element is
 * summed in the order of the inner index, by separate multiplications and additions: the bits are the same on all machines.
 */
export function createMultiply(memory: WebAssembly.Memory): Multiply {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(encodeProduct()), { env: { memory } });
  const product = exports['product'] as Product;
  return ({ rows, columns, inner }, a, b, c, accumulate = false) => {
    if (rows % TILE_ROWS !== 0 || columns % TILE_COLUMNS !== 0 || Math.min(rows, columns, inner) < 1) {
      throw new RangeError(`a product is of multiples of ${TILE_ROWS} rows and ${TILE_COLUMNS} columns, not ${rows} × ${columns} with ${inner} inside`);
    }
    const bytes = (floats: number): number => floats * FLOAT_BYTES;
    product(rows, columns, inner, bytes(a.offset), bytes(a.rowStride), bytes(a.columnStride ?? 1), bytes(b.offset), bytes(b.rowStride), bytes(c.offset), bytes(c.rowStride), accumulate ? 1 : 0);
  };
}

/** Three loops: tiles' rows, tiles' columns, the inner index. */
function encodeProduct(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', { minimum: 1 });
  const parameters = ['i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32', 'i32'] as const;
  module.function({ export: 'product', parameters }, (code, [rows, columns, inner, a, aRow, aColumn, b, bRow, c, cRow, accumulate]) => {
    const [column, step, right] = [code.local('i32'), code.local('i32'), code.local('i32')];
    const lefts = Array.from({ length: TILE_ROWS }, () => code.local('i32'));
    const outputs = Array.from({ length: TILE_ROWS }, () => code.local('i32'));
    const halves = [0, 1].map(() => code.local('v128'));
    const splat = code.local('v128');
    const sums = lefts.map(() => halves.map(() => code.local('v128')));
    const advance = (pointer: Local, by: Local): unknown => code.get(pointer).get(by).op('i32.add').set(pointer);
    const addresses = (pointers: readonly Local[], first: Local, stride: Local): void =>
      pointers.forEach((pointer, row) => {
        if (row === 0) code.get(first).set(pointer);
        else code.get(pointers[row - 1]!).get(stride).op('i32.add').set(pointer);
      });
    const eachSum = (visit: (sum: Local, row: number, half: number) => void): void => sums.forEach((pair, row) => pair.forEach((sum, half) => visit(sum, row, half)));

    code.loop((nextRows) => {
      addresses(outputs, c, cRow);
      code.i32(0).set(column);
      code.loop((nextColumns) => {
        addresses(lefts, a, aRow);
        code.get(b).get(column).i32(FLOAT_BYTES).op('i32.mul').op('i32.add').set(right);
        code.get(accumulate).if(
          () => eachSum((sum, row, half) => code.get(outputs[row]!).memory('v128.load', half * VECTOR_BYTES).set(sum)),
          () => eachSum((sum) => code.i32x4(0, 0, 0, 0).set(sum)),
        );
        code.get(inner).set(step);
        code.loop((nextStep) => {
          halves.forEach((vector, half) => code.get(right).memory('v128.load', half * VECTOR_BYTES).set(vector));
          lefts.forEach((left, row) => {
            code.get(left).memory('v128.load32_splat').set(splat);
            halves.forEach((vector, half) => code.get(sums[row]![half]!).get(splat).get(vector).op('f32x4.mul').op('f32x4.add').set(sums[row]![half]!));
            advance(left, aColumn);
          });
          advance(right, bRow);
          code.get(step).i32(1).op('i32.sub').tee(step).branchIf(nextStep);
        });
        eachSum((sum, row, half) => code.get(outputs[row]!).get(sum).memory('v128.store', half * VECTOR_BYTES));
        for (const output of outputs) code.get(output).i32(TILE_COLUMNS * FLOAT_BYTES).op('i32.add').set(output);
        code.get(column).i32(TILE_COLUMNS).op('i32.add').tee(column).get(columns).op('i32.lt_s').branchIf(nextColumns);
      });
      for (let row = 0; row < TILE_ROWS; row += 1) {
        advance(a, aRow);
        advance(c, cRow);
      }
      code.get(rows).i32(TILE_ROWS).op('i32.sub').tee(rows).branchIf(nextRows);
    });
  });
  return module.encode();
}
