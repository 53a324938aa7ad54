// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {MerklePath} from "../machine/MerklePath.sol";

/// @title Splits of a range of steps, and the root over their claims
/// @notice A split of [start, start + n) has m = min(16, n) segments, bounded by start + ⌊j·n/m⌋.
library Dissection {
    uint256 internal constant ARITY = 16;
    /// @dev log2 of `ARITY`: every claims tree has this depth, so that a node cannot pass for a leaf.
    uint256 internal constant DEPTH = 4;

    /// @notice Number of segments in a split of `n` steps.
    function segments(uint256 n) internal pure returns (uint256) {
        return n < ARITY ? n : ARITY;
    }

    /// @notice Bounds of segment `j` of a split of [start, end); `j` must be below `segments(end - start)`.
    function segment(uint256 start, uint256 end, uint256 j) internal pure returns (uint256 from, uint256 to) {
        unchecked {
            uint256 n = end - start;
            uint256 m = segments(n);
            from = start + (j * n) / m;
            to = start + ((j + 1) * n) / m;
        }
    }

    /// @notice Claims root of the split c_0 = `first`, `inner`, `last`; `inner` has at most 15 states.
    function claimsRoot(bytes32 first, bytes32[] calldata inner, bytes32 last) internal pure returns (bytes32 root) {
        assembly ("memory-safe") {
            // The states lie side by side past the free memory pointer, so leaf j is the hash of 64 bytes at 32·j;
            // leaves, then nodes, overwrite what no later hash reads.
            let nodes := mload(0x40)
            let innerBytes := shl(5, inner.length)
            mstore(nodes, first)
            calldatacopy(add(nodes, 0x20), inner.offset, innerBytes)
            let levelEnd := add(add(nodes, 0x20), innerBytes)
            mstore(levelEnd, last)
            for { let node := nodes } lt(node, levelEnd) { node := add(node, 0x20) } {
                mstore(node, keccak256(node, 0x40))
            }
            for { let height := 0 } lt(height, DEPTH) { height := add(height, 1) } {
                // What is missing is zero, and needs no hash where both children are missing.
                mstore(levelEnd, 0)
                let target := nodes
                for { let source := nodes } lt(source, levelEnd) { source := add(source, 0x40) } {
                    mstore(target, keccak256(source, 0x40))
                    target := add(target, 0x20)
                }
                levelEnd := target
            }
            root := mload(nodes)
        }
    }

    /// @notice Claims root to which the pair (start, end) at segment `j` leads along `path`.
    function rootOf(bytes32 start, bytes32 end, uint256 j, bytes32[4] calldata path) internal pure returns (bytes32) {
        bytes32 leaf;
        uint256 offset;
        assembly ("memory-safe") {
            mstore(0x00, start)
            mstore(0x20, end)
            leaf := keccak256(0x00, 0x40)
            offset := path
        }
        return MerklePath.root(leaf, j, offset, DEPTH);
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
