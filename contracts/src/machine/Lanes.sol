// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title Lanes of a word
/// @notice A word is 32 signed bytes, byte 0 the most significant, or 8 little-endian signed 32-bit integers.
library Lanes {
    /// @dev The lowest byte of each 32-bit part of a word.
    uint256 private constant LOW_BYTES = 0x000000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff;
    /// @dev 128 in each 32-bit part of a word.
    uint256 private constant OFFSETS = 0x0000008000000080000000800000008000000080000000800000008000000080;
    /// @dev The sign bit of each byte.
    uint256 private constant SIGN_BITS = 0x8080808080808080808080808080808080808080808080808080808080808080;

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
    /// @dev Every fourth byte of a word, as a signed number a_i, makes an integer A = Σ a_i·2^(32 i), and those of the other
    /// word in reverse order make B = Σ b_(7−i)·2^(32 i). In A·B modulo 2^256 the highest 32 bits hold Σ a_i·b_i, and what
    /// stands below is less than 2^223 in magnitude: adding 2^223 and shifting rounds it away. Four such products make 32 bytes.
    function dot(bytes32 left, bytes32 right) internal pure returns (int256 sum) {
        assembly ("memory-safe") {
            // A signed byte plus 128 is the byte with its sign bit flipped.
            let u := xor(left, SIGN_BITS)
            // Reverse the eight 32-bit parts of the other word: halves, then quarters, then eighths.
            let v := xor(right, SIGN_BITS)
            v := or(shl(128, v), shr(128, v))
            v := or(
                and(shl(64, v), 0xffffffffffffffff0000000000000000ffffffffffffffff0000000000000000),
                and(shr(64, v), 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff)
            )
            v := or(
                and(shl(32, v), 0xffffffff00000000ffffffff00000000ffffffff00000000ffffffff00000000),
                and(shr(32, v), 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff)
            )
            // Subtracting 128 from each part gives the signed bytes back, as one integer.
            let products := mul(sub(and(u, LOW_BYTES), OFFSETS), sub(and(v, LOW_BYTES), OFFSETS))
            u := shr(8, u)
            v := shr(8, v)
            products := add(products, mul(sub(and(u, LOW_BYTES), OFFSETS), sub(and(v, LOW_BYTES), OFFSETS)))
            u := shr(8, u)
            v := shr(8, v)
            products := add(products, mul(sub(and(u, LOW_BYTES), OFFSETS), sub(and(v, LOW_BYTES), OFFSETS)))
            products := add(
                products,
                mul(sub(and(shr(8, u), LOW_BYTES), OFFSETS), sub(and(shr(8, v), LOW_BYTES), OFFSETS))
            )
            sum := sar(224, add(products, shl(223, 1)))
        }
    }

    /// @dev Reverses four bytes.
    function swapBytes(uint32 value) private pure returns (uint32) {
        return (value >> 24) | ((value >> 8) & 0xff00) | ((value & 0xff00) << 8) | (value << 24);
    }
}
