import type { Emitter } from './emitter.ts';
import { maskedSide, powerOfTwo, shiftsByLane, wideProduct, worksByLane } from './forms.ts';
import type { Form } from './forms.ts';
import type { FunctionBuilder, Local } from './function-builder.ts';
import { isBoolean, isComparison, variesWith } from './graph.ts';
import type { BinaryNode, Node, RequantizeNode } from './graph.ts';
import { pushBinary, pushRounding, pushSaturated } from './scalar-operators.ts';
import { EVEN_LANES, ODD_LANES, pushI32x4, pushI64x2, pushPowerOfTwoDivision } from './vector-operators.ts';

/** Pushes a value as one number, from what it demands. */
export function pushScalar(emitter: Emitter, node: Node, row: number): void {
  const { code } = emitter;
  const push = (operand: Node) => (): void => emitter.use(operand, 'scalar', row);
  switch (node.kind) {
    case 'binary':
      pushBinary(code, node.operator, node.left.type, push(node.left), push(node.right), node.right.kind === 'constant' ? node.right.value : undefined);
      return;
    case 'select':
      push(node.whenTrue)();
      push(node.whenFalse)();
      push(node.condition)();
      code.op('select');
      return;
    case 'convert':
      push(node.value)();
      code.op(node.type === 'i64' ? 'i64.extend_i32_s' : 'i32.wrap_i64');
      return;
    case 'requantize':
      push(node.accumulator)();
      code.op('i64.extend_i32_s');
      push(node.multiplier)();
      code.op('i64.extend_i32_s').op('i64.mul');
      pushRounding(code, push(node.shift));
      code.op('i64.add');
      push(node.shift)();
      code.op('i64.extend_i32_s');
      pushSaturated(code);
      return;
    case 'load':
      push(node.address)();
      code.memory(node.element === 'i8' ? 'i32.load8_s' : 'i32.load');
      return;
    default:
      throw new Error(`internal error: ${node.kind} has no scalar code of its own`);
  }
}

/** Pushes a value as a vector, mask or lane, from what it demands; see `Emitter.use` for the numbers. */
export function pushVector(emitter: Emitter, node: Node, form: Form, row: number, unit: number, part: number): void {
  if (form === 'lanes') pushLane(emitter, node, row, unit);
  else if (!variesWith(node, emitter.lane)) pushUniform(emitter, node, form, row);
  else if (form === 'mask') pushMask(emitter, node, row, unit);
  else if (isBoolean(node)) {
    emitter.use(node, 'mask', row, unit);
    emitter.code.op('i32x4.neg');
  } else {
    pushVarying(emitter, node, row, unit, part);
  }
}

function pushLane(emitter: Emitter, node: Node, row: number, lane: number): void {
  const vector = lane >> 2;
  if (node.type === 'i32') {
    emitter.use(node, 'vector', row, vector);
    emitter.code.lane('i32x4.extract_lane', lane & 3);
  } else {
    emitter.use(node, 'vector', row, vector, (lane & 3) >> 1);
    emitter.code.lane('i64x2.extract_lane', lane & 1);
  }
}

/** A value that is the same in all lanes. */
function pushUniform(emitter: Emitter, node: Node, form: Form, row: number): void {
  const { code } = emitter;
  if (form === 'mask') {
    code.i32(0);
    emitter.use(node, 'scalar', row);
    code.i32(0).op('i32.ne').op('i32.sub').op('i32x4.splat');
  } else if (node.kind === 'constant') {
    const lanes = node.type === 'i32' ? BigInt.asUintN(32, node.value) * 0x1_0000_0001n : BigInt.asUintN(64, node.value);
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, lanes, true);
    view.setBigUint64(8, lanes, true);
    code.v128(bytes);
  } else {
    emitter.use(node, 'scalar', row);
    code.op(node.type === 'i32' ? 'i32x4.splat' : 'i64x2.splat');
  }
}

function pushMask(emitter: Emitter, node: Node, row: number, unit: number): void {
  const { code } = emitter;
  if (node.kind !== 'binary' || !isBoolean(node)) {
    emitter.use(node, 'vector', row, unit);
    code.i32x4(0, 0, 0, 0).op('i32x4.ne');
    return;
  }
  const { operator, left, right } = node;
  if (!isComparison(operator)) {
    pushI32x4(code, operator, () => emitter.use(left, 'mask', row, unit), () => emitter.use(right, 'mask', row, unit));
  } else if (left.type === 'i32') {
    pushI32x4(code, operator, () => emitter.use(left, 'vector', row, unit), () => emitter.use(right, 'vector', row, unit));
  } else {
    for (const part of [0, 1]) pushI64x2(code, operator, () => emitter.use(left, 'vector', row, unit, part), () => emitter.use(right, 'vector', row, unit, part));
    code.shuffle(EVEN_LANES);
  }
}

/** A value that differs between lanes. */
function pushVarying(emitter: Emitter, node: Node, row: number, unit: number, part: number): void {
  const { code } = emitter;
  const push = (operand: Node) => (): void => emitter.use(operand, 'vector', row, unit, part);
  switch (node.kind) {
    case 'variable':
      emitter.use(node, 'scalar');
      code.op('i32x4.splat').i32x4(4 * unit, 4 * unit + 1, 4 * unit + 2, 4 * unit + 3).op('i32x4.add');
      return;
    case 'select':
      push(node.whenTrue)();
      push(node.whenFalse)();
      emitter.use(node.condition, 'mask', row, unit);
      if (node.type === 'i64') code.op(part === 0 ? 'i64x2.extend_low_i32x4_s' : 'i64x2.extend_high_i32x4_s');
      code.op('v128.bitselect');
      return;
    case 'convert':
      if (node.type === 'i64') {
        emitter.use(node.value, 'vector', row, unit);
        code.op(part === 0 ? 'i64x2.extend_low_i32x4_s' : 'i64x2.extend_high_i32x4_s');
      } else {
        emitter.use(node.value, 'vector', row, unit, 0);
        emitter.use(node.value, 'vector', row, unit, 1);
        code.shuffle(EVEN_LANES);
      }
      return;
    case 'binary':
      pushBinaryVector(emitter, node, row, unit, part);
      return;
    case 'requantize':
      pushRequantized(emitter, node, row, unit);
      return;
    default:
      throw new Error(`internal error: ${node.kind} has no vector code of its own`);
  }
}

