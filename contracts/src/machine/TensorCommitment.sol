// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title Commitments to tensors
/// @notice `keccak256(TENSOR ‖ root ‖ wordCount)`, over a tensor's padded words; see docs/word-machine.md.
library Tensor {
    /// @notice The words do not come to whole 32-byte words.
    error FractionOfWord(uint256 length);

    /// @dev keccak256("assay.tensor.v1")
    bytes32 internal constant TAG = keccak256("assay.tensor.v1");

    /// @notice The commitment of a tensor with the given root and number of words.
    function commitment(bytes32 root, uint256 wordCount) internal pure returns (bytes32 result) {
        bytes32 tag = TAG;
        assembly ("memory-safe") {
            // Past the free memory pointer, which stays where it is.
            let start := mload(0x40)
            mstore(start, tag)
            mstore(add(start, 0x20), root)
            mstore(add(start, 0x40), wordCount)
            result := keccak256(start, 0x60)
        }
    }

    /// @notice The commitment of the tensor with these padded words.
    /// @param paddedWords Row by row, every row padded with zeros to whole words.
    function commit(bytes memory paddedWords) internal pure returns (bytes32) {
        return commitment(treeRoot(paddedWords), paddedWords.length / 32);
    }

    /// @notice Root of the tree over the words. Leaves `paddedWords` as it is.
    function treeRoot(bytes memory paddedWords) internal pure returns (bytes32 root) {
        require(paddedWords.length % 32 == 0, FractionOfWord(paddedWords.length));
        assembly ("memory-safe") {
            let count := shr(5, mload(paddedWords))
            let source := add(paddedWords, 0x20)
            if count { root := mload(source) }
            // Each round writes one level past the free memory pointer; only the first reads from `paddedWords`.
            let level := mload(0x40)
            for {} gt(count, 1) { count := shr(1, add(count, 1)) } {
                let target := level
                let pairs := add(source, shl(6, shr(1, count)))
                for {} lt(source, pairs) { source := add(source, 0x40) } {
                    mstore(
                        target,
                        mul(keccak256(source, 0x40), iszero(iszero(or(mload(source), mload(add(source, 0x20))))))
                    )
                    target := add(target, 0x20)
                }
                // A last node without a sibling: the missing one is zero.
                if and(count, 1) {
                    mstore(0x00, mload(source))
                    mstore(0x20, 0)
                    mstore(target, mul(keccak256(0x00, 0x40), iszero(iszero(mload(0x00)))))
                }
                source := level
                root := mload(level)
            }
        }
    }
}
