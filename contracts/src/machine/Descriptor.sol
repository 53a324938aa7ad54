// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {ProofReader, Reader} from "./ProofReader.sol";

/// @notice What the machine reads of an operator's descriptor.
struct Descriptor {
    bytes32 hash;
    bytes32 codeRoot;
    /// @dev Instructions.
    uint256 codeLength;
    /// @dev Elements in a row of the output.
    uint256 columns;
    /// @dev Elements in a word of the output: 32 or 8.
    uint256 lanes;
    uint256 wordsPerRow;
    /// @dev Words of the output.
    uint256 wordCount;
    uint256 operandCount;
    /// @dev Kinds and indices of the operands, 32 bits each.
    uint256 operands;
    /// @dev Where the operands' commitments stand in calldata.
    uint256 commitments;
}

using DescriptorEncoding for Descriptor global;

/// @title The operator's descriptor
/// @notice docs/word-machine.md, "Program".
library DescriptorEncoding {
    uint256 internal constant KIND_CONSTANT = 1;
    uint256 internal constant KIND_INPUT = 2;
    uint256 internal constant KIND_PROLOGUE = 3;
    uint256 internal constant KIND_BODY = 4;
    uint256 internal constant KIND_EPILOGUE = 5;
    uint256 internal constant KIND_SEED = 6;

    uint256 private constant FIXED_WORDS = 3;
    uint256 private constant MAX_OPERANDS = 8;
    uint256 private constant MASK32 = 0xffffffff;

    /// @notice Takes a descriptor from a proof; its length follows from its second word.
    function read(Reader memory reader) internal pure returns (Descriptor memory descriptor) {
        uint256 offset = reader.skip(FIXED_WORDS);
        uint256 shape = ProofReader.wordAt(offset, 1);
        uint256 operandCount = (shape >> 72) & 0xff;
        if (operandCount > MAX_OPERANDS) operandCount = MAX_OPERANDS;
        descriptor.commitments = reader.skip(operandCount);
        descriptor.hash = ProofReader.hash(offset, FIXED_WORDS + operandCount);
        descriptor.codeRoot = bytes32(ProofReader.wordAt(offset, 0));
        descriptor.codeLength = (shape >> 80) & 0xffff;
        descriptor.operandCount = operandCount;
        descriptor.operands = ProofReader.wordAt(offset, 2);
        uint256 columns = shape & MASK32;
        uint256 lanes = (shape >> 64) & 0xff == 4 ? 8 : 32;
        uint256 wordsPerRow = (columns + lanes - 1) / lanes;
        descriptor.columns = columns;
        descriptor.lanes = lanes;
        descriptor.wordsPerRow = wordsPerRow;
        descriptor.wordCount = ((shape >> 32) & MASK32) * wordsPerRow;
    }

    /// @notice Kind and index of operand `number`, which is below `operandCount`.
    function operand(Descriptor memory descriptor, uint256 number) internal pure returns (uint256 kind, uint256 index) {
        uint256 packed = (descriptor.operands >> (32 * number)) & MASK32;
        return (packed >> 24, packed & 0xffffff);
    }

    /// @notice The commitment that the descriptor gives for operand `number`, which is below `operandCount`.
    function commitment(Descriptor memory descriptor, uint256 number) internal pure returns (bytes32) {
        return bytes32(ProofReader.wordAt(descriptor.commitments, number));
    }

    /// @notice Row, first column, and lanes of word `word` of the output; all zero when a row has no words.
    function coordinates(Descriptor memory descriptor, uint256 word)
        internal
        pure
        returns (uint256 row, uint256 column, uint256 laneCount)
    {
        if (descriptor.wordsPerRow == 0) return (0, 0, 0);
        row = word / descriptor.wordsPerRow;
        column = (word % descriptor.wordsPerRow) * descriptor.lanes;
        laneCount = descriptor.columns - column;
        if (laneCount > descriptor.lanes) laneCount = descriptor.lanes;
    }
}
