// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Game, GamePhase, GameTerms, IDissectionGame, Split} from "../../src/interfaces/IDissectionGame.sol";
import {AssertionPhase, Entry, IResultAssertions} from "../../src/interfaces/IResultAssertions.sol";
import {ISpendableCredit} from "../../src/interfaces/ISpendableCredit.sol";
import {Claims} from "../base/GamePlayer.sol";
import {Suite} from "../base/Suite.sol";
import {finishedState} from "../fakes/FakeMachine.sol";

contract ResultAssertions_Challenge is Suite {
    bytes32 private requestId;
    bytes32 private assertionId;

    function setUp() public override {
        super.setUp();
        requestId = ask("hello");
        assertionId = assertOutput(sponsor, requestId, wrongOutput);
        useContextOf(requestId);
    }

    function challengeIt(address by) private returns (GameTerms memory terms, Claims memory opening) {
        return challengeBy(by, assertionId, requestId, wrongOutput);
    }

    /// @dev A challenge of the assertion, with chosen parts; what is checked first must be what is wrong.
    function attempt(Entry memory entry, bytes32 wanted, uint256 value) private {
        Split memory split = splitOf(openingOf(wanted));
        vm.prank(challenger);
        results.challenge{value: value}(assertionId, entry, abi.encode(wanted), split);
    }

    function wrongAssertionPhase(AssertionPhase phase) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IResultAssertions.WrongPhase.selector, phase);
    }

    function test_challenge_opened_succeeds() external {
        (GameTerms memory terms, Claims memory opening) = challengeIt(challenger);
        Game memory opened = game.game(idOf(terms));
        assertStored(terms, opening);
        vm.assertEq(opened.clock.end, stepCount());
        vm.assertEq(opened.clock.asserterRemaining, 1 days + 1);
        vm.assertEq(terms.initialState, machine.stateAt(context, 0));
        vm.assertEq(lastOf(opening), machine.stateAt(context, stepCount()));
        vm.assertEq(challengerStake, 10 * uint256(asserterStake));
        vm.assertEq(address(game).balance, challengerStake);
        vm.assertEq(results.assertion(assertionId).openGames, 1);
    }

    function test_challenge_event_succeeds() external {
        GameTerms memory terms = termsAgainst(challenger, assertionId, requestId, wrongOutput);
        vm.expectEmit(true, true, true, true, address(results));
        emit IResultAssertions.Challenged(assertionId, idOf(terms), challenger, 0, requestId, wrongOutput);
        challengeIt(challenger);
    }

    /// An inference that ends without a result is the truth about any assertion of one.
    function test_challenge_noOutput_succeeds() external {
        attempt(entryOf(requestId, wrongOutput), 0, challengerStake);
        vm.assertEq(results.assertion(assertionId).openGames, 1);
    }

    function test_challenge_sameOutput_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.NothingDisputed.selector, wrongOutput));
        attempt(entryOf(requestId, wrongOutput), wrongOutput, challengerStake);
    }

    /// The split must end in the state that was opened.
    function test_challenge_otherEnd_reverts() external {
        Claims memory opening = openingOf(rightOutput);
        bytes32 opened = lastOf(opening);
        bytes32[2] memory ends = [finishedState(context, wrongOutput), keccak256("any")];
        for (uint256 i = 0; i < 2; ++i) {
            Split memory split = splitOf(opening);
            split.end = ends[i];
            vm.expectRevert(abi.encodeWithSelector(IResultAssertions.WrongFinalState.selector, ends[i], opened));
            vm.prank(challenger);
            results.challenge{value: challengerStake}(
                assertionId, entryOf(requestId, wrongOutput), abi.encode(rightOutput), split
            );
        }
    }

    function test_challenge_lastSecond_succeeds() external {
        vm.warp(START + WINDOW - 1);
        challengeIt(challenger);
        assertPhase(assertionId, AssertionPhase.Challengeable);
        vm.warp(START + WINDOW);
        assertPhase(assertionId, AssertionPhase.Disputed);
    }

    function test_challenge_afterTheWindow_reverts() external {
        for (uint256 i = 0; i < 2; ++i) {
            vm.warp(START + WINDOW + i);
            vm.expectRevert(wrongAssertionPhase(AssertionPhase.Final));
            attempt(entryOf(requestId, wrongOutput), rightOutput, challengerStake);
        }
    }

    function test_challenge_disputedAfterTheWindow_reverts() external {
        challengeIt(stranger);
        vm.warp(START + WINDOW);
        vm.expectRevert(wrongAssertionPhase(AssertionPhase.Disputed));
        attempt(entryOf(requestId, wrongOutput), rightOutput, challengerStake);
    }

    function test_challenge_defeated_reverts() external {
        (GameTerms memory terms, Claims memory opening) = challengeIt(stranger);
        playOut(terms, opening, liar(9), honest());
        settle(terms, assertionId, requestId, wrongOutput);
        vm.expectRevert(wrongAssertionPhase(AssertionPhase.Defeated));
        attempt(entryOf(requestId, wrongOutput), rightOutput, challengerStake);
    }

    function test_challenge_unknownAssertion_reverts() external {
        bytes32[2] memory unknown = [keccak256("no assertion"), bytes32(0)];
        for (uint256 i = 0; i < 2; ++i) {
            assertionId = unknown[i];
            vm.expectRevert(abi.encodeWithSelector(IResultAssertions.UnknownAssertion.selector, unknown[i]));
            attempt(entryOf(requestId, wrongOutput), rightOutput, challengerStake);
        }
    }

    function test_challenge_notAnEntry_reverts() external {
        bytes32 other = ask("other");
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.NotAnEntry.selector, assertionId, 0));
        attempt(entryOf(requestId, rightOutput), rightOutput, challengerStake);
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.NotAnEntry.selector, assertionId, 0));
        attempt(entryOf(other, wrongOutput), rightOutput, challengerStake);
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.NotAnEntry.selector, assertionId, 1));
        attempt(Entry(1, requestId, wrongOutput, new bytes32[](0)), rightOutput, challengerStake);
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.NotAnEntry.selector, assertionId, 0));
        attempt(Entry(0, requestId, wrongOutput, new bytes32[](1)), rightOutput, challengerStake);
    }

    function test_challenge_wrongStake_reverts() external {
        for (uint256 i = 0; i < 2; ++i) {
            uint256 value = i == 0 ? challengerStake - 1 : challengerStake + 1;
            vm.expectRevert(abi.encodeWithSelector(ISpendableCredit.WrongValue.selector, value, challengerStake));
            attempt(entryOf(requestId, wrongOutput), rightOutput, value);
        }
    }

    function test_challenge_manySideBySide_succeeds() external {
        bytes32[] memory games = new bytes32[](20);
        for (uint256 i = 0; i < games.length; ++i) {
            (GameTerms memory terms,) = challengeIt(actor(vm.toString(i)));
            games[i] = idOf(terms);
            for (uint256 k = 0; k < i; ++k) {
                vm.assertNotEq(games[i], games[k]);
            }
        }
        vm.assertEq(results.assertion(assertionId).openGames, 20);
    }

    function test_challenge_sameChallengerTwice_reverts() external {
        (GameTerms memory terms,) = challengeIt(challenger);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.GameExists.selector, idOf(terms)));
        attempt(entryOf(requestId, wrongOutput), rightOutput, challengerStake);
    }

    function test_answer_sponsor_succeeds() external {
        (GameTerms memory terms, Claims memory answer) = answeredChallenge(assertionId, requestId, wrongOutput, liar(9));
        assertStored(terms, answer);
        assertGamePhase(terms, GamePhase.ChallengerToMove);
    }

    function test_answer_delegate_succeeds() external {
        (GameTerms memory terms, Claims memory opening) = challengeIt(challenger);
        vm.prank(sponsor);
        game.setDelegate(stranger, true);
        (Claims memory answer,) = playTurn(terms, stranger, opening, liar(9));
        assertStored(terms, answer);
    }

    function test_answer_others_reverts() external {
        (GameTerms memory terms, Claims memory opening) = challengeIt(challenger);
        address[3] memory others = [challenger, stranger, address(results)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.deal(others[i], 1 ether);
            vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotThePartyToMove.selector, others[i], sponsor));
            sendAnswer(terms, others[i], pickOf(opening, 0), splitOf(within(opening, 0, liar(9))));
        }
    }
}
