// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IBatch} from "../../src/interfaces/IBatch.sol";
import {GameTerms} from "../../src/interfaces/IDissectionGame.sol";
import {AssertionPhase, Entry, IResultAssertions} from "../../src/interfaces/IResultAssertions.sol";
import {ISpendableCredit} from "../../src/interfaces/ISpendableCredit.sol";
import {Claims} from "../base/GamePlayer.sol";
import {Suite} from "../base/Suite.sol";

/// @notice Many assertions, challenges and settlements in one transaction, paid for by credit.
contract ResultAssertions_Batch is Suite {
    function assertCall(bytes32 requestId, bytes32 output) private pure returns (bytes memory) {
        return abi.encodeCall(IResultAssertions.assertResults, (0, one(requestId), one(output)));
    }

    function test_batch_assertions_succeeds() external {
        bytes[] memory calls = new bytes[](3);
        for (uint256 i = 0; i < 3; ++i) {
            calls[i] = assertCall(ask("hello"), rightOutput);
        }
        calls[1] = assertCall(keccak256("no request"), rightOutput);
        results.deposit{value: 2 * BOND}(sponsor);
        vm.prank(sponsor);
        bool[] memory succeeded = results.batch(calls);
        vm.assertTrue(succeeded[0] && !succeeded[1] && succeeded[2]);
        vm.assertEq(results.owed(sponsor), 0);
        vm.assertEq(address(results).balance, 2 * BOND);
    }

    function test_batch_challenges_succeeds() external {
        bytes32 requestId = ask("hello");
        bytes32 lie = assertOutput(sponsor, requestId, wrongOutput);
        bytes32 another = assertOutput(sponsor, requestId, wrongOutput);
        useContextOf(requestId);
        Entry memory entry = entryOf(requestId, wrongOutput);
        Claims memory opening = openingOf(rightOutput);
        bytes[] memory calls = new bytes[](3);
        bytes memory end = abi.encode(rightOutput);
        calls[0] = abi.encodeCall(IResultAssertions.challenge, (lie, entry, end, splitOf(opening)));
        calls[1] = calls[0];
        calls[2] = abi.encodeCall(IResultAssertions.challenge, (another, entry, end, splitOf(opening)));
        results.deposit{value: 3 * uint256(challengerStake)}(challenger);
        vm.prank(challenger);
        bool[] memory succeeded = results.batch(calls);
        vm.assertTrue(succeeded[0] && !succeeded[1] && succeeded[2], "the same challenge twice is one");
        vm.assertEq(results.owed(challenger), challengerStake, "what failed cost nothing");
        vm.assertEq(address(game).balance, 2 * uint256(challengerStake), "the stakes are in the game");
        vm.assertEq(results.assertion(lie).openGames, 1);
    }

    function test_batch_settlements_succeeds() external {
        bytes32 requestId = ask("hello");
        bytes32 lie = assertOutput(sponsor, requestId, wrongOutput);
        bytes[] memory calls = new bytes[](4);
        for (uint256 i = 0; i < 3; ++i) {
            (GameTerms memory terms,) = challengeBy(actor(vm.toString(i)), lie, requestId, wrongOutput);
            calls[i] = abi.encodeCall(IResultAssertions.settle, (lie, requestId, wrongOutput, terms));
        }
        calls[3] = abi.encodeCall(IResultAssertions.withdrawBond, (lie));
        vm.warp(START + allowance);
        vm.prank(stranger);
        bool[] memory succeeded = results.batch(calls);
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertTrue(succeeded[i]);
        }
        assertPhase(lie, AssertionPhase.Defeated);
        vm.assertEq(results.assertion(lie).defeats, 3);
    }

    function test_batch_value_succeeds() external {
        bytes[] memory calls = new bytes[](2);
        calls[0] = assertCall(ask("hello"), rightOutput);
        calls[1] = calls[0];
        vm.expectEmit(true, true, true, true, address(results));
        emit IBatch.BatchItemFailed(1, abi.encodeWithSelector(ISpendableCredit.WrongValue.selector, BOND / 2, BOND));
        vm.prank(sponsor);
        bool[] memory succeeded = results.batch{value: BOND + BOND / 2}(calls);
        vm.assertTrue(succeeded[0] && !succeeded[1], "one bond");
        vm.assertEq(results.owed(sponsor), BOND / 2);
        vm.assertEq(address(results).balance, BOND + BOND / 2);
    }

    function test_credit_ofAnother_reverts() external {
        results.deposit{value: BOND}(sponsor);
        bytes32[] memory requestIds = one(ask("hello"));
        vm.expectRevert(abi.encodeWithSelector(ISpendableCredit.WrongValue.selector, 0, BOND));
        vm.prank(stranger);
        results.assertResults(0, requestIds, one(rightOutput));
        vm.prank(sponsor);
        results.assertResults(0, requestIds, one(rightOutput));
        vm.assertEq(results.owed(sponsor), 0);
    }

    /// A bond that came back pays for the next.
    function test_credit_ofABond_succeeds(uint256 value) external {
        value = value % (BOND + 1);
        bytes32 requestId = ask("hello");
        results.withdrawBond(finalAssertion(requestId));
        vm.assertEq(results.owed(sponsor), BOND);
        vm.prank(sponsor);
        results.assertResults{value: value}(0, one(requestId), one(rightOutput));
        vm.assertEq(results.owed(sponsor), value);
        vm.assertEq(address(results).balance, BOND + value);
    }
}
