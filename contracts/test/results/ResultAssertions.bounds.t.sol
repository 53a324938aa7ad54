// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {GameTerms} from "../../src/interfaces/IDissectionGame.sol";
import {AssertionParameters, AssertionPhase, IResultAssertions} from "../../src/interfaces/IResultAssertions.sol";
import {Suite} from "../base/Suite.sol";

interface IMaxBounties {
    function MAX_BOUNTIES() external view returns (uint256);
}

/// @notice The last value that is taken and the first that is not, wherever the contract draws a line.
contract ResultAssertions_Bounds is Suite {
    uint256 private constant MOST_DEFEATS = 255;

    function deployWith(AssertionParameters memory chosen) external returns (IResultAssertions) {
        return resultsWith(chosen);
    }

    /// @dev 2^48 steps at 2^17 a second take 2^31 seconds; a game's clocks have 32 bits.
    function test_constructor_longestClock_isTaken() external {
        AssertionParameters memory p = parameters();
        p.stepsPerSecond = 2 ** 17;
        p.baseAllowance = 2 ** 31 - 1;
        vm.assertEq(this.deployWith(p).termsOf(2 ** 48).allowance, uint256(type(uint32).max));
        p.baseAllowance += 1;
        vm.expectRevert(IResultAssertions.InvalidParameters.selector);
        this.deployWith(p);
    }

    /// @dev 2^48 steps are 2^18 times 2^30; a stake has 96 bits.
    function test_constructor_greatestStake_isTaken() external {
        AssertionParameters memory p = parameters();
        p.challengerFactor = 3;
        p.baseStake = uint256(type(uint96).max) / 3 - 2 ** 18 * p.stakePerGigastep;
        vm.assertEq(this.deployWith(p).termsOf(2 ** 48).challengerStake, uint256(type(uint96).max));
        p.baseStake += 1;
        vm.expectRevert(IResultAssertions.InvalidParameters.selector);
        this.deployWith(p);
    }

    function test_constructor_leastParameters_areTaken() external {
        AssertionParameters memory p = parameters();
        (p.bounty, p.challengerFactor, p.baseAllowance, p.stakePerGigastep) = (1, 1, 1, 0);
        IResultAssertions least = this.deployWith(p);
        vm.assertEq(least.termsOf(0).allowance, 1);
        vm.assertEq(least.termsOf(2 ** 48).challengerStake, p.baseStake);
    }

    function test_maxBounties_saturates_succeeds() external {
        uint256[4] memory winners = [uint256(4), 254, MOST_DEFEATS, MOST_DEFEATS + 1];
        for (uint256 i = 0; i < winners.length; ++i) {
            AssertionParameters memory p = parameters();
            p.bounty = 1000;
            p.bond = 2000 * winners[i] + 1999;
            uint256 most = winners[i] < MOST_DEFEATS ? winners[i] : MOST_DEFEATS;
            vm.assertEq(IMaxBounties(address(this.deployWith(p))).MAX_BOUNTIES(), most);
        }
    }

    /// @dev The end of the time for challenges has 40 bits.
    function test_assertResults_latestEnd_isTaken() external {
        bytes32 requestId = ask("hello");
        AssertionParameters memory p = parameters();
        p.window = type(uint40).max - START;
        IResultAssertions patient = this.deployWith(p);
        bytes32 assertionId = patient.assertResults{value: BOND}(0, one(requestId), one(rightOutput));
        vm.assertEq(patient.assertion(assertionId).challengeableUntil, uint256(type(uint40).max));
        p.window += 1;
        patient = this.deployWith(p);
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.TooMuchWork.selector, 2 ** 40));
        patient.assertResults{value: BOND}(0, one(requestId), one(rightOutput));
    }

    function test_assertResults_mostEntries_areTaken() external {
        bytes32 requestId = ask("hello");
        bytes32[] memory requestIds = new bytes32[](65_535);
        bytes32[] memory outputs = new bytes32[](65_535);
        for (uint256 i = 0; i < requestIds.length; ++i) {
            (requestIds[i], outputs[i]) = (requestId, rightOutput);
        }
        bytes32 assertionId = results.assertResults{value: BOND}(0, requestIds, outputs);
        vm.assertEq(results.assertion(assertionId).count, 65_535);
    }

    function test_termsOf_allowance_roundsUp() external view {
        vm.assertEq(results.termsOf(0).allowance, 1 days);
        vm.assertEq(results.termsOf(1).allowance, 1 days + 1);
        vm.assertEq(results.termsOf(1_000_000).allowance, 1 days + 1);
        vm.assertEq(results.termsOf(1_000_001).allowance, 1 days + 2);
    }

    /// More defeats than are counted stop neither a settlement nor the bond.
    function test_settle_moreDefeatsThanAreCounted_succeeds() external {
        bytes32 requestId = ask("hello");
        bytes32 assertionId = assertOutput(sponsor, requestId, wrongOutput);
        uint256 count = MOST_DEFEATS + 2;
        GameTerms[] memory games = new GameTerms[](count);
        for (uint256 i = 0; i < count; ++i) {
            (games[i],) = challengeBy(actor(vm.toString(i)), assertionId, requestId, wrongOutput);
        }
        vm.warp(START + allowance);
        for (uint256 i = 0; i < count; ++i) {
            settle(games[i], assertionId, requestId, wrongOutput);
            uint256 defeats = i < MOST_DEFEATS ? i + 1 : MOST_DEFEATS;
            vm.assertEq(results.assertion(assertionId).defeats, defeats);
        }
        vm.assertEq(results.assertion(assertionId).openGames, 0);
        results.withdrawBond(assertionId);
        assertPhase(assertionId, AssertionPhase.Defeated);
    }
}
