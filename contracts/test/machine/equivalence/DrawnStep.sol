// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Draws, DrawsLibrary} from "./Draws.sol";

/// @notice A random instruction and all that it can see; `ScenarioParts` in TypeScript.
struct DrawnStep {
    uint256 prologue;
    uint256 body;
    uint256 epilogue;
    uint256 maxIterations;
    uint256 headerFiller;
    uint256 op;
    uint256 d;
    uint256 a;
    uint256 b;
    uint256 x;
    uint256 codeLength;
    uint256 rows;
    uint256 columns;
    uint256 elementBytes;
    uint256 operandCount;
    /// @dev Kind · 2^24 + index of each, 32 bits an operand.
    uint256 operands;
    /// @dev Bit k: operand k's commitment is not zero.
    uint256 present;
    uint256 descriptorFiller;
    uint256 slot;
    uint256 word;
    uint256 pc;
    uint256 status;
    uint256[4] counters;
    int256[16] scalars;
    bytes32[4] vectors;
    bytes32 seed;
    /// @dev Whether operands and slots hold a tensor.
    bool written;
    uint256 tensorWords;
    bytes32 tensorWord;
}

using DrawnStepLibrary for DrawnStep global;

/// @title Random steps
/// @notice The generator of drawn-step.ts once more. What differs between the two shows as a different digest.
library DrawnStepLibrary {
    uint256 private constant MOST32 = 2 ** 32 - 1;

    /// @notice Case number `caseNumber`; the draws go on with what the proof needs.
    function draw(Draws memory draws, uint256 caseNumber) internal pure returns (DrawnStep memory step) {
        uint256 shape = draws.word();
        uint256 place = draws.word();
        uint256 code = draws.word();
        uint256 operands = draws.word();
        uint256 present = draws.word();
        uint256 registers = draws.word();
        bool hostile = DrawsLibrary.number(shape, 0) % 8 == 0;
        step.drawHeader(shape, hostile);
        step.drawShape(shape, place, hostile);
        step.drawOperands(operands, present);
        step.op = opcode(caseNumber, DrawsLibrary.number(code, 7));
        uint256 limit = step.tensorWords * (step.op == 0x14 ? 32 : step.op == 0x15 ? 8 : 1);
        step.drawRegisters(draws, registers, limit);
        step.seed = bytes32(draws.word());
        step.tensorWord = DrawsLibrary.edgeWord(draws.word(), DrawsLibrary.number(code, 7) >> 8);
        uint256 filler = draws.word();
        if (hostile) {
            step.headerFiller = filler >> 192;
            step.descriptorFiller = (filler >> 128) & type(uint64).max;
        }
        step.drawInstruction(code, limit);
        step.drawPlace(place, hostile);
    }

    function opcode(uint256 caseNumber, uint256 drawn) private pure returns (uint256) {
        uint256 which = caseNumber % 45;
        if (which < 27) return which + 1;
        return which < 44 ? which - 26 + 0x20 : drawn % 256;
    }

    function drawHeader(DrawnStep memory step, uint256 drawn, bool hostile) internal pure {
        uint256 iterations = DrawsLibrary.number(drawn, 4);
        if (!hostile || (DrawsLibrary.number(drawn, 0) >> 8) % 2 == 0) {
            step.prologue = 1 + DrawsLibrary.number(drawn, 1) % 4;
            step.body = DrawsLibrary.number(drawn, 2) % 4;
            step.epilogue = DrawsLibrary.number(drawn, 3) % 4;
            step.maxIterations = iterations % 6;
            return;
        }
        step.prologue = hostileCount(DrawsLibrary.number(drawn, 1));
        step.body = hostileCount(DrawsLibrary.number(drawn, 2));
        step.epilogue = hostileCount(DrawsLibrary.number(drawn, 3));
        uint256 rest = (iterations >> 8) % 3;
        if (iterations % 2 == 1) step.maxIterations = rest;
        else step.maxIterations = rest < 2 ? 2 ** 20 - 1 + rest : MOST32;
    }

    function hostileCount(uint256 drawn) private pure returns (uint256) {
        uint256 rest = drawn >> 8;
        if (drawn % 8 < 5) return rest % 3;
        return rest % 4 < 3 ? 4095 + rest % 4 : MOST32;
    }

    function drawShape(DrawnStep memory step, uint256 shape, uint256 place, bool hostile) internal pure {
        uint256 width = DrawsLibrary.number(shape, 7);
        step.rows =
            hostile ? DrawsLibrary.edgeNumber(DrawsLibrary.number(shape, 5)) : 1 + DrawsLibrary.number(shape, 5) % 9;
        uint256 columns = DrawsLibrary.number(shape, 6);
        step.columns = hostile && width % 2 == 0 ? DrawsLibrary.edgeNumber(columns) : 1 + columns % 70;
        uint256 length = DrawsLibrary.number(place, 0);
        uint256 tensor = DrawsLibrary.number(place, 1);
        uint256 count = DrawsLibrary.number(place, 2);
        if (hostile) {
            step.elementBytes = [uint8(0), 1, 2, 4, 5, 255][(width >> 8) % 6];
            step.codeLength = DrawsLibrary.edgeNumber(length) % 65_536;
            step.operandCount = count % 256;
        } else {
            step.elementBytes = width % 2 == 0 ? 4 : 1;
            step.codeLength = 1 + length % 40;
            step.operandCount = 1 + count % 8;
        }
        step.written = tensor % 10 > 0;
        if (!step.written) return;
        if (hostile) {
            step.tensorWords = [uint256(0), 1, 2 ** 28 - 1, 2 ** 28, 2 ** 28 + 1, 2 ** 32, 2 ** 40][(tensor >> 8) % 7];
        } else {
            step.tensorWords = tensor % 10 == 1 ? tensor >> 12 : 1 + (tensor >> 8) % 17;
        }
    }

    function drawOperands(DrawnStep memory step, uint256 operands, uint256 present) internal pure {
        for (uint256 operand = 0; operand < 8; ++operand) {
            uint256 drawn = DrawsLibrary.number(operands, operand);
            uint256 kind = 1 + (drawn >> 8) % 6;
            if (drawn % 10 == 9) kind = [uint8(0), 7, 255][(drawn >> 8) % 3];
            uint256 index = (drawn >> 16) % 10 < 9 ? (drawn >> 20) % 5 : drawn >> 8;
            step.operands |= (kind << 24 | index) << (32 * operand);
            if (DrawsLibrary.number(present, operand) % 20 > 0) step.present |= 1 << operand;
        }
    }

    function drawRegisters(DrawnStep memory step, Draws memory draws, uint256 registers, uint256 limit) internal pure {
        for (uint256 index = 0; index < 4; ++index) {
            uint256 drawn = DrawsLibrary.number(registers, index);
            step.counters[index] =
                drawn % 10 < 7 ? (drawn >> 8) % 34 : drawn % 10 == 7 ? MOST32 - (drawn >> 8) % 4 : drawn;
        }
        for (uint256 quad = 0; quad < 4; ++quad) {
            uint256 drawn = draws.word();
            for (uint256 index = 0; index < 4; ++index) {
                step.scalars[4 * quad + index] = DrawsLibrary.edgeScalar(
                    DrawsLibrary.number(drawn, 2 * index),
                    DrawsLibrary.number(drawn, 2 * index + 1),
                    limit,
                    step.isLoad()
                );
            }
        }
        for (uint256 index = 0; index < 4; ++index) {
            step.vectors[index] = DrawsLibrary.edgeWord(draws.word(), DrawsLibrary.number(registers, 4 + index));
        }
    }

    /// @notice Whether the instruction reads an operand.
    function isLoad(DrawnStep memory step) internal pure returns (bool) {
        return step.op >= 0x14 && step.op <= 0x16;
    }

    function drawInstruction(DrawnStep memory step, uint256 code, uint256 limit) internal pure {
        uint256 first = DrawsLibrary.number(code, 0);
        uint256 second = DrawsLibrary.number(code, 1);
        uint256 third = DrawsLibrary.number(code, 2);
        uint256 x = DrawsLibrary.number(code, 3);
        uint256 low = DrawsLibrary.number(code, 4);
        uint256 edge =
            uint256(DrawsLibrary.edgeScalar(DrawsLibrary.number(code, 5), DrawsLibrary.number(code, 6), limit, false));
        step.d = first % 10 < 9 ? (first >> 8) % 16 : (first >> 8) % 256;
        step.a = source(second);
        step.b = source(third);
        if (step.isLoad()) {
            uint256 operands = step.operandCount < 8 ? step.operandCount : 8;
            uint256 operand = x % 20 == 19 ? (x >> 8) % 256 : operands == 0 ? 0 : (x >> 8) % operands;
            step.x = operand | (low % 3 == 0 ? low & 0xffffff00 : 0);
        } else if (step.op == 0x11 || step.op == 0x31 || step.op == 0x12 || step.op == 0x13) {
            step.x = (edge & 0xffffff) << 8 | source(low);
        } else if (step.op == 0x1a) {
            uint256 bound = x % 5 < 4 ? (x >> 8) % 35 : x >> 10;
            step.a = second % 10 < 7 ? (second >> 8) % 4 : (second >> 8) % 256;
            step.b = (third >> 8) % 3;
            step.x = bound * 1024 + low % 1024;
        } else {
            step.x = x % 10 < 7 ? edge & MOST32 : low;
        }
    }

    function source(uint256 drawn) private pure returns (uint256) {
        return drawn % 20 < 19 ? (drawn >> 8) % 26 : (drawn >> 8) % 256;
    }

    function drawPlace(DrawnStep memory step, uint256 place, bool hostile) internal pure {
        step.slot = drawSlot(DrawsLibrary.number(place, 3), hostile, capped(step.slots()));
        step.word =
            drawWord(DrawsLibrary.number(place, 4), DrawsLibrary.number(place, 7), hostile, capped(step.outputWords()));
        uint256 pc = DrawsLibrary.number(place, 5);
        if (hostile && pc % 4 == 0) step.pc = (pc >> 8) % 65_536;
        else if (pc % 64 == 1) step.pc = step.codeLength;
        else step.pc = step.codeLength == 0 ? 0 : (pc >> 8) % step.codeLength;
        uint256 status = DrawsLibrary.number(place, 6);
        step.status = hostile && status % 10 == 0 ? 1 + (status >> 8) % 2 : 0;
    }

    function capped(uint256 value) private pure returns (uint256) {
        return value < MOST32 ? value : MOST32;
    }

    function drawSlot(uint256 drawn, bool hostile, uint256 slotCount) private pure returns (uint256) {
        uint256 mode = drawn % 16;
        uint256 rest = drawn >> 8;
        if (mode == 0) return slotCount;
        if (hostile && mode < 5) return DrawsLibrary.edgeNumber(rest);
        if (mode < 11) return slotCount > 1 + rest % 3 ? slotCount - 1 - rest % 3 : 0;
        return slotCount == 0 ? 0 : rest % slotCount;
    }

    function drawWord(uint256 drawn, uint256 other, bool hostile, uint256 count) private pure returns (uint256) {
        uint256 mode = drawn % 6;
        uint256 rest = drawn >> 8;
        if (mode < 2) return 0;
        if (mode == 5 && hostile) return DrawsLibrary.edgeNumber(other);
        if (mode == 5 && rest % 8 == 0) return count;
        if (count == 0) return 0;
        return mode == 2 || mode == 5 ? count - 1 : rest % count;
    }

    /// @notice Number of slots; the section counts have 32 bits.
    function slots(DrawnStep memory step) internal pure returns (uint256) {
        return step.prologue + step.maxIterations * step.body + step.epilogue;
    }

    /// @notice Elements in a word of the output.
    function lanes(DrawnStep memory step) internal pure returns (uint256) {
        return step.elementBytes == 4 ? 8 : 32;
    }

    /// @notice Words in a row of the output.
    function wordsPerRow(DrawnStep memory step) internal pure returns (uint256) {
        return (step.columns + step.lanes() - 1) / step.lanes();
    }

    /// @notice Words of the output.
    function outputWords(DrawnStep memory step) internal pure returns (uint256) {
        return step.rows * step.wordsPerRow();
    }
}
