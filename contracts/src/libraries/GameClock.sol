// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Clock, GamePhase} from "../interfaces/IDissectionGame.sol";

/// @title Chess clocks
/// @notice Invariant 1: one pure function, `classify`, says where a game stands at a moment, and every entry point asks it and
/// nothing else. So at no moment are both a move and a claim of its timeout legal, and at every moment one of them is, until the end.
library GameClock {
    /// @notice The phase at `time`: as recorded, unless the clock of the party to move has run out (elapsed ≥ remaining).
    function classify(Clock memory clock, uint256 time) internal pure returns (GamePhase) {
        GamePhase recorded = clock.recorded;
        uint256 elapsed = time - clock.turnStartedAt;
        if (recorded == GamePhase.AsserterToAnswer || recorded == GamePhase.AsserterToMove) {
            return elapsed >= clock.asserterRemaining ? GamePhase.ChallengerWon : recorded;
        }
        if (recorded == GamePhase.ChallengerToMove) {
            return elapsed >= clock.challengerRemaining ? GamePhase.AsserterWon : recorded;
        }
        return recorded;
    }

    /// @notice True if a phase is an end.
    function isOver(GamePhase phase) internal pure returns (bool) {
        return phase == GamePhase.AsserterWon || phase == GamePhase.ChallengerWon;
    }

    /// @notice Charges the party to move for its turn and starts the other's. `classify` must have said that it may move, so that
    /// (invariant 2) a clock only ever falls, and never below one second while its owner is in the game.
    /// @param work what the move is metered at, in hundreds of gas.
    function handOver(Clock memory clock, uint256 time, uint256 work) internal pure {
        unchecked {
            // Below the remaining time, which has 32 bits.
            uint32 elapsed = uint32(time - clock.turnStartedAt);
            // A game has at most 48 moves, so that no sum of them reaches 2^16.
            if (clock.recorded == GamePhase.ChallengerToMove) {
                clock.challengerRemaining -= elapsed;
                clock.challengerWork += uint16(work);
                clock.recorded = GamePhase.AsserterToMove;
            } else {
                clock.asserterRemaining -= elapsed;
                clock.asserterWork += uint16(work);
                clock.recorded = GamePhase.ChallengerToMove;
            }
        }
        clock.turnStartedAt = uint40(time);
    }

    /// @notice Stores a clock whole: one write, where assigning the struct takes several.
    function save(Clock storage clock, Clock memory value) internal {
        uint256 word = uint256(value.start) | uint256(value.end) << 48 | uint256(value.turnStartedAt) << 104
            | uint256(value.asserterRemaining) << 144 | uint256(value.challengerRemaining) << 176
            | uint256(value.recorded) << 208 | (value.closed ? 1 << 216 : 0) | uint256(value.asserterWork) << 224
            | uint256(value.challengerWork) << 240;
        assembly ("memory-safe") {
            sstore(clock.slot, word)
        }
    }
}
