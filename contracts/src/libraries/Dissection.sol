// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {MerklePath} from "../machine/MerklePath.sol";

/// @title Splits of a range of steps, and the root over claims that travel as calldata
/// @notice A split of [start, start + n) has m segments, bounded by start + ⌊j·n/m⌋; m = k, but m = n if n ≤ 2·k, so that no last split is
/// for a handful of steps. With 2·k = 2^depth, its **root** is that of a tree with 2·k leaves, leaf j = keccak256(c_j ‖ c_{j+1}) for j < m,
/// else 0, and nodes H(l, r) = keccak256(l ‖ r), H(0, 0) = 0. One path, `depth` siblings from the leaf upwards, opens both ends of a segment.
library Dissection {
    /// @notice Number of segments in a split of `n` steps.
    function segments(uint256 n, uint256 arity) internal pure returns (uint256) {
        return n <= 2 * arity ? n : arity;
    }

    /// @notice Bounds of segment `j` of a split of [start, end) into `m` segments; `j` must be below `m`.
    function segment(uint256 start, uint256 end, uint256 j, uint256 m)
        internal
        pure
        returns (uint256 from, uint256 to)
    {
        unchecked {
            uint256 n = end - start;
            from = start + (j * n) / m;
            to = start + ((j + 1) * n) / m;
        }
    }

    /// @notice Root of the split whose states c_0 … c_m are the words of `states`. They, and the word behind them, are overwritten.
    /// @param states memory pointer to c_0; `last` points to c_m.
    function claimsRoot(uint256 states, uint256 last, uint256 depth) internal pure returns (bytes32 root) {
        assembly ("memory-safe") {
            // The states lie side by side, so leaf j is the hash of 64 bytes at 32·j; leaves, then nodes, overwrite what no later
            // hash reads.
            let levelEnd := last
            for { let node := states } lt(node, levelEnd) { node := add(node, 0x20) } {
                mstore(node, keccak256(node, 0x40))
            }
            for { let height := 0 } lt(height, depth) { height := add(height, 1) } {
                // What is missing is zero, and needs no hash where both children are missing.
                mstore(levelEnd, 0)
                let target := states
                for { let source := states } lt(source, levelEnd) { source := add(source, 0x40) } {
                    mstore(target, keccak256(source, 0x40))
                    target := add(target, 0x20)
                }
                levelEnd := target
            }
            root := mload(states)
        }
    }

    /// @notice Root to which the pair (start, end) at segment `j` leads along `path`, `depth` words of calldata.
    function rootOf(bytes32 start, bytes32 end, uint256 j, bytes calldata path, uint256 depth)
        internal
        pure
        returns (bytes32)
    {
        uint256 offset;
        assembly ("memory-safe") {
            offset := path.offset
        }
        return MerklePath.root(hashPair(start, end), j, offset, depth);
    }

    /// @notice keccak256(a ‖ b).
    function hashPair(bytes32 a, bytes32 b) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            mstore(0x00, a)
            mstore(0x20, b)
            result := keccak256(0x00, 0x40)
        }
    }
}
