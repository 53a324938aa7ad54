// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {MerklePath} from "./MerklePath.sol";
import {ProofReader} from "./ProofReader.sol";

/// @notice What the machine reads of a program header.
struct Program {
    uint256 prologue;
    uint256 body;
    uint256 epilogue;
    uint256 maxIterations;
    bytes32 operatorsRoot;
}

/// @notice Which operator writes a slot.
struct OperatorPlace {
    /// @dev Number in the operators' tree: prologue, body, epilogue.
    uint256 operator;
    /// @dev 0 in the prologue, the program's maximum in the epilogue.
    uint256 iteration;
    /// @dev Whether it is the last operator of the body.
    bool endsIteration;
}

using ProgramEncoding for Program global;

/// @title The program header
/// @notice docs/word-machine.md, "Program".
library ProgramEncoding {
    uint256 internal constant HEADER_WORDS = 8;
    uint256 private constant MASK32 = 0xffffffff;
    uint256 private constant MAX_OPERATORS = 2 ** 12;
    uint256 private constant MAX_SLOTS = 2 ** 32;

    /// @notice Decodes the header at `offset` in calldata.
    function decode(uint256 offset) internal pure returns (Program memory program) {
        uint256 counts = ProofReader.wordAt(offset, 1);
        program.prologue = counts & MASK32;
        program.body = (counts >> 32) & MASK32;
        program.epilogue = (counts >> 64) & MASK32;
        program.maxIterations = (counts >> 96) & MASK32;
        program.operatorsRoot = bytes32(ProofReader.wordAt(offset, 2));
    }

    /// @notice The epilogue's first slot.
    function epilogueStart(Program memory program) internal pure returns (uint256) {
        return program.prologue + program.maxIterations * program.body;
    }

    /// @notice Number of slots.
    function slots(Program memory program) internal pure returns (uint256) {
        return program.epilogueStart() + program.epilogue;
    }

    /// @notice Depth of the tree over the slots.
    function slotsDepth(Program memory program) internal pure returns (uint256) {
        return MerklePath.depthOf(program.slots());
    }

    /// @notice Depth of the tree over the operators.
    function operatorsDepth(Program memory program) internal pure returns (uint256) {
        return MerklePath.depthOf(program.prologue + program.body + program.epilogue);
    }

    /// @notice False for programs that fail in their first step, being larger than any that is admitted.
    function withinLimits(Program memory program) internal pure returns (bool) {
        return program.prologue <= MAX_OPERATORS && program.body <= MAX_OPERATORS && program.epilogue <= MAX_OPERATORS
            && program.slots() <= MAX_SLOTS;
    }

    /// @notice The operator that writes `slot`, which is below `slots`.
    function place(Program memory program, uint256 slot) internal pure returns (OperatorPlace memory found) {
        if (slot < program.prologue) {
            found.operator = slot;
        } else if (slot < program.epilogueStart()) {
            uint256 inBody = slot - program.prologue;
            uint256 index = inBody % program.body;
            found.operator = program.prologue + index;
            found.iteration = inBody / program.body;
            found.endsIteration = index == program.body - 1;
        } else {
            found.operator = slot - program.epilogueStart() + program.prologue + program.body;
            found.iteration = program.maxIterations;
        }
    }
}
