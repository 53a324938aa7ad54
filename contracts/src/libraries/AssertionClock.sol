// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Assertion, AssertionPhase} from "../interfaces/IResultAssertions.sol";

/// @title The phases of an assertion
/// @notice Invariant 1: one pure function says where an assertion stands. `Final` and `Defeated` are for good: no game can be opened
/// in either, and a final assertion has none open. Only its parent's finality can still change a waiting one, and only to `Final`.
library AssertionClock {
    /// @notice The phase at `time`; challenges are legal until just before `challengeableUntil`.
    /// @param parentConfirmed whether the list that it builds on, if any, is final.
    function classify(Assertion memory assertion, bool parentConfirmed, uint256 time)
        internal
        pure
        returns (AssertionPhase)
    {
        if (assertion.sponsor == address(0)) return AssertionPhase.None;
        if (assertion.defeats > 0) return AssertionPhase.Defeated;
        if (time < assertion.challengeableUntil) return AssertionPhase.Challengeable;
        if (assertion.openGames > 0) return AssertionPhase.Disputed;
        return parentConfirmed ? AssertionPhase.Final : AssertionPhase.Waiting;
    }
}
