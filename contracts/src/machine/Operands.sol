// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IWordMachine} from "../interfaces/IWordMachine.sol";
import {DescriptorEncoding} from "./Descriptor.sol";
import {MerklePath} from "./MerklePath.sol";
import {Reader} from "./ProofReader.sol";
import {Scope} from "./Scope.sol";
import {Tensor} from "./TensorCommitment.sol";

/// @title Operands
/// @notice Loads of words of constants, of the input, of the seed, and of what earlier operators wrote.
library Operands {
    uint256 internal constant MAX_WORDS = 2 ** 28;
    /// @dev A slot number that no slot has.
    uint256 private constant NO_SLOT = type(uint256).max;

    /// @notice The word that holds element `position` of the instruction's operand, and zero where there is none.
    /// @param reader Takes the openings from the proof, and nothing where the value is known without.
    /// @param iteration The iteration to read, for operands that body operators write.
    /// @param lanesLog2 Binary logarithm of the elements in a word.
    function load(Scope memory scope, Reader memory reader, int256 position, int256 iteration, uint256 lanesLog2)
        internal
        pure
        returns (bytes32)
    {
        uint256 number = scope.instruction.c();
        if (number >= scope.descriptor.operandCount || position < 0) return 0;
        uint256 index = uint256(position) >> lanesLog2;
        (uint256 kind, uint256 operator) = scope.descriptor.operand(number);
        if (kind == DescriptorEncoding.KIND_SEED) return index == 0 ? scope.seed : bytes32(0);
        bytes32 commitment;
        if (kind == DescriptorEncoding.KIND_CONSTANT) commitment = scope.descriptor.commitment(number);
        else if (kind == DescriptorEncoding.KIND_INPUT) commitment = scope.inputCommitment;
        else commitment = slotCommitment(scope, reader, slotOf(scope, kind, operator, iteration));
        return commitment == 0 ? bytes32(0) : tensorWord(reader, commitment, index);
    }

    /// @dev The slot that an operand names.
    function slotOf(Scope memory scope, uint256 kind, uint256 operator, int256 iteration)
        private
        pure
        returns (uint256)
    {
        if (kind == DescriptorEncoding.KIND_PROLOGUE) {
            if (operator < scope.program.prologue) return operator;
        } else if (kind == DescriptorEncoding.KIND_BODY) {
            bool exists =
                operator < scope.program.body && iteration >= 0 && uint256(iteration) < scope.program.maxIterations;
            if (exists) return scope.program.prologue + uint256(iteration) * scope.program.body + operator;
        } else if (kind == DescriptorEncoding.KIND_EPILOGUE) {
            if (operator < scope.program.epilogue) return scope.program.epilogueStart() + operator;
        }
        return NO_SLOT;
    }

    /// @dev What a slot before the current one holds; 0 for all others.
    function slotCommitment(Scope memory scope, Reader memory reader, uint256 slot)
        private
        pure
        returns (bytes32 commitment)
    {
        if (slot >= scope.state.slot()) return 0;
        commitment = reader.take();
        bytes32 root = reader.rootOf(commitment, slot, scope.program.slotsDepth());
        require(root == scope.state.slotsRoot, IWordMachine.WrongSlot());
    }

    /// @dev Word `index` of the tensor behind a commitment, which is not 0.
    function tensorWord(Reader memory reader, bytes32 commitment, uint256 index) private pure returns (bytes32 word) {
        bytes32 root = reader.take();
        uint256 wordCount = uint256(reader.take());
        require(Tensor.commitment(root, wordCount) == commitment, IWordMachine.WrongTensor());
        if (wordCount > MAX_WORDS || index >= wordCount) return 0;
        word = reader.take();
        require(reader.rootOf(word, index, MerklePath.depthOf(wordCount)) == root, IWordMachine.WrongWord());
    }

    /// @notice Stores `value` as the current word of the current slot's tensor, and replaces the root over the slots.
    function store(Scope memory scope, Reader memory reader, bytes32 value) internal pure {
        uint256 wordCount = scope.descriptor.wordCount;
        uint256 word = scope.state.word();
        uint256 slot = scope.state.slot();
        uint256 slotDepth = scope.program.slotsDepth();
        uint256 slotPath = reader.skip(slotDepth);
        bytes32 oldRoot = word == 0 ? bytes32(0) : reader.take();
        bytes32 oldCommitment = word == 0 ? bytes32(0) : Tensor.commitment(oldRoot, wordCount);
        uint256 depth = MerklePath.depthOf(wordCount);
        uint256 path = reader.skip(depth);
        bytes32 oldSlots = MerklePath.root(oldCommitment, slot, slotPath, slotDepth);
        require(oldSlots == scope.state.slotsRoot, IWordMachine.WrongSlot());
        require(MerklePath.root(0, word, path, depth) == oldRoot, IWordMachine.WrongWord());
        bytes32 commitment = Tensor.commitment(MerklePath.root(value, word, path, depth), wordCount);
        scope.state.slotsRoot = MerklePath.root(commitment, slot, slotPath, slotDepth);
    }
}
