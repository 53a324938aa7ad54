// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @notice Random words that TypeScript draws too (draws.ts): number `i` of a case is keccak256(case ‖ i).
struct Draws {
    /// @dev seed · 2^64 + the case's number.
    uint256 source;
    uint256 drawn;
}

using DrawsLibrary for Draws global;

/// @title Random words, and edge values out of them
library DrawsLibrary {
    uint256 private constant LANE_SIGNS = 0x8080808080808080808080808080808080808080808080808080808080808080;

    /// @notice The next word.
    function word(Draws memory draws) internal pure returns (uint256 drawn) {
        assembly ("memory-safe") {
            let count := mload(add(draws, 0x20))
            mstore(0x00, mload(draws))
            mstore(0x20, count)
            drawn := keccak256(0x00, 0x40)
            mstore(add(draws, 0x20), add(count, 1))
        }
    }

    /// @notice Number `index` of the eight 32-bit numbers of a word, the most significant first.
    function number(uint256 drawn, uint256 index) internal pure returns (uint256) {
        return (drawn >> (224 - 32 * index)) & 0xffffffff;
    }

    /// @notice A sibling of a path: zero three times out of ten.
    function sibling(Draws memory draws) internal pure returns (bytes32) {
        return number(draws.word(), 0) < 1_288_490_189 ? bytes32(0) : bytes32(draws.word());
    }

    /// @notice A 64-bit signed value; see draws.ts.
    function edgeScalar(uint256 high, uint256 low, uint256 limit, bool likely) internal pure returns (int256) {
        uint256 kind = high >> 29;
        if (likely && kind < 4) kind = 7;
        uint256 exponent = (high >> 8) & 63;
        uint256 small = high & 255;
        if (kind < 2) {
            int256 raw = int64(uint64((high << 32) | low));
            return kind == 0 ? raw : raw >> exponent;
        }
        int256 around = int256(small % 3) - 1;
        if (kind == 2) return int64(int256(1 << exponent) + around);
        if (kind == 3) return int64(around - int256(1 << exponent));
        if (kind == 4) return int32(uint32(low));
        if (kind == 5) return int256(small);
        if (kind == 6) return -int256(small);
        return int64(exponent < 32 ? int256(limit) - 2 + int256(small % 4) : int256(low % (limit + 1)));
    }

    /// @notice An unsigned number of 32 bits: small, near 2^32, around 2^28, or any.
    function edgeNumber(uint256 drawn) internal pure returns (uint256) {
        uint256 rest = drawn >> 8;
        if (drawn % 4 == 0) return rest % 10;
        if (drawn % 4 == 1) return 2 ** 32 - 1 - (rest % 4);
        return drawn % 4 == 2 ? 2 ** 28 - 1 + (rest % 3) : drawn;
    }

    /// @notice The word, or one whose bytes are extreme.
    function edgeWord(uint256 drawn, uint256 selector) internal pure returns (bytes32) {
        uint256 kind = selector % 8;
        if (kind == 0) return 0;
        if (kind == 1) return bytes32(LANE_SIGNS);
        if (kind == 2) return bytes32(~LANE_SIGNS);
        if (kind == 3) return bytes32(type(uint256).max);
        if (kind == 4) return bytes32(drawn & LANE_SIGNS);
        return bytes32(kind == 5 ? drawn | ~LANE_SIGNS : drawn);
    }
}
