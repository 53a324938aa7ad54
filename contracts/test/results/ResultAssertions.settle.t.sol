// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {GamePhase, GameTerms, IDissectionGame} from "../../src/interfaces/IDissectionGame.sol";
import {AssertionParameters, AssertionPhase, IResultAssertions} from "../../src/interfaces/IResultAssertions.sol";
import {Claims} from "../base/GamePlayer.sol";
import {Suite} from "../base/Suite.sol";
import {ContractPlayer} from "../fakes/ContractPlayer.sol";

contract ResultAssertions_Settle is Suite {
    bytes32 private requestId;

    function setUp() public override {
        super.setUp();
        requestId = ask("hello");
    }

    function gamePhase(GamePhase phase) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IDissectionGame.WrongPhase.selector, phase);
    }

    function test_settle_lostGame_succeeds() external {
        (bytes32 assertionId, GameTerms memory terms) = lostGame(requestId);
        assertPhase(assertionId, AssertionPhase.Challengeable);
        vm.expectEmit(true, true, true, true, address(results));
        emit IResultAssertions.Defeated(assertionId, idOf(terms));
        vm.expectEmit(true, true, true, true, address(results));
        emit IResultAssertions.GameSettled(assertionId, idOf(terms), challenger, false, BOUNTY);
        vm.prank(stranger);
        settle(terms, assertionId, requestId, wrongOutput);
        assertPhase(assertionId, AssertionPhase.Defeated);
        vm.assertEq(results.owed(challenger), BOUNTY);
        vm.warp(START + 100 * WINDOW);
        assertPhase(assertionId, AssertionPhase.Defeated);
        vm.assertFalse(results.isFinal(assertionId));
    }

    function test_settle_twice_succeeds() external {
        (bytes32 assertionId, GameTerms memory terms) = lostGame(requestId);
        settle(terms, assertionId, requestId, wrongOutput);
        settle(terms, assertionId, requestId, wrongOutput);
        vm.assertEq(results.owed(challenger), BOUNTY);
        vm.assertEq(results.assertion(assertionId).defeats, 1);
        vm.assertEq(results.assertion(assertionId).openGames, 0);
    }

    function test_settle_wonGame_succeeds() external {
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        (GameTerms memory terms, Claims memory opening) = challengeBy(challenger, assertionId, requestId, rightOutput);
        playOut(terms, opening, honest(), saying(wrongOutput, 77));
        vm.expectEmit(true, true, true, true, address(results));
        emit IResultAssertions.GameSettled(assertionId, idOf(terms), challenger, true, 0);
        settle(terms, assertionId, requestId, rightOutput);
        vm.assertEq(results.owed(challenger), 0);
        vm.assertEq(results.assertion(assertionId).openGames, 0);
        vm.assertFalse(results.isFinal(assertionId));
        vm.warp(START + WINDOW);
        vm.assertTrue(results.isFinal(assertionId));
    }

    /// One second before the clock runs out, at that second, and one second after; nobody has claimed the timeout.
    function test_settle_clock_succeeds() external {
        bytes32 assertionId = assertOutput(sponsor, requestId, wrongOutput);
        (GameTerms memory terms,) = challengeBy(challenger, assertionId, requestId, wrongOutput);
        vm.expectRevert(gamePhase(GamePhase.AsserterToAnswer));
        settle(terms, assertionId, requestId, wrongOutput);
        vm.warp(START + allowance - 1);
        vm.expectRevert(gamePhase(GamePhase.AsserterToAnswer));
        settle(terms, assertionId, requestId, wrongOutput);
        for (uint256 i = 0; i < 2; ++i) {
            uint256 before = vm.snapshotState();
            vm.warp(START + allowance + i);
            settle(terms, assertionId, requestId, wrongOutput);
            assertPhase(assertionId, AssertionPhase.Defeated);
            vm.assertEq(game.owed(challenger), challengerStake, "the game has ended, too");
            vm.revertToState(before);
        }
    }

    /// Terms are the game's, or no game's.
    function test_settle_forgedTerms_reverts(uint256 what) external {
        (bytes32 assertionId, GameTerms memory terms) = lostGame(requestId);
        what = what % 9;
        if (what == 0) terms.asserter = stranger;
        if (what == 1) terms.challenger = stranger;
        if (what == 2) terms.initialState = 0;
        if (what == 3) terms.steps += 1;
        if (what == 4) terms.allowance -= 1;
        if (what == 5) terms.asserterStake += 1;
        if (what == 6) terms.challengerStake += 1;
        if (what < 7) vm.expectRevert(gamePhase(GamePhase.None));
        if (what == 7) {
            terms.client = stranger;
            vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotTheClient.selector, address(results), stranger));
        }
        if (what == 8) {
            terms.binding = 0;
            vm.expectRevert(IResultAssertions.WrongGame.selector);
        }
        settle(terms, assertionId, requestId, wrongOutput);
    }

    /// A game of one assertion tells nothing of another's, nor of another entry.
    function test_settle_otherAssertion_reverts() external {
        (bytes32 assertionId, GameTerms memory terms) = lostGame(requestId);
        bytes32 other = assertOutput(sponsor, requestId, wrongOutput);
        bytes32 otherRequest = ask("other");
        vm.expectRevert(IResultAssertions.WrongGame.selector);
        settle(terms, other, requestId, wrongOutput);
        vm.expectRevert(IResultAssertions.WrongGame.selector);
        settle(terms, assertionId, otherRequest, wrongOutput);
        vm.expectRevert(IResultAssertions.WrongGame.selector);
        settle(terms, assertionId, requestId, rightOutput);
        assertPhase(other, AssertionPhase.Challengeable);
    }

    /// A game that anybody opens for itself, with a binding as if it were a challenge, is none.
    function test_settle_gameOfAnotherClient_reverts() external {
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        useContextOf(requestId);
        GameTerms memory sham = termsAgainst(stranger, assertionId, requestId, rightOutput);
        sham.client = stranger;
        Claims memory opening = openingOf(wrongOutput);
        vm.prank(stranger);
        game.open{value: challengerStake}(sham, splitOf(opening));
        vm.warp(START + allowance);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotTheClient.selector, address(results), stranger));
        settle(sham, assertionId, requestId, rightOutput);
        sham.client = address(results);
        vm.expectRevert(gamePhase(GamePhase.None));
        settle(sham, assertionId, requestId, rightOutput);
        vm.assertTrue(results.isFinal(assertionId) || block.timestamp < START + WINDOW);
        vm.assertEq(results.assertion(assertionId).defeats, 0);
    }

    function test_settle_finalOnlyAfterTheLastGame_succeeds() external {
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        vm.warp(START + WINDOW - 1);
        (GameTerms memory first, Claims memory opening) = challengeBy(challenger, assertionId, requestId, rightOutput);
        (GameTerms memory second,) = challengeBy(stranger, assertionId, requestId, rightOutput);
        playOut(first, opening, honest(), saying(wrongOutput, 77));
        playTurn(second, sponsor, opening, honest());
        settle(first, assertionId, requestId, rightOutput);
        vm.warp(START + WINDOW - 1 + allowance);
        assertPhase(assertionId, AssertionPhase.Disputed);
        settle(second, assertionId, requestId, rightOutput);
        vm.assertTrue(results.isFinal(assertionId));
    }

    function test_settle_rejectingChallenger_succeeds() external {
        ContractPlayer player = new ContractPlayer();
        challenger = address(player);
        vm.deal(challenger, 10 ether);
        bytes32 assertionId = assertOutput(sponsor, requestId, wrongOutput);
        (GameTerms memory terms,) = challengeBy(challenger, assertionId, requestId, wrongOutput);
        player.setAccepting(false);
        vm.warp(START + allowance);
        settle(terms, assertionId, requestId, wrongOutput);
        assertPhase(assertionId, AssertionPhase.Defeated);
        vm.expectRevert();
        results.withdraw(challenger);
        player.setAccepting(true);
        vm.assertEq(results.withdraw(challenger), BOUNTY);
    }

    /// Invariant 2: an instance lost on purpose takes nothing with it.
    function test_settle_truthLostOnPurpose_succeeds() external {
        bytes32 poisoned = assertOutput(stranger, requestId, rightOutput);
        (GameTerms memory terms,) = challengeBy(challenger, poisoned, requestId, rightOutput);
        vm.warp(START + allowance);
        settle(terms, poisoned, requestId, rightOutput);
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
        vm.expectEmit(true, true, true, true, address(results));
        emit IResultAssertions.BondReleased(assertionId, BOND, 0);
        vm.prank(stranger);
        results.withdrawBond(assertionId);
        vm.assertEq(results.withdraw(sponsor), BOND);
        vm.assertEq(sponsor.balance - before, BOND);
        vm.assertEq(address(results).balance, 0);
        vm.expectRevert(IResultAssertions.BondAlreadyReleased.selector);
        results.withdrawBond(assertionId);
        vm.assertTrue(results.isFinal(assertionId), "still final");
    }

    function test_withdrawBond_disputed_reverts() external {
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        vm.warp(START + WINDOW - 1);
        challengeBy(challenger, assertionId, requestId, rightOutput);
        vm.warp(START + 10 * WINDOW);
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.WrongPhase.selector, AssertionPhase.Disputed));
        results.withdrawBond(assertionId);
    }

    function test_withdrawBond_unknown_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.WrongPhase.selector, AssertionPhase.None));
        results.withdrawBond(keccak256("no assertion"));
    }

    /// Invariant 5: equal bounties while half of the bond lasts; the rest is burnt, after the last game.
    function test_withdrawBond_manyWinners_succeeds() external {
        bytes32 assertionId = assertOutput(sponsor, requestId, wrongOutput);
        GameTerms[] memory games = new GameTerms[](6);
        for (uint256 i = 0; i < games.length; ++i) {
            (games[i],) = challengeBy(actor(vm.toString(i)), assertionId, requestId, wrongOutput);
        }
        vm.warp(START + allowance);
        for (uint256 i = 0; i < games.length; ++i) {
            vm.assertEq(results.owed(actor(vm.toString(i))), 0);
            if (i > 0) {
                vm.expectRevert(abi.encodeWithSelector(IResultAssertions.GamesOpen.selector, games.length - i));
                results.withdrawBond(assertionId);
            }
            settle(games[i], assertionId, requestId, wrongOutput);
            vm.assertEq(results.owed(actor(vm.toString(i))), i < 4 ? BOUNTY : 0);
        }
        vm.expectEmit(true, true, true, true, address(results));
        emit IResultAssertions.BondReleased(assertionId, 0, BOND - 4 * BOUNTY);
        results.withdrawBond(assertionId);
        vm.assertEq(address(results).balance, BOND);
        vm.assertEq(results.owed(sponsor), 0);
        for (uint256 i = 0; i < 4; ++i) {
            results.withdraw(actor(vm.toString(i)));
        }
        vm.assertEq(address(results).balance, BOND - 4 * BOUNTY, "what is burnt stays");
        vm.expectRevert(IResultAssertions.BondAlreadyReleased.selector);
        results.withdrawBond(assertionId);
    }

    function test_withdrawBond_rejectingSponsor_succeeds() external {
        ContractPlayer player = new ContractPlayer();
        vm.deal(address(player), 10 ether);
        bytes32 assertionId = assertOutput(address(player), requestId, rightOutput);
        bytes32 other = assertOutput(sponsor, requestId, rightOutput);
        vm.warp(START + WINDOW);
        player.setAccepting(false);
        results.withdrawBond(assertionId);
        results.withdrawBond(other);
        vm.expectRevert();
        results.withdraw(address(player));
        vm.assertEq(results.withdraw(sponsor), BOND, "nobody else is touched");
        player.setAccepting(true);
        player.setCallOnReceive(address(results), abi.encodeCall(results.withdraw, (address(player))));
        vm.assertEq(results.withdraw(address(player)), BOND);
        vm.assertEq(address(player).balance, 10 ether);
        vm.assertEq(address(results).balance, 0);
    }

    function deployWith(AssertionParameters memory chosen) external {
        resultsWith(chosen);
    }

    function test_constructor_parameters_reverts() external {
        for (uint256 what = 0; what < 6; ++what) {
            AssertionParameters memory p = parameters();
            if (what == 0) p.bounty = 0;
            if (what == 1) p.stepsPerSecond = 1;
            if (what == 2) p.stakePerGigastep = 2 ** 90;
            if (what == 3) p.stepsPerSecond = 0;
            if (what == 4) p.baseAllowance = 0;
            if (what == 5) p.challengerFactor = 0;
            vm.expectRevert(IResultAssertions.InvalidParameters.selector);
            this.deployWith(p);
        }
    }

    function test_termsOf_growWithSteps_succeeds() external view {
        vm.assertEq(results.termsOf(2 ** 48).allowance, 1 days + uint256(2 ** 48) / 1_000_000 + 1);
        vm.assertEq(results.termsOf(2 ** 31).asserterStake, 0.022 ether);
        vm.assertEq(results.termsOf(2 ** 31).challengerStake, 0.22 ether);
        vm.assertEq(results.terms(requestId).allowance, allowance);
    }
}
