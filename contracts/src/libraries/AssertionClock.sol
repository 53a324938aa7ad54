// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Assertion, AssertionPhase} from "../interfaces/IResultAssertions.sol";

/// @title The phases of an assertion
/// @notice Invariant 1: one pure function says where an assertion stands. `Final` and `Defeated` are for good: no game can be opened
/// in either, and a final assertion has none open.
library AssertionClock {
    /// @notice The phase at `time`; challenges are legal until just before `challengeableUntil`.
    function classify(Assertion memory assertion, uint256 time) internal pure returns (AssertionPhase) {
        if (assertion.sponsor == address(0)) return AssertionPhase.None;
        if (assertion.defeats > 0) return AssertionPhase.Defeated;
        if (time < assertion.challengeableUntil) return AssertionPhase.Challengeable;
        return assertion.openGames > 0 ? AssertionPhase.Disputed : AssertionPhase.Final;
    }
}
