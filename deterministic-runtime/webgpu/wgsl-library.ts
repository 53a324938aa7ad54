/**
 * WGSL functions that generated shaders call. A 64-bit integer is `vec2<u32>(low, high)`. Everything here is defined for
 * every operand: WGSL leaves division by zero, `MIN / -1` and the remainder of negative numbers to the driver, and rejects
 * constant shifts by the width or more, so all of them go through functions, whose arguments are never constant.
 */
interface LibraryFunction {
  readonly code: string;
  readonly needs?: readonly string[];
}

const LIBRARY: Readonly<Record<string, LibraryFunction>> = {
  i32_identity: { code: 'fn i32_identity(a: i32) -> i32 { return a; }' },
  i32_div: {
    code: `fn i32_div(a: i32, b: i32) -> i32 {
  if (b == 0i) { return 0i; }
  if (b == -1i) { return 0i - a; }
  return a / b;
}`,
  },
  i32_mod: {
    code: `fn i32_mod(a: i32, b: i32) -> i32 {
  if ((b == 0i) || (b == -1i)) { return 0i; }
  return a - (a / b) * b;
}`,
  },
  i32_shl: { code: 'fn i32_shl(a: i32, b: i32) -> i32 { return a << (u32(b) & 31u); }' },
  i32_shr: { code: 'fn i32_shr(a: i32, b: i32) -> i32 { return a >> (u32(b) & 31u); }' },
  i32_shru: { code: 'fn i32_shru(a: i32, b: i32) -> i32 { return i32(u32(a) >> (u32(b) & 31u)); }' },

  // The sign fills the high half.
  i64_from_i32: { code: 'fn i64_from_i32(a: i32) -> vec2<u32> { return vec2<u32>(u32(a), u32(a >> 31u)); }' },
  i64_add: {
    code: `fn i64_add(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let low = a.x + b.x;
  return vec2<u32>(low, a.y + b.y + select(0u, 1u, low < a.x));
}`,
  },
  i64_sub: {
    code: `fn i64_sub(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  return vec2<u32>(a.x - b.x, a.y - b.y - select(0u, 1u, a.x < b.x));
}`,
  },
  // 32 × 32 → 64 bits from four products of 16-bit halves; the middle sum stays below 2^32.
  u32_mul_wide: {
    code: `fn u32_mul_wide(a: u32, b: u32) -> vec2<u32> {
  let a0 = a & 0xffffu; let a1 = a >> 16u;
  let b0 = b & 0xffffu; let b1 = b >> 16u;
  let low = a0 * b0;
  let cross = a1 * b0 + (low >> 16u);
  let middle = a0 * b1 + (cross & 0xffffu);
  return vec2<u32>((middle << 16u) | (low & 0xffffu), a1 * b1 + (cross >> 16u) + (middle >> 16u));
}`,
  },
  // The unsigned product counts a negative factor as 2^32 more than it is: take that off the high half.
  i32_mul_wide: {
    code: `fn i32_mul_wide(a: i32, b: i32) -> vec2<u32> {
  let product = u32_mul_wide(u32(a), u32(b));
  return vec2<u32>(product.x, product.y - select(0u, u32(b), a < 0i) - select(0u, u32(a), b < 0i));
}`,
    needs: ['u32_mul_wide'],
  },
  i64_mul: {
    code: `fn i64_mul(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let low = u32_mul_wide(a.x, b.x);
  return vec2<u32>(low.x, low.y + a.x * b.y + a.y * b.x);
}`,
    needs: ['u32_mul_wide'],
  },
  i64_shl: {
    code: `fn i64_shl(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let s = b.x & 63u;
  if (s == 0u) { return a; }
  if (s < 32u) { return vec2<u32>(a.x << s, (a.y << s) | (a.x >> (32u - s))); }
  return vec2<u32>(0u, a.x << (s - 32u));
}`,
  },
  i64_shr: {
    code: `fn i64_shr(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let s = b.x & 63u;
  if (s == 0u) { return a; }
  if (s < 32u) { return vec2<u32>((a.x >> s) | (a.y << (32u - s)), u32(i32(a.y) >> s)); }
  return vec2<u32>(u32(i32(a.y) >> (s - 32u)), u32(i32(a.y) >> 31u));
}`,
  },
  i64_shru: {
    code: `fn i64_shru(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  let s = b.x & 63u;
  if (s == 0u) { return a; }
  if (s < 32u) { return vec2<u32>((a.x >> s) | (a.y << (32u - s)), a.y >> s); }
  return vec2<u32>(a.y >> (s - 32u), 0u);
}`,
  },
  u64_lt: {
    code: `fn u64_lt(a: vec2<u32>, b: vec2<u32>) -> bool {
  return (a.y < b.y) || ((a.y == b.y) && (a.x < b.x));
}`,
  },
  i64_lt: {
    code: `fn i64_lt(a: vec2<u32>, b: vec2<u32>) -> bool {
  return (i32(a.y) < i32(b.y)) || ((a.y == b.y) && (a.x < b.x));
}`,
  },
  i64_eq: { code: 'fn i64_eq(a: vec2<u32>, b: vec2<u32>) -> bool { return (a.x == b.x) && (a.y == b.y); }' },
  i64_min: {
    code: `fn i64_min(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  if (i64_lt(a, b)) { return a; }
  return b;
}`,
    needs: ['i64_lt'],
  },
  i64_max: {
    code: `fn i64_max(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  if (i64_lt(a, b)) { return b; }
  return a;
}`,
    needs: ['i64_lt'],
  },
  // Long division, a bit at a time: (quotient.xy, remainder.zw). The remainder before the shift is below the divisor, so
  // the bit that the shift drops says that the shifted remainder is at least 2^64, hence above the divisor.
  u64_divide: {
    code: `fn u64_divide(dividend: vec2<u32>, divisor: vec2<u32>) -> vec4<u32> {
  var quotient = dividend;
  var remainder = vec2<u32>(0u, 0u);
  for (var bit = 0u; bit < 64u; bit = bit + 1u) {
    let dropped = remainder.y >> 31u;
    remainder = vec2<u32>((remainder.x << 1u) | (quotient.y >> 31u), (remainder.y << 1u) | (remainder.x >> 31u));
    quotient = vec2<u32>(quotient.x << 1u, (quotient.y << 1u) | (quotient.x >> 31u));
    if ((dropped == 1u) || !u64_lt(remainder, divisor)) {
      remainder = i64_sub(remainder, divisor);
      quotient = vec2<u32>(quotient.x | 1u, quotient.y);
    }
  }
  return vec4<u32>(quotient, remainder);
}`,
    needs: ['u64_lt', 'i64_sub'],
  },
  // Magnitude as an unsigned number; that of the least integer is 2^63.
  i64_magnitude: {
    code: `fn i64_magnitude(a: vec2<u32>) -> vec2<u32> {
  if (i32(a.y) < 0i) { return i64_sub(vec2<u32>(0u, 0u), a); }
  return a;
}`,
    needs: ['i64_sub'],
  },
  i64_div: {
    code: `fn i64_div(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  if ((b.x | b.y) == 0u) { return vec2<u32>(0u, 0u); }
  let quotient = u64_divide(i64_magnitude(a), i64_magnitude(b)).xy;
  if (i32(a.y ^ b.y) < 0i) { return i64_sub(vec2<u32>(0u, 0u), quotient); }
  return quotient;
}`,
    needs: ['u64_divide', 'i64_magnitude', 'i64_sub'],
  },
  i64_mod: {
    code: `fn i64_mod(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
  if ((b.x | b.y) == 0u) { return vec2<u32>(0u, 0u); }
  let remainder = u64_divide(i64_magnitude(a), i64_magnitude(b)).zw;
  if (i32(a.y) < 0i) { return i64_sub(vec2<u32>(0u, 0u), remainder); }
  return remainder;
}`,
    needs: ['u64_divide', 'i64_magnitude', 'i64_sub'],
  },
  // A 64-bit value that is the sign extension of its low half fits; anything else saturates towards its sign.
  requantize: {
    code: `fn requantize(accumulator: i32, multiplier: i32, shift: i32) -> i32 {
  let s = vec2<u32>(u32(shift) & 63u, 0u);
  let half = select(i64_shl(vec2<u32>(1u, 0u), i64_sub(s, vec2<u32>(1u, 0u))), vec2<u32>(0u, 0u), s.x == 0u);
  let value = i64_shr(i64_add(i32_mul_wide(accumulator, multiplier), half), s);
  if (value.y == u32(i32(value.x) >> 31u)) { return i32(value.x); }
  return select(0x7fffffffi, -0x7fffffffi - 1i, i32(value.y) < 0i);
}`,
    needs: ['i64_shl', 'i64_shr', 'i64_add', 'i64_sub', 'i32_mul_wide'],
  },
  dot4_unpacked: {
    code: `fn dot4_unpacked(a: u32, b: u32) -> i32 {
  let x = i32(a);
  let y = i32(b);
  return extractBits(x, 0u, 8u) * extractBits(y, 0u, 8u) + extractBits(x, 8u, 8u) * extractBits(y, 8u, 8u)
    + extractBits(x, 16u, 8u) * extractBits(y, 16u, 8u) + extractBits(x, 24u, 8u) * extractBits(y, 24u, 8u);
}`,
  },
  dot4_packed: { code: 'fn dot4_packed(a: u32, b: u32) -> i32 { return dot4I8Packed(a, b); }' },
};

/** The WGSL of the named functions and of all that they call, each once, callees first. @throws RangeError on an unknown name. */
export function libraryCode(names: Iterable<string>): string {
  const included = new Map<string, string>();
  const include = (name: string): void => {
    if (included.has(name)) return;
    const entry = LIBRARY[name];
    if (entry === undefined) throw new RangeError(`the WGSL library has no function ${name}`);
    entry.needs?.forEach(include);
    included.set(name, entry.code);
  };
  for (const name of names) include(name);
  return [...included.values()].join('\n');
}
