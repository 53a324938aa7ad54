// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Descriptor} from "./Descriptor.sol";
import {Instruction} from "./Instruction.sol";
import {OperatorPlace, Program} from "./Program.sol";
import {MachineState} from "./StateEncoding.sol";

/// @notice Everything that an instruction sees.
struct Scope {
    MachineState state;
    Program program;
    OperatorPlace place;
    Descriptor descriptor;
    bytes32 inputCommitment;
    bytes32 seed;
    uint256 row;
    uint256 column;
    /// @dev Lanes of the word that exist: LANES.
    uint256 laneCount;
    Instruction instruction;
}

using Sources for Scope global;

/// @title Sources
/// @notice The numbered values that instructions read; each is 64 bits, sign-extended.
library Sources {
    uint256 private constant COUNTERS = 16;
    uint256 private constant ITERATION = 20;
    uint256 private constant ROW = 21;
    uint256 private constant COLUMN = 22;
    uint256 private constant LANES = 23;
    uint256 private constant IMMEDIATE = 24;

    /// @notice The value of source `number`, given the instruction's immediate; 0 for numbers that name nothing.
    function source(Scope memory scope, uint256 number, int256 immediate) internal pure returns (int256) {
        if (number < COUNTERS) return scope.state.scalar(number);
        if (number < ITERATION) return int256(scope.state.counter(number - COUNTERS));
        if (number == IMMEDIATE) return immediate;
        if (number == ITERATION) return int256(scope.place.iteration);
        if (number == ROW) return int256(scope.row);
        if (number == COLUMN) return int256(scope.column);
        if (number == LANES) return int256(scope.laneCount);
        return 0;
    }

    /// @notice Sources `a` and `b` of an instruction.
    function two(Scope memory scope) internal pure returns (int256 a, int256 b) {
        int256 immediate = scope.instruction.immediate();
        a = scope.source(scope.instruction.a(), immediate);
        b = scope.source(scope.instruction.b(), immediate);
    }

    /// @notice Sources `a`, `b` and `c` of a three-source instruction.
    function three(Scope memory scope) internal pure returns (int256 a, int256 b, int256 c) {
        int256 immediate = scope.instruction.shortImmediate();
        a = scope.source(scope.instruction.a(), immediate);
        b = scope.source(scope.instruction.b(), immediate);
        c = scope.source(scope.instruction.c(), immediate);
    }
}
