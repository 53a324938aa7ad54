// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Assertion, AssertionPhase} from "../interfaces/IResultAssertions.sol";

/// @title The phases of an assertion
/// @notice Invariant 1: one function says where an assertion stands. `Final` and `Defeated` are for good: no game can be opened
/// in either, and a final assertion has none open. Only its parent's finality can still change a waiting one, and only to `Final`.
library AssertionClock {
    /// @notice The phase at `time`; challenges are legal until just before `challengeableUntil`.
    /// @param confirmed the claims that are final. What an assertion builds on matters last, so that most calls need not read it.
    function classify(Assertion storage assertion, mapping(bytes32 claim => bool) storage confirmed, uint256 time)
        internal
        view
        returns (AssertionPhase)
    {
        if (assertion.sponsor == address(0)) return AssertionPhase.None;
        if (assertion.defeats > 0) return AssertionPhase.Defeated;
        if (time < assertion.challengeableUntil) return AssertionPhase.Challengeable;
        if (assertion.openGames > 0) return AssertionPhase.Disputed;
        bytes32 parent = assertion.parent;
        return parent == 0 || confirmed[parent] ? AssertionPhase.Final : AssertionPhase.Waiting;
    }
}
