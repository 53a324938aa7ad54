// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Game, GamePhase, IDissectionGame, OpenParameters} from "../../src/interfaces/IDissectionGame.sol";
import {AssertionPhase, IResultAssertions} from "../../src/interfaces/IResultAssertions.sol";
import {Split} from "../base/GamePlayer.sol";
import {Suite} from "../base/Suite.sol";

contract ResultAssertions_Challenge is Suite {
    bytes32 private requestId;
    bytes32 private assertionId;

    function setUp() public override {
        super.setUp();
        requestId = ask("hello");
        assertionId = assertOutput(sponsor, requestId, wrongOutput);
        useContextOf(requestId);
    }

    function test_challenge_opened_succeeds() external {
        bytes32 gameId = challengeBy(challenger, assertionId, requestId, wrongOutput);
        Game memory opened = game.game(gameId);
        OpenParameters memory agreed = OpenParameters({
            asserter: sponsor,
            challenger: challenger,
            initialState: machine.stateAt(context, 0),
            binding: keccak256(abi.encode(assertionId, requestId, wrongOutput)),
            steps: uint64(stepCount()),
            allowance: allowance,
            asserterStake: asserterStake
        });
        vm.assertEq(gameId, keccak256(abi.encode(address(results), agreed, uint256(challengerStake))));
        vm.assertEq(opened.asserter, sponsor);
        vm.assertEq(opened.clock.end, stepCount());
        vm.assertEq(opened.challenger, challenger);
        vm.assertEq(opened.challengerStake, 10 * uint256(opened.asserterStake));
        vm.assertEq(opened.clock.asserterRemaining, 1 days + 1);
        vm.assertEq(results.assertionOf(gameId), assertionId);
        vm.assertEq(results.assertion(assertionId).openGames, 1);
    }

    function test_challenge_lastSecond_succeeds() external {
        vm.warp(START + WINDOW - 1);
        challengeBy(challenger, assertionId, requestId, wrongOutput);
        assertPhase(assertionId, AssertionPhase.Challengeable);
        vm.warp(START + WINDOW);
        assertPhase(assertionId, AssertionPhase.Disputed);
    }

    function test_challenge_afterTheWindow_reverts() external {
        vm.warp(START + WINDOW);
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.WrongPhase.selector, AssertionPhase.Final));
        challengeBy(challenger, assertionId, requestId, wrongOutput);
    }

    function test_challenge_disputedAfterTheWindow_reverts() external {
        challengeBy(challenger, assertionId, requestId, wrongOutput);
        vm.warp(START + WINDOW);
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.WrongPhase.selector, AssertionPhase.Disputed));
        challengeBy(stranger, assertionId, requestId, wrongOutput);
    }

    function test_challenge_defeated_reverts() external {
        bytes32 gameId = challengeBy(challenger, assertionId, requestId, wrongOutput);
        playOut(gameId, answerBy(sponsor, gameId, requestId, wrongOutput, liar(9)), liar(9), honest());
        results.settle(gameId);
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.WrongPhase.selector, AssertionPhase.Defeated));
        challengeBy(stranger, assertionId, requestId, wrongOutput);
    }

    function test_challenge_unknownAssertion_reverts() external {
        bytes32 unknown = keccak256("no assertion");
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.UnknownAssertion.selector, unknown));
        challengeBy(challenger, unknown, requestId, wrongOutput);
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.UnknownAssertion.selector, bytes32(0)));
        challengeBy(challenger, 0, requestId, wrongOutput);
    }

    function test_challenge_notAnEntry_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.NotAnEntry.selector, assertionId, 0));
        challengeBy(challenger, assertionId, requestId, rightOutput);
        bytes32 other = ask("other");
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.NotAnEntry.selector, assertionId, 0));
        challengeBy(challenger, assertionId, other, wrongOutput);
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.NotAnEntry.selector, assertionId, 1));
        vm.prank(challenger);
        results.challenge{value: challengerStake}(assertionId, 1, requestId, wrongOutput, new bytes32[](0));
    }

    function test_challenge_wrongStake_reverts() external {
        vm.expectRevert(
            abi.encodeWithSelector(IResultAssertions.WrongValue.selector, challengerStake - 1, challengerStake)
        );
        vm.prank(challenger);
        results.challenge{value: challengerStake - 1}(assertionId, 0, requestId, wrongOutput, new bytes32[](0));
    }

    function test_challenge_manySideBySide_succeeds() external {
        bytes32[] memory games = new bytes32[](20);
        for (uint256 i = 0; i < games.length; ++i) {
            games[i] = challengeBy(actor(vm.toString(i)), assertionId, requestId, wrongOutput);
            for (uint256 k = 0; k < i; ++k) {
                vm.assertNotEq(games[i], games[k]);
            }
        }
        vm.assertEq(results.assertion(assertionId).openGames, 20);
    }

    function test_challenge_sameChallengerTwice_reverts() external {
        bytes32 gameId = challengeBy(challenger, assertionId, requestId, wrongOutput);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.GameExists.selector, gameId));
        challengeBy(challenger, assertionId, requestId, wrongOutput);
    }

    function test_answer_sponsor_succeeds() external {
        bytes32 gameId = challengeBy(challenger, assertionId, requestId, wrongOutput);
        Split memory split = answerBy(sponsor, gameId, requestId, wrongOutput, liar(9));
        vm.assertEq(game.game(gameId).claims, claimsOf(split));
        vm.assertEq(game.game(gameId).asserter, sponsor);
        vm.assertEq(uint256(game.phase(gameId)), uint256(GamePhase.ChallengerToMove));
    }

    function test_answer_delegate_succeeds() external {
        bytes32 gameId = challengeBy(challenger, assertionId, requestId, wrongOutput);
        vm.prank(sponsor);
        game.setDelegate(stranger, true);
        answerBy(stranger, gameId, requestId, wrongOutput, liar(9));
        vm.assertEq(game.game(gameId).asserter, sponsor);
    }

    function test_answer_others_reverts() external {
        bytes32 gameId = challengeBy(challenger, assertionId, requestId, wrongOutput);
        bytes32[] memory states = payloadOf(answerSplit(liar(9), wrongOutput), false);
        address[2] memory others = [challenger, stranger];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IResultAssertions.NotTheSponsor.selector, others[i], sponsor));
            vm.prank(others[i]);
            results.answer{value: asserterStake}(gameId, requestId, wrongOutput, abi.encode(wrongOutput), states);
        }
    }

    function test_answer_otherOutput_reverts() external {
        bytes32 gameId = challengeBy(challenger, assertionId, requestId, wrongOutput);
        bytes32[] memory states = payloadOf(answerSplit(honest(), rightOutput), false);
        // The final state must hold the output that was asserted …
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.WrongOutput.selector, rightOutput, wrongOutput));
        vm.prank(sponsor);
        results.answer{value: asserterStake}(gameId, requestId, wrongOutput, abi.encode(rightOutput), states);
        // … and the output that of the entry that was challenged.
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotTheGameOpened.selector, gameId));
        vm.prank(sponsor);
        results.answer{value: asserterStake}(gameId, requestId, rightOutput, abi.encode(rightOutput), states);
    }

    function test_answer_otherRequest_reverts() external {
        bytes32 gameId = challengeBy(challenger, assertionId, requestId, wrongOutput);
        bytes32 other = ask("hello");
        bytes32[] memory states = payloadOf(answerSplit(liar(9), wrongOutput), false);
        // The same input asked again has the same states; the entry that was challenged is another all the same.
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotTheGameOpened.selector, gameId));
        vm.prank(sponsor);
        results.answer{value: asserterStake}(gameId, other, wrongOutput, abi.encode(wrongOutput), states);
    }

    function test_answer_unknownGame_reverts() external {
        bytes32 unknown = keccak256("no game");
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.UnknownGame.selector, unknown));
        results.answer(unknown, requestId, wrongOutput, "", new bytes32[](0));
    }

    function test_answer_directly_reverts() external {
        bytes32 gameId = challengeBy(challenger, assertionId, requestId, wrongOutput);
        bytes32[] memory states = payloadOf(answerSplit(liar(9), wrongOutput), false);
        bytes32 binding = keccak256(abi.encode(assertionId, requestId, wrongOutput));
        bytes32 initial = machine.stateAt(context, 0);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotTheGameOpened.selector, gameId));
        vm.prank(sponsor);
        game.answer{value: asserterStake}(gameId, initial, binding, keccak256("any"), states);
    }
}
