// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title Merkle paths
/// @notice Trees under `H(0, 0) = 0`, else `H(l, r) = keccak256(l ‖ r)`. A path lists the siblings from the leaf upwards.
library MerklePath {
    /// @notice The least `d` with `2^d ≥ leaves`; 0 for an empty tree.
    function depthOf(uint256 leaves) internal pure returns (uint256 depth) {
        assembly ("memory-safe") {
            // Bits of leaves - 1, for more than one leaf.
            depth := mul(gt(leaves, 1), sub(256, clz(sub(leaves, 1))))
        }
    }

    /// @notice The root that a leaf and its path lead to.
    /// @param leaf The leaf, or any node that stands at height 0.
    /// @param index Its index; bit `i` says whether the node at height `i` is a right child.
    /// @param path Offset of the siblings in calldata, `depth` words.
    function root(bytes32 leaf, uint256 index, uint256 path, uint256 depth) internal pure returns (bytes32 node) {
        assembly ("memory-safe") {
            node := leaf
            for { let end := add(path, shl(5, depth)) } lt(path, end) { path := add(path, 0x20) } {
                let sibling := calldataload(path)
                // A right child goes to 0x20 and its sibling to 0x00; a left child the other way round.
                let place := shl(5, and(index, 1))
                mstore(place, node)
                mstore(xor(place, 0x20), sibling)
                node := mul(keccak256(0x00, 0x40), iszero(iszero(or(node, sibling))))
                index := shr(1, index)
            }
        }
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
