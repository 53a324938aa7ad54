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

    /// @notice Charges the party to move for its turn and starts the other's. `classify` must have said that it may move, so that
    /// (invariant 2) a clock only ever falls, and never below one second while its owner is in the game.
    function handOver(Clock memory clock, uint256 time) internal pure {
        unchecked {
            // Below the remaining time, which has 32 bits.
            uint32 elapsed = uint32(time - clock.turnStartedAt);
            if (clock.recorded == GamePhase.ChallengerToMove) {
                clock.challengerRemaining -= elapsed;
                clock.challengerMoves += 1;
                clock.recorded = GamePhase.AsserterToMove;
            } else {
                clock.asserterRemaining -= elapsed;
                clock.asserterMoves += 1;
                clock.recorded = GamePhase.ChallengerToMove;
            }
        }
        clock.turnStartedAt = uint40(time);
    }

    /// @notice Stores a clock whole: one write, where assigning the struct takes several.
    function save(Clock storage clock, Clock memory value) internal {
        uint256 word = uint256(value.start) | uint256(value.end) << 56 | uint256(value.turnStartedAt) << 112
            | uint256(value.asserterRemaining) << 152 | uint256(value.challengerRemaining) << 184
            | uint256(value.recorded) << 216 | uint256(value.ending) << 224 | uint256(value.asserterMoves) << 232
            | uint256(value.challengerMoves) << 240 | (value.paidOut ? 1 << 248 : 0);
        assembly ("memory-safe") {
            sstore(clock.slot, word)
        }
    }
}
