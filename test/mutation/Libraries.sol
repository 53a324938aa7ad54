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

    function segments(uint256 n) external pure returns (uint256) {
        return Dissection.segments(n);
    }

    function segment(uint256 start, uint256 end, uint256 j) external pure returns (uint256, uint256) {
        return Dissection.segment(start, end, j);
    }

    function claimsRoot(bytes32 first, bytes32[] calldata inner, bytes32 last) external pure returns (bytes32) {
        return Dissection.claimsRoot(first, inner, last);
    }

    function rootOf(bytes32 start, bytes32 end, uint256 j, bytes32[4] calldata path) external pure returns (bytes32) {
        return Dissection.rootOf(start, end, j, path);
    }

    function hashPair(bytes32 left, bytes32 right) external pure returns (bytes32) {
        return Dissection.hashPair(left, right);
    }

    function depthOf(uint256 leaves) external pure returns (uint256) {
        return MerklePath.depthOf(leaves);
    }
}
