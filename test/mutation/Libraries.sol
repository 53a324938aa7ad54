// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Dissection} from "../../contracts/src/libraries/Dissection.sol";
import {MerklePath} from "../../contracts/src/machine/MerklePath.sol";
import {Tensor} from "../../contracts/src/machine/TensorCommitment.sol";

/// @notice Library functions, each to be called by itself.
contract Libraries {
    function commit(bytes memory words) external pure returns (bytes32) {
        return Tensor.commit(words);
    }

    function treeRoot(bytes memory words) external pure returns (bytes32) {
        bytes32 before = keccak256(words);
        // What was in the scratch space must not matter.
        assembly ("memory-safe") {
            mstore(0x00, not(0))
            mstore(0x20, not(0))
        }
        bytes32 root = Tensor.treeRoot(words);
        require(keccak256(words) == before, "the words changed");
        return root;
    }

    function segments(uint256 n, uint256 arity) external pure returns (uint256) {
        return Dissection.segments(n, arity);
    }

    function segment(uint256 start, uint256 end, uint256 j, uint256 m) external pure returns (uint256, uint256) {
        return Dissection.segment(start, end, j, m);
    }

    /// @param states c_0 to c_m.
    function claimsRoot(bytes32[] memory states, uint256 g) external pure returns (bytes32) {
        uint256 first;
        assembly ("memory-safe") {
            first := add(states, 0x20)
            // Two words behind the states, which the root may not touch.
            let behind := mload(0x40)
            mstore(behind, not(0))
            mstore(add(behind, 0x20), not(0))
            mstore(0x40, add(behind, 0x40))
        }
        bytes32 root = Dissection.claimsRoot(first, states.length - 1, g);
        bool untouched;
        assembly ("memory-safe") {
            let behind := add(first, shl(5, mload(states)))
            untouched := and(eq(mload(behind), not(0)), eq(mload(add(behind, 0x20)), not(0)))
        }
        require(untouched, "memory behind the states changed");
        return root;
    }

    function rootOf(bytes32 start, bytes32 end, uint256 j, uint256 m, bytes calldata opening, uint256 g)
        external
        pure
        returns (bytes32)
    {
        return Dissection.rootOf(start, end, j, m, opening, g);
    }

    function hashPair(bytes32 left, bytes32 right) external pure returns (bytes32) {
        return MerklePath.hashPair(left, right);
    }

    function depthOf(uint256 leaves) external pure returns (uint256) {
        return MerklePath.depthOf(leaves);
    }
}
