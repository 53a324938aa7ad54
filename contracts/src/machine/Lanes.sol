// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title Lanes of a word
/// @notice A word is 32 signed bytes, byte 0 the most significant, or 8 little-endian signed 32-bit integers.
library Lanes {
    /// @dev The lowest byte of each 32-bit part of a word.
    uint256 private constant LOW_BYTES = 0x000000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff;
    /// @dev One in each 32-bit part: multiplying by it adds all parts up in the highest.
    uint256 private constant ONES = 0x0000000100000001000000010000000100000001000000010000000100000001;
    /// @dev Flips the sign bit of each byte: a signed byte v becomes the unsigned v + 128.
    uint256 private constant SIGN_BITS = 0x8080808080808080808080808080808080808080808080808080808080808080;
    /// @dev 32 · 128².
    uint256 private constant OFFSETS_PRODUCT = 524_288;

    /// @notice Byte lane `lane`, 0 to 31, sign-extended.
    function byteLane(bytes32 word, uint256 lane) internal pure returns (int256 value) {
        assembly ("memory-safe") {
            value := signextend(0, byte(lane, word))
        }
    }

    /// @notice 32-bit lane `lane`, 0 to 7, sign-extended.
    function int32Lane(bytes32 word, uint256 lane) internal pure returns (int256) {
        return int32(swapBytes(uint32(uint256(word) >> (224 - 32 * lane))));
    }

    /// @notice The word with byte lane `lane` replaced by the low eight bits of `value`.
    function withByteLane(bytes32 word, uint256 lane, int256 value) internal pure returns (bytes32) {
        uint256 shift = 248 - 8 * lane;
        return bytes32((uint256(word) & ~(0xff << shift)) | (uint256(uint8(uint256(value))) << shift));
    }

    /// @notice The word with 32-bit lane `lane` replaced by the low 32 bits of `value`.
    function withInt32Lane(bytes32 word, uint256 lane, int256 value) internal pure returns (bytes32) {
        uint256 shift = 224 - 32 * lane;
        uint256 swapped = uint32(swapBytes(uint32(uint256(value))));
        return bytes32((uint256(word) & ~(0xffffffff << shift)) | (swapped << shift));
    }

    /// @notice The word with its lanes from `count` on set to zero, of `lanes` (32 or 8).
    function withFirstLanes(bytes32 word, uint256 count, uint256 lanes) internal pure returns (bytes32 result) {
        uint256 bits = count * (256 / lanes);
        assembly ("memory-safe") {
            result := and(word, not(shr(bits, not(0))))
        }
    }

    /// @notice Signed dot product of 32 byte lanes.
    /// @dev With unsigned bytes u = a + 128, v = b + 128: Σab = Σuv − 128·Σ(u + v) + 32·128². Every fourth byte of u goes
    /// into 32-bit parts, and so for v in reverse order: then the highest part of the product of the two is the dot product
    /// of their eight bytes, and since no part reaches 2^32 nothing is carried into it. Four such products make 32 bytes.
    function dot(bytes32 left, bytes32 right) internal pure returns (int256 sum) {
        assembly ("memory-safe") {
            let u := xor(left, SIGN_BITS)
            let v := xor(right, SIGN_BITS)
            let u0 := and(u, LOW_BYTES)
            let u1 := and(shr(8, u), LOW_BYTES)
            let u2 := and(shr(16, u), LOW_BYTES)
            let u3 := and(shr(24, u), LOW_BYTES)
            // Reverse the eight 32-bit parts of v: halves, then quarters, then eighths.
            v := or(shl(128, v), shr(128, v))
            v :=
                or(
                    and(shl(64, v), 0xffffffffffffffff0000000000000000ffffffffffffffff0000000000000000),
                    and(shr(64, v), 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff)
                )
            v :=
                or(
                    and(shl(32, v), 0xffffffff00000000ffffffff00000000ffffffff00000000ffffffff00000000),
                    and(shr(32, v), 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff)
                )
            let v0 := and(v, LOW_BYTES)
            let v1 := and(shr(8, v), LOW_BYTES)
            let v2 := and(shr(16, v), LOW_BYTES)
            let v3 := and(shr(24, v), LOW_BYTES)
            let products := add(add(mul(u0, v0), mul(u1, v1)), add(mul(u2, v2), mul(u3, v3)))
            let bytesSum := mul(add(add(add(u0, u1), add(u2, u3)), add(add(v0, v1), add(v2, v3))), ONES)
            sum := sub(add(shr(224, products), OFFSETS_PRODUCT), shl(7, shr(224, bytesSum)))
        }
    }

    /// @dev Reverses four bytes.
    function swapBytes(uint32 value) private pure returns (uint32) {
        return (value >> 24) | ((value >> 8) & 0xff00) | ((value & 0xff00) << 8) | (value << 24);
    }
}
