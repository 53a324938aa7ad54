// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {MerklePath} from "../../src/machine/MerklePath.sol";
import {Test} from "../base/Test.sol";

contract MerklePathTest is Test {
    function plainHash(bytes32 left, bytes32 right) private pure returns (bytes32) {
        return left == 0 && right == 0 ? bytes32(0) : keccak256(abi.encodePacked(left, right));
    }

    function rootOf(bytes32 leaf, uint256 index, bytes32[] calldata path) external pure returns (bytes32) {
        uint256 offset;
        assembly ("memory-safe") {
            offset := path.offset
        }
        return MerklePath.root(leaf, index, offset, path.length);
    }

    function testFuzz_root_anyPath_equalsTheDefinition(
        bytes32 leaf,
        uint256 index,
        bytes32[] calldata path,
        uint256 zeros
    ) public view {
        bytes32[] memory siblings = path;
        if (zeros & 1 == 1) leaf = 0;
        for (uint256 height = 0; height < siblings.length; ++height) {
            if ((zeros >> (height % 255 + 1)) & 1 == 1) siblings[height] = 0;
        }
        bytes32 node = leaf;
        for (uint256 height = 0; height < siblings.length; ++height) {
            bool isRight = height < 256 && (index >> height) & 1 == 1;
            node = isRight ? plainHash(siblings[height], node) : plainHash(node, siblings[height]);
        }
        vm.assertEq(this.rootOf(leaf, index, siblings), node);
    }

    function test_root_zerosAlone_isZero() public view {
        vm.assertEq(this.rootOf(0, 5, new bytes32[](28)), bytes32(0));
    }

    function test_depthOf_boundaries_succeeds() public pure {
        vm.assertEq(MerklePath.depthOf(0), 0);
        vm.assertEq(MerklePath.depthOf(1), 0);
        for (uint256 depth = 1; depth < 255; ++depth) {
            vm.assertEq(MerklePath.depthOf(2 ** depth), depth);
            vm.assertEq(MerklePath.depthOf(2 ** depth + 1), depth + 1);
            if (depth > 1) vm.assertEq(MerklePath.depthOf(2 ** depth - 1), depth);
        }
        vm.assertEq(MerklePath.depthOf(type(uint256).max), 256);
    }
}
