// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {GameTerms, IDissectionGame, Split} from "../../src/interfaces/IDissectionGame.sol";
import {AssertionPhase, Entry, IResultAssertions} from "../../src/interfaces/IResultAssertions.sol";
import {Claims} from "../base/GamePlayer.sol";
import {Suite} from "../base/Suite.sol";

/// @notice What an auditor tried beside the usual: an entry listed twice, sponsors that challenge themselves, parents out of thin air.
contract ResultAssertions_Review is Suite {
    /// The same entry at two places of a list is one game for a challenger: counted once, settled once, paid once.
    function test_review_entryListedTwice_succeeds() external {
        bytes32 requestId = ask("hello");
        bytes32[] memory requestIds = new bytes32[](2);
        bytes32[] memory outputs = new bytes32[](2);
        (requestIds[0], requestIds[1]) = (requestId, requestId);
        (outputs[0], outputs[1]) = (wrongOutput, wrongOutput);
        vm.prank(sponsor);
        bytes32 assertionId = results.assertResults{value: BOND}(0, requestIds, outputs);
        useContextOf(requestId);
        GameTerms memory terms = termsAgainst(challenger, assertionId, requestId, wrongOutput);
        Split memory split = splitOf(openingOf(rightOutput));
        bytes32[] memory path = one(keccak256(abi.encode(requestId, wrongOutput)));
        vm.prank(challenger);
        results.challenge{value: challengerStake}(
            assertionId, Entry(0, requestId, wrongOutput, path), abi.encode(rightOutput), split
        );
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.GameExists.selector, idOf(terms)));
        vm.prank(challenger);
        results.challenge{value: challengerStake}(
            assertionId, Entry(1, requestId, wrongOutput, path), abi.encode(rightOutput), split
        );
        vm.assertEq(results.assertion(assertionId).openGames, 1);
        vm.warp(START + allowance);
        results.settle(assertionId, requestId, wrongOutput, terms);
        results.settle(assertionId, requestId, wrongOutput, terms);
        vm.assertEq(results.owed(challenger), BOUNTY);
        vm.assertEq(results.assertion(assertionId).openGames, 0);
        results.withdrawBond(assertionId);
        vm.assertEq(address(results).balance, BOND, "half of it at most is anybody's");
    }

    /// A sponsor that challenges its own lie as often as bounties last gets back half of the bond at most, and never more than it brought.
    function test_review_sponsorAgainstItself_succeeds(uint256 games) external {
        games = bound(games, 1, 12);
        bytes32 requestId = ask("hello");
        bytes32 assertionId = assertOutput(sponsor, requestId, wrongOutput);
        GameTerms[] memory sham = new GameTerms[](games);
        for (uint256 i = 0; i < games; ++i) {
            address by = i == 0 ? sponsor : actor(vm.toString(i));
            (sham[i],) = challengeBy(by, assertionId, requestId, wrongOutput);
        }
        vm.warp(START + allowance);
        uint256 credited;
        for (uint256 i = 0; i < games; ++i) {
            results.settle(assertionId, requestId, wrongOutput, sham[i]);
            credited += results.owed(sham[i].challenger);
        }
        vm.assertLe(credited, BOND / 2);
        results.withdrawBond(assertionId);
        vm.assertEq(results.owed(sponsor), BOUNTY, "its own bounty, and nothing of the bond");
        assertPhase(assertionId, AssertionPhase.Defeated);
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.BondAlreadyReleased.selector));
        results.withdrawBond(assertionId);
    }

    /// No claim is final that nobody asserted: not that of an assertion that does not exist, nor a list that builds on such a claim or on itself.
    function test_review_parentOutOfThinAir_reverts(bytes32 invented) external {
        vm.assume(invented != 0);
        bytes32 requestId = ask("hello");
        bytes32 nobodys = results.claimOf(invented);
        bytes32 child = assertOutput(sponsor, invented, requestId, rightOutput);
        bytes32 other = assertOutput(sponsor, nobodys, requestId, rightOutput);
        bytes32 ownChild = assertOutput(sponsor, results.claimOf(child), requestId, rightOutput);
        vm.warp(results.assertion(ownChild).challengeableUntil);
        bytes32[4] memory all = [child, other, ownChild, child];
        for (uint256 i = 0; i < all.length; ++i) {
            assertPhase(all[i], AssertionPhase.Waiting);
            vm.expectRevert(abi.encodeWithSelector(IResultAssertions.WrongPhase.selector, AssertionPhase.Waiting));
            results.confirm(all[i]);
        }
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.WrongPhase.selector, AssertionPhase.None));
        results.confirm(invented);
        vm.assertFalse(results.confirmed(nobodys));
    }
}
