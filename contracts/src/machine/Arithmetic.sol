// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title Scalar arithmetic
/// @notice Values are 64-bit signed integers, sign-extended to 256 bits; so is every result.
library Arithmetic {
    /// @notice First and last opcode of the 32-bit arithmetic. The 64-bit forms are 0x20 higher.
    uint256 internal constant ADD = 0x01;
    uint256 internal constant MAD = 0x11;
    uint256 internal constant WIDE = 0x20;

    int256 private constant INT32_MIN = type(int32).min;
    int256 private constant INT32_MAX = type(int32).max;

    /// @notice Whether `op` is one of ADD to MAD, in either width.
    function isArithmetic(uint256 op) internal pure returns (bool) {
        uint256 operation = op >= WIDE ? op - WIDE : op;
        return operation >= ADD && operation <= MAD;
    }

    /// @notice The result of an arithmetic opcode: operands cut to its width, the result wrapped to it.
    /// @dev Nothing overflows 256 bits: products of two 64-bit values have 127 bits, shifted values at most 127.
    function evaluate(uint256 op, int256 a, int256 b, int256 c) internal pure returns (int256 result) {
        assembly ("memory-safe") {
            // The highest byte of the width, as signextend takes it: 3 for 32 bits, 7 for 64.
            let high := add(3, shl(2, gt(op, 0x1f)))
            // Bits of the width, less one: the mask of shift amounts.
            let bits := add(shl(3, high), 7)
            a := signextend(high, a)
            b := signextend(high, b)
            c := signextend(high, c)
            switch and(op, 0x1f)
            case 0x01 { result := add(a, b) }
            case 0x02 { result := sub(a, b) }
            case 0x03 { result := mul(a, b) }
            // The EVM's division and remainder truncate towards zero and give 0 for a divisor of 0, too.
            case 0x04 { result := sdiv(a, b) }
            case 0x05 { result := smod(a, b) }
            case 0x06 { result := shl(and(b, bits), a) }
            case 0x07 { result := sar(and(b, bits), a) }
            // Bits above the width are cut off before the shift.
            case 0x08 { result := shr(and(b, bits), and(a, shr(sub(255, bits), not(0)))) }
            case 0x09 { result := and(a, b) }
            case 0x0a { result := or(a, b) }
            case 0x0b { result := xor(a, b) }
            case 0x0c { result := xor(b, mul(xor(a, b), slt(a, b))) }
            case 0x0d { result := xor(a, mul(xor(a, b), slt(a, b))) }
            case 0x0e { result := slt(a, b) }
            case 0x0f { result := iszero(sgt(a, b)) }
            case 0x10 { result := eq(a, b) }
            default { result := add(mul(a, b), c) }
            result := signextend(high, result)
        }
    }

    /// @notice `saturate32((a32 · b32 + (s > 0 ? 2^(s-1) : 0)) >> s)` with `s = c mod 64`, the sum wrapping modulo 2^64.
    function requantize(int256 a, int256 b, int256 c) internal pure returns (int256 result) {
        assembly ("memory-safe") {
            let shift := and(c, 63)
            // 2^shift / 2: 0 for a shift of 0.
            let half := shr(1, shl(shift, 1))
            let sum := signextend(7, add(mul(signextend(3, a), signextend(3, b)), half))
            result := sar(shift, sum)
        }
        if (result < INT32_MIN) return INT32_MIN;
        if (result > INT32_MAX) return INT32_MAX;
    }
}
