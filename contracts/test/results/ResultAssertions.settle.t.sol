// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {AssertionParameters, AssertionPhase, IResultAssertions} from "../../src/interfaces/IResultAssertions.sol";
import {Burn} from "../../src/libraries/Burn.sol";
import {Split} from "../base/GamePlayer.sol";
import {Suite} from "../base/Suite.sol";
import {ContractPlayer} from "../fakes/ContractPlayer.sol";

contract ResultAssertions_Settle is Suite {
    bytes32 private requestId;

    function setUp() public override {
        super.setUp();
        requestId = ask("hello");
    }

    function test_settle_lostGame_succeeds() external {
        (bytes32 assertionId, bytes32 gameId) = lostGame(requestId);
        assertPhase(assertionId, AssertionPhase.Challengeable);
        vm.expectEmit(true, true, true, true, address(results));
        emit IResultAssertions.Defeated(assertionId, gameId);
        vm.expectEmit(true, true, true, true, address(results));
        emit IResultAssertions.GameSettled(assertionId, gameId, challenger, false, BOUNTY);
        vm.prank(stranger);
        results.settle(gameId);
        assertPhase(assertionId, AssertionPhase.Defeated);
        vm.assertEq(results.owed(challenger), BOUNTY);
        vm.warp(START + 100 * WINDOW);
        assertPhase(assertionId, AssertionPhase.Defeated);
        vm.assertFalse(results.isFinal(assertionId));
    }

    function test_settle_twice_succeeds() external {
        (bytes32 assertionId, bytes32 gameId) = lostGame(requestId);
        results.settle(gameId);
        vm.recordLogs();
        results.settle(gameId);
        vm.assertEq(vm.getRecordedLogs().length, 0, "the second call does nothing");
        vm.assertEq(results.owed(challenger), BOUNTY);
        vm.assertEq(results.assertion(assertionId).defeats, 1);
        vm.assertEq(results.assertion(assertionId).openGames, 0);
    }

    function test_settle_unknownGame_succeeds() external {
        vm.recordLogs();
        results.settle(keccak256("no game"));
        vm.assertEq(vm.getRecordedLogs().length, 0);
    }

    function test_settle_wonGame_succeeds() external {
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        bytes32 gameId = challengeBy(challenger, assertionId, requestId, rightOutput);
        Split memory answer = answerBy(sponsor, gameId, requestId, rightOutput, honest());
        playOut(gameId, answer, honest(), liar(77));
        results.settle(gameId);
        vm.assertEq(results.owed(challenger), 0);
        vm.assertEq(results.assertion(assertionId).openGames, 0);
        vm.assertFalse(results.isFinal(assertionId));
        vm.warp(START + WINDOW);
        vm.assertTrue(results.isFinal(assertionId));
    }

    function test_settle_running_reverts() external {
        bytes32 assertionId = assertOutput(sponsor, requestId, wrongOutput);
        bytes32 gameId = challengeBy(challenger, assertionId, requestId, wrongOutput);
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.GameNotOver.selector, gameId));
        results.settle(gameId);
        vm.warp(START + allowance - 1);
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.GameNotOver.selector, gameId));
        results.settle(gameId);
        // A clock that has run out counts whether or not somebody has recorded it.
        vm.warp(START + allowance);
        results.settle(gameId);
        assertPhase(assertionId, AssertionPhase.Defeated);
    }

    function test_settle_finalOnlyAfterTheLastGame_succeeds() external {
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        vm.warp(START + WINDOW - 1);
        bytes32 first = challengeBy(challenger, assertionId, requestId, rightOutput);
        bytes32 second = challengeBy(stranger, assertionId, requestId, rightOutput);
        playOut(first, answerBy(sponsor, first, requestId, rightOutput, honest()), honest(), liar(5));
        answerBy(sponsor, second, requestId, rightOutput, honest());
        results.settle(first);
        vm.warp(START + WINDOW - 1 + allowance);
        assertPhase(assertionId, AssertionPhase.Disputed);
        results.settle(second);
        vm.assertTrue(results.isFinal(assertionId));
    }

    function test_settle_rejectingChallenger_succeeds() external {
        ContractPlayer player = new ContractPlayer();
        challenger = address(player);
        vm.deal(challenger, 10 ether);
        bytes32 assertionId = assertOutput(sponsor, requestId, wrongOutput);
        bytes32 gameId = challengeBy(challenger, assertionId, requestId, wrongOutput);
        player.setAccepting(false);
        vm.warp(START + allowance);
        results.settle(gameId);
        assertPhase(assertionId, AssertionPhase.Defeated);
        vm.expectRevert();
        results.withdraw(challenger);
        player.setAccepting(true);
        vm.assertEq(results.withdraw(challenger), BOUNTY);
    }

    /// Invariant 2: an instance lost on purpose takes nothing with it.
    function test_settle_truthLostOnPurpose_succeeds() external {
        bytes32 poisoned = assertOutput(stranger, requestId, rightOutput);
        bytes32 gameId = challengeBy(challenger, poisoned, requestId, rightOutput);
        vm.warp(START + allowance);
        results.settle(gameId);
        assertPhase(poisoned, AssertionPhase.Defeated);
        bytes32 again = assertOutput(sponsor, requestId, rightOutput);
        vm.warp(START + allowance + WINDOW);
        vm.assertTrue(results.isFinal(again));
    }
}

