// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Game, GamePhase, GameTerms, IDissectionGame, Pick, Split} from "../../src/interfaces/IDissectionGame.sol";
import {ISpendableCredit} from "../../src/interfaces/ISpendableCredit.sol";
import {Claims} from "../base/GamePlayer.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

contract DissectionGame_Answer is DissectionGameTest {
    uint256 private constant STEPS = 10_000;

    GameTerms private terms;
    Claims private opening;
    Claims private own;

    function setUp() public override {
        super.setUp();
        (terms, opening) = openGame(STEPS, honest());
        own = within(opening, 7, liar(4500));
    }

    function send(address by, uint256 value) private {
        Pick memory pick = pickOf(opening, 7);
        Split memory split = splitOf(own);
        vm.prank(by);
        game.answer{value: value}(terms, pick, split);
    }

    function test_answer_stored_succeeds() external {
        vm.warp(START + 10);
        vm.expectEmit(true, true, true, true, address(game));
        emit IDissectionGame.Moved(idOf(terms), 7, opening.states[7], loggedOf(own), 0);
        send(asserter, ASSERTER_STAKE);
        Game memory answered = game.game(idOf(terms));
        assertStored(terms, own);
        vm.assertEq(answered.clock.start, 4375);
        vm.assertEq(answered.clock.end, 5000);
        vm.assertEq(answered.clock.asserterRemaining, ALLOWANCE - 10);
        vm.assertEq(answered.clock.challengerRemaining, ALLOWANCE);
        vm.assertEq(answered.clock.turnStartedAt, START + 10);
        vm.assertEq(uint256(answered.clock.asserterWork) * 100, game.ANSWER_GAS());
        vm.assertEq(address(game).balance, CHALLENGER_STAKE + ASSERTER_STAKE);
        assertGamePhase(terms, GamePhase.ChallengerToMove);
    }

    function test_answer_anySteps_succeeds(uint256 steps, uint256 segment) external {
        steps = bound(steps, 33, 160);
        (GameTerms memory other, Claims memory claims) = openGame(steps, honest());
        segment = segment % 16;
        if (boundOf(claims, segment + 1) - boundOf(claims, segment) < 2) return;
        assertStored(other, answerInto(other, asserter, claims, segment, liar(0)));
    }

    function test_answer_others_reverts() external {
        address[3] memory others = [challenger, stranger, address(this)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.deal(others[i], 1 ether);
            vm.expectRevert(notTheParty(others[i], asserter));
            send(others[i], ASSERTER_STAKE);
        }
    }

    function test_answer_asMove_reverts() external {
        vm.expectRevert(wrongPhase(GamePhase.AsserterToAnswer));
        sendMove(terms, asserter, pickOf(opening, 7), splitOf(own));
    }

    function test_answer_twice_reverts() external {
        send(asserter, ASSERTER_STAKE);
        vm.expectRevert(wrongPhase(GamePhase.ChallengerToMove));
        send(asserter, ASSERTER_STAKE);
        // Nor in the asserter's next turn.
        Claims memory second = moveInto(terms, challenger, own, disputable(own, honest()), honest());
        own = within(second, 0, liar(0));
        vm.expectRevert(wrongPhase(GamePhase.AsserterToMove));
        send(asserter, ASSERTER_STAKE);
    }

    function test_answer_otherTerms_reverts() external {
        terms.asserterStake = 0;
        vm.expectRevert(wrongPhase(GamePhase.None));
        send(asserter, 0);
        (terms.asserterStake, terms.asserter) = (ASSERTER_STAKE, stranger);
        vm.expectRevert(wrongPhase(GamePhase.None));
        send(stranger, ASSERTER_STAKE);
    }

    function test_answer_wrongStake_reverts() external {
        for (uint256 i = 0; i < 2; ++i) {
            uint256 value = i == 0 ? ASSERTER_STAKE - 1 : ASSERTER_STAKE + 1;
            vm.expectRevert(abi.encodeWithSelector(ISpendableCredit.WrongValue.selector, value, ASSERTER_STAKE));
            send(asserter, value);
        }
    }

    function test_answer_numberOfStates_reverts() external {
        uint256[5] memory lengths = [uint256(0), 1, 14, 16, 32];
        Pick memory pick = pickOf(opening, 7);
        for (uint256 i = 0; i < 5; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDissectionGame.WrongNumberOfStates.selector, lengths[i], 15));
            sendAnswer(terms, asserter, pick, Split(keccak256("end"), new bytes32[](lengths[i]), 0));
        }
    }

    function test_answer_sameEnd_reverts() external {
        own.states[16] = opening.states[8];
        vm.expectRevert(IDissectionGame.EndNotDisputed.selector);
        send(asserter, ASSERTER_STAKE);
    }

    function test_answer_delegate_succeeds() external {
        vm.prank(asserter);
        game.setDelegate(stranger, true);
        uint256 before = asserter.balance;
        send(stranger, ASSERTER_STAKE);
        vm.assertEq(asserter.balance, before, "the delegate pays");
        assertStored(terms, own);
    }
}
