// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @notice An instruction in the low 64 bits: bits [56,64) op, [48,56) d, [40,48) a, [32,40) b, [0,32) x.
type Instruction is uint256;

using InstructionEncoding for Instruction global;

/// @title The instruction's fields
/// @notice docs/word-machine.md, "Step".
library InstructionEncoding {
    uint256 internal constant REQUANTIZE = 0x13;
    uint256 internal constant SELECT = 0x12;
    uint256 internal constant LOAD8 = 0x14;
    uint256 internal constant LOAD32 = 0x15;
    uint256 internal constant LOADWORD = 0x16;
    uint256 internal constant DOT = 0x17;
    uint256 internal constant PUT8 = 0x18;
    uint256 internal constant PUT32 = 0x19;
    uint256 internal constant LOOP = 0x1a;
    uint256 internal constant STORE = 0x1b;

    /// @notice Instruction number `index` (0 to 3) of a code word.
    function ofWord(bytes32 codeWord, uint256 index) internal pure returns (Instruction) {
        return Instruction.wrap((uint256(codeWord) >> (192 - 64 * index)) & 0xffffffffffffffff);
    }

    function op(Instruction instruction) internal pure returns (uint256) {
        return Instruction.unwrap(instruction) >> 56;
    }

    function d(Instruction instruction) internal pure returns (uint256) {
        return (Instruction.unwrap(instruction) >> 48) & 0xff;
    }

    function a(Instruction instruction) internal pure returns (uint256) {
        return (Instruction.unwrap(instruction) >> 40) & 0xff;
    }

    function b(Instruction instruction) internal pure returns (uint256) {
        return (Instruction.unwrap(instruction) >> 32) & 0xff;
    }

    /// @notice The low eight bits of `x`: the third source, or the operand's number.
    function c(Instruction instruction) internal pure returns (uint256) {
        return Instruction.unwrap(instruction) & 0xff;
    }

    function x(Instruction instruction) internal pure returns (uint256) {
        return Instruction.unwrap(instruction) & 0xffffffff;
    }

    /// @notice `x`, signed.
    function immediate(Instruction instruction) internal pure returns (int256) {
        return int32(uint32(Instruction.unwrap(instruction)));
    }

    /// @notice The upper 24 bits of `x`, signed: what three-source instructions have for an immediate.
    function shortImmediate(Instruction instruction) internal pure returns (int256) {
        return instruction.immediate() >> 8;
    }
}
