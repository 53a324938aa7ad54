// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Tensor} from "../../src/machine/TensorCommitment.sol";
import {Test} from "../base/Test.sol";

contract TensorCommitmentTest is Test {
    function commit(bytes memory words) external pure returns (bytes32) {
        return Tensor.commit(words);
    }

    /// @dev The root of the leaves [first, first + 2^depth), top down; missing leaves are 0.
    function plainRoot(bytes memory words, uint256 first, uint256 depth) private pure returns (bytes32) {
        if (depth == 0) return first < words.length / 32 ? wordOf(words, first) : bytes32(0);
        bytes32 left = plainRoot(words, first, depth - 1);
        bytes32 right = plainRoot(words, first + 2 ** (depth - 1), depth - 1);
        return left == 0 && right == 0 ? bytes32(0) : keccak256(abi.encodePacked(left, right));
    }

    function wordOf(bytes memory words, uint256 index) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(add(words, 0x20), mul(0x20, index)))
        }
    }

    function plainCommitment(bytes memory words) private pure returns (bytes32) {
        uint256 count = words.length / 32;
        uint256 depth = 0;
        while (2 ** depth < count) ++depth;
        return keccak256(abi.encode(keccak256("assay.tensor.v1"), plainRoot(words, 0, depth), count));
    }

    /// @dev About a third of the words are zero.
    function someWords(uint256 count, uint256 salt) private pure returns (bytes memory words) {
        words = new bytes(32 * count);
        for (uint256 index = 0; index < count; ++index) {
            uint256 value = uint256(keccak256(abi.encode(index, salt)));
            if (value % 3 == 0) continue;
            assembly ("memory-safe") {
                mstore(add(add(words, 0x20), mul(0x20, index)), value)
            }
        }
    }

    function test_commit_everySmallSize_equalsTheDefinition() public pure {
        for (uint256 count = 0; count <= 70; ++count) {
            bytes memory words = someWords(count, 1);
            bytes32 before = keccak256(words);
            vm.assertEq(Tensor.commit(words), plainCommitment(words));
            vm.assertEq(keccak256(words), before, "the words are left alone");
        }
    }

    function testFuzz_commit_anyWords_equalsTheDefinition(uint16 size, uint256 salt) public pure {
        bytes memory words = someWords(size % 200, salt);
        vm.assertEq(Tensor.commit(words), plainCommitment(words));
    }

    function test_commit_dirtyMemory_makesNoDifference() public pure {
        bytes memory words = someWords(5, 2);
        assembly ("memory-safe") {
            // What earlier code may have left past the free memory pointer.
            for { let offset := 0 } lt(offset, 0x400) { offset := add(offset, 0x20) } {
                mstore(add(mload(0x40), offset), not(offset))
            }
        }
        vm.assertEq(Tensor.commit(words), plainCommitment(words));
    }

    function test_commit_zeros_haveARootOfZeroAndACount() public pure {
        vm.assertEq(
            Tensor.commit(new bytes(96)), keccak256(abi.encode(keccak256("assay.tensor.v1"), uint256(0), uint256(3)))
        );
        vm.assertNotEq(Tensor.commit(new bytes(96)), Tensor.commit(new bytes(128)));
    }

    function test_commit_fractionOfAWord_reverts() public {
        vm.expectRevert(abi.encodeWithSelector(Tensor.FractionOfWord.selector, 33));
        this.commit(new bytes(33));
    }
}