contract ResultAssertions_WithdrawBond is Suite {
    bytes32 private requestId;

    function setUp() public override {
        super.setUp();
        requestId = ask("hello");
    }

    function test_withdrawBond_final_succeeds() external {
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        vm.warp(START + WINDOW - 1);
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.WrongPhase.selector, AssertionPhase.Challengeable));
        results.withdrawBond(assertionId);
        vm.warp(START + WINDOW);
        uint256 before = sponsor.balance;
        vm.prank(stranger);
        results.withdrawBond(assertionId);
        vm.assertEq(sponsor.balance - before, BOND);
        vm.assertEq(address(results).balance, 0);
        vm.expectRevert(IResultAssertions.BondAlreadyReleased.selector);
        results.withdrawBond(assertionId);
        vm.assertTrue(results.isFinal(assertionId), "still final");
    }

    function test_withdrawBond_unknown_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.WrongPhase.selector, AssertionPhase.None));
        results.withdrawBond(keccak256("no assertion"));
    }

    /// Invariant 5: equal bounties while half of the bond lasts; the rest is burnt, after the last game.
    function test_withdrawBond_manyWinners_succeeds() external {
        bytes32 assertionId = assertOutput(sponsor, requestId, wrongOutput);
        bytes32[] memory games = new bytes32[](6);
        for (uint256 i = 0; i < games.length; ++i) {
            games[i] = challengeBy(actor(vm.toString(i)), assertionId, requestId, wrongOutput);
        }
        vm.warp(START + allowance);
        for (uint256 i = 0; i < games.length; ++i) {
            vm.assertEq(results.owed(actor(vm.toString(i))), 0);
            if (i > 0) {
                vm.expectRevert(abi.encodeWithSelector(IResultAssertions.GamesOpen.selector, games.length - i));
                results.withdrawBond(assertionId);
            }
            results.settle(games[i]);
            vm.assertEq(results.owed(actor(vm.toString(i))), i < 4 ? BOUNTY : 0);
        }
        uint256 burnt = Burn.ADDRESS.balance;
        results.withdrawBond(assertionId);
        vm.assertEq(Burn.ADDRESS.balance - burnt, BOND - 4 * BOUNTY);
        vm.assertEq(address(results).balance, 4 * BOUNTY, "what it owes");
        for (uint256 i = 0; i < 4; ++i) {
            results.withdraw(actor(vm.toString(i)));
        }
        vm.assertEq(address(results).balance, 0);
        vm.expectRevert(IResultAssertions.BondAlreadyReleased.selector);
        results.withdrawBond(assertionId);
    }

    function test_withdrawBond_rejectingSponsor_reverts() external {
        ContractPlayer player = new ContractPlayer();
        vm.deal(address(player), 10 ether);
        bytes32 assertionId = assertOutput(address(player), requestId, rightOutput);
        bytes32 other = assertOutput(sponsor, requestId, rightOutput);
        vm.warp(START + WINDOW);
        player.setAccepting(false);
        vm.expectRevert();
        results.withdrawBond(assertionId);
        results.withdrawBond(other);
        player.setAccepting(true);
        player.setCallOnReceive(address(results), abi.encodeCall(results.withdrawBond, (assertionId)));
        results.withdrawBond(assertionId);
        vm.assertFalse(player.reentered());
        vm.assertEq(address(results).balance, 0);
    }

    function deployWith(AssertionParameters memory chosen) external {
        resultsWith(chosen);
    }

    function test_constructor_parameters_reverts() external {
        AssertionParameters memory p = parameters();
        p.bounty = 0;
        vm.expectRevert(IResultAssertions.InvalidParameters.selector);
        this.deployWith(p);
        p = parameters();
        p.stepsPerSecond = 1;
        vm.expectRevert(IResultAssertions.InvalidParameters.selector);
        this.deployWith(p);
        p = parameters();
        p.stakePerGigastep = 2 ** 90;
        vm.expectRevert(IResultAssertions.InvalidParameters.selector);
        this.deployWith(p);
    }

    function test_termsOf_growWithSteps_succeeds() external view {
        vm.assertEq(results.termsOf(2 ** 48).allowance, 1 days + uint256(2 ** 48) / 1_000_000 + 1);
        vm.assertEq(results.termsOf(2 ** 31).asserterStake, 0.022 ether);
        vm.assertEq(results.termsOf(2 ** 31).challengerStake, 0.22 ether);
        vm.assertEq(results.terms(requestId).allowance, allowance);
    }
}