function pushBinaryVector(emitter: Emitter, node: BinaryNode, row: number, unit: number, part: number): void {
  const { code } = emitter;
  const { left, right } = node;
  const push = (operand: Node) => (): void => emitter.use(operand, 'vector', row, unit, part);
  if (worksByLane(node, emitter.lane)) {
    const lanes = node.left.type === 'i32' ? 4 : 2;
    const divisor = right.kind === 'constant' ? right.value : undefined;
    pushLanes(emitter, node.type, lanes, (lane) => {
      const number = 4 * unit + lanes * part + lane;
      pushBinary(code, node.operator, left.type, () => emitter.use(left, 'lanes', row, number), () => emitter.use(right, 'lanes', row, number), divisor);
    });
    return;
  }
  const shift = node.operator === 'shl' || node.operator === 'shr' || node.operator === 'shru';
  const exponent = powerOfTwo(right);
  const wide = wideProduct(node);
  const masked = maskedSide(node);
  if (shift) {
    const amount = (): void => {
      emitter.use(right, 'scalar', row);
      if (right.type === 'i64') code.op('i32.wrap_i64');
    };
    if (node.type === 'i32') pushI32x4(code, node.operator, push(left), amount);
    else pushI64x2(code, node.operator, push(left), amount);
  } else if ((node.operator === 'div' || node.operator === 'mod') && exponent !== null) {
    pushPowerOfTwoDivision(code, node.operator, push(left), exponent);
  } else if (wide !== null) {
    for (const factor of wide) emitter.use(factor, 'vector', row, unit);
    code.op(part === 0 ? 'i64x2.extmul_low_i32x4_s' : 'i64x2.extmul_high_i32x4_s');
  } else if (masked !== null) {
    push(masked === 'left' ? right : left)();
    emitter.use(masked === 'left' ? left : right, 'mask', row, unit);
    code.op(node.operator === 'mul' ? 'v128.and' : node.operator === 'add' ? 'i32x4.sub' : 'i32x4.add');
  } else if (node.type === 'i32') {
    pushI32x4(code, node.operator, push(left), push(right));
  } else {
    pushI64x2(code, node.operator, push(left), push(right));
  }
}

function pushRequantized(emitter: Emitter, node: RequantizeNode, row: number, unit: number): void {
  const { code } = emitter;
  const products = [code.local('v128'), code.local('v128')] as const;
  products.forEach((product, part) => {
    emitter.use(node.accumulator, 'vector', row, unit);
    emitter.use(node.multiplier, 'vector', row, unit);
    code.op(part === 0 ? 'i64x2.extmul_low_i32x4_s' : 'i64x2.extmul_high_i32x4_s').set(product);
  });
  if (shiftsByLane(node, emitter.lane)) {
    pushLanes(emitter, 'i32', 4, (lane) => {
      const shift = (): void => emitter.use(node.shift, 'lanes', row, 4 * unit + lane);
      code.get(products[lane >> 1]!).lane('i64x2.extract_lane', lane & 1);
      pushRounding(code, shift);
      code.op('i64.add');
      shift();
      code.op('i64.extend_i32_s');
      pushSaturated(code);
    });
  } else {
    for (const product of products) {
      code.get(product);
      pushRounding(code, () => emitter.use(node.shift, 'scalar', row));
      code.op('i64x2.splat').op('i64x2.add');
      emitter.use(node.shift, 'scalar', row);
      code.op('i64x2.shr_s').set(product);
    }
    pushSaturatedHalves(code, products);
  }
  for (const product of products) code.release(product);
}

/** Pushes four i32 lanes: two vectors of i64, saturated. Lanes whose high half is not their low half's sign repeated do not fit. */
function pushSaturatedHalves(code: FunctionBuilder, [first, second]: readonly [Local, Local]): void {
  const [low, high] = [code.local('v128'), code.local('v128')];
  code.get(first).get(second).shuffle(EVEN_LANES).set(low);
  code.get(first).get(second).shuffle(ODD_LANES).set(high);
  code.get(low);
  code.get(high).i32(31).op('i32x4.shr_s').i32x4(0x7fffffff, 0x7fffffff, 0x7fffffff, 0x7fffffff).op('v128.xor');
  code.get(low).i32(31).op('i32x4.shr_s').get(high).op('i32x4.eq').op('v128.bitselect');
  code.release(low);
  code.release(high);
}

/** Pushes a vector of separately computed lanes. */
function pushLanes({ code }: Emitter, type: 'i32' | 'i64', lanes: number, push: (lane: number) => void): void {
  push(0);
  code.op(type === 'i32' ? 'i32x4.splat' : 'i64x2.splat');
  for (let lane = 1; lane < lanes; lane += 1) {
    push(lane);
    code.lane(type === 'i32' ? 'i32x4.replace_lane' : 'i64x2.replace_lane', lane);
  }
}
