// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Game, GamePhase, GameTerms, IDissectionGame, Split} from "../../src/interfaces/IDissectionGame.sol";
import {ISpendableCredit} from "../../src/interfaces/ISpendableCredit.sol";
import {Claims} from "../base/GamePlayer.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

contract DissectionGame_Open is DissectionGameTest {
    function send(GameTerms memory terms) private returns (bytes32) {
        Claims memory opening = claimsOf(honest(), 0, 1000, terms.initialState);
        return game.open{value: terms.challengerStake}(terms, splitOf(opening));
    }

    function test_open_stored_succeeds() external {
        (GameTerms memory terms, Claims memory opening) = openGame(1000, honest());
        Game memory opened = game.game(idOf(terms));
        assertStored(terms, opening);
        vm.assertEq(opened.clock.start, 0);
        vm.assertEq(opened.clock.end, 1000);
        vm.assertEq(opened.clock.turnStartedAt, START);
        vm.assertEq(opened.clock.asserterRemaining, ALLOWANCE);
        vm.assertEq(opened.clock.challengerRemaining, ALLOWANCE);
        vm.assertEq(opened.clock.asserterWork, 0);
        vm.assertEq(uint256(opened.clock.challengerWork) * 100, game.OPENING_GAS());
        vm.assertFalse(opened.clock.closed);
        vm.assertEq(address(game).balance, CHALLENGER_STAKE);
        assertGamePhase(terms, GamePhase.AsserterToAnswer);
    }

    function test_open_event_succeeds() external {
        GameTerms memory terms = termsOf(1000);
        Claims memory opening = claimsOf(honest(), 0, 1000, terms.initialState);
        vm.expectEmit(true, true, true, true, address(game));
        emit IDissectionGame.Opened(idOf(terms), asserter, challenger, terms, loggedOf(opening), 0);
        vm.assertEq(send(terms), idOf(terms), "content-addressed");
    }

    function test_open_anySteps_succeeds(uint256 steps) external {
        steps = bound(steps, 1, 70);
        (GameTerms memory terms, Claims memory opening) = openGame(steps, honest());
        assertStored(terms, opening);
        vm.assertEq(segmentsOf(opening), steps <= 32 ? steps : 16);
    }

    function test_open_twice_reverts() external {
        GameTerms memory terms = termsOf(1000);
        send(terms);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.GameExists.selector, idOf(terms)));
        send(terms);
    }

    function test_open_twiceAfterTheEnd_reverts() external {
        GameTerms memory terms = termsOf(1000);
        send(terms);
        vm.warp(START + ALLOWANCE);
        game.claimTimeout(terms);
        game.close(terms);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.GameExists.selector, idOf(terms)));
        send(terms);
    }

    function test_open_anyDifference_succeeds() external {
        bytes32[] memory ids = new bytes32[](9);
        GameTerms memory terms = termsOf(1000);
        ids[0] = send(terms);
        terms.challengerStake += 1;
        ids[1] = send(terms);
        terms.asserterStake += 1;
        ids[2] = send(terms);
        terms.steps = 1001;
        ids[3] = send(terms);
        terms.binding = 0;
        ids[4] = send(terms);
        terms.challenger = stranger;
        ids[5] = send(terms);
        terms.asserter = stranger;
        ids[6] = send(terms);
        terms.allowance += 1;
        ids[7] = send(terms);
        terms.initialState = stateOf(honest(), 1);
        ids[8] = send(terms);
        for (uint256 i = 0; i < ids.length; ++i) {
            for (uint256 k = 0; k < i; ++k) {
                vm.assertNotEq(ids[i], ids[k]);
            }
        }
    }

    function test_open_notTheClient_reverts() external {
        GameTerms memory terms = termsOf(1000);
        Split memory split = splitOf(claimsOf(honest(), 0, 1000, terms.initialState));
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotTheClient.selector, stranger, address(this)));
        vm.prank(stranger);
        game.open{value: CHALLENGER_STAKE}(terms, split);
    }

    function test_open_stepsOutOfRange_reverts() external {
        Split memory split;
        GameTerms memory terms = termsOf(0);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.StepsOutOfRange.selector, 0));
        game.open{value: CHALLENGER_STAKE}(terms, split);
        terms.steps = 2 ** 48 + 1;
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.StepsOutOfRange.selector, 2 ** 48 + 1));
        game.open{value: CHALLENGER_STAKE}(terms, split);
        terms.steps = 2 ** 48;
        openWith(terms, honest());
    }

    function test_open_noAllowance_reverts() external {
        GameTerms memory terms = termsOf(1000);
        terms.allowance = 0;
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.AllowanceOutOfRange.selector, 0));
        send(terms);
        terms.allowance = 1;
        openWith(terms, honest());
    }

    function test_open_partyMissing_reverts() external {
        GameTerms memory terms = termsOf(1000);
        terms.challenger = address(0);
        vm.expectRevert(IDissectionGame.PartyMissing.selector);
        send(terms);
        (terms.challenger, terms.asserter) = (challenger, address(0));
        vm.expectRevert(IDissectionGame.PartyMissing.selector);
        send(terms);
    }

    function test_open_wrongStake_reverts() external {
        GameTerms memory terms = termsOf(1000);
        Split memory split = splitOf(claimsOf(honest(), 0, 1000, terms.initialState));
        for (uint256 i = 0; i < 2; ++i) {
            uint256 value = i == 0 ? CHALLENGER_STAKE - 1 : CHALLENGER_STAKE + 1;
            vm.expectRevert(abi.encodeWithSelector(ISpendableCredit.WrongValue.selector, value, CHALLENGER_STAKE));
            game.open{value: value}(terms, split);
        }
    }

    function test_open_creditOfTheClient_reverts() external {
        game.deposit{value: CHALLENGER_STAKE}(address(this));
        GameTerms memory terms = termsOf(1000);
        Split memory split = splitOf(claimsOf(honest(), 0, 1000, terms.initialState));
        vm.expectRevert(abi.encodeWithSelector(ISpendableCredit.WrongValue.selector, 0, CHALLENGER_STAKE));
        game.open(terms, split);
    }

    function test_open_numberOfStates_reverts() external {
        GameTerms memory terms = termsOf(1000);
        uint256[5] memory lengths = [uint256(0), 1, 14, 16, 32];
        for (uint256 i = 0; i < 5; ++i) {
            Split memory split = Split(keccak256("end"), new bytes32[](lengths[i]), 0);
            vm.expectRevert(abi.encodeWithSelector(IDissectionGame.WrongNumberOfStates.selector, lengths[i], 15));
            game.open{value: CHALLENGER_STAKE}(terms, split);
        }
    }

    function deployAt(uint256 chosen) external {
        deploy("DissectionGame", abi.encode(machine, GAS_PRICE, chosen));
    }

    function test_constructor_arity_reverts() external {
        uint256[3] memory bits = [uint256(0), 7, NEVER];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDissectionGame.ArityOutOfRange.selector, bits[i]));
            this.deployAt(bits[i]);
        }
        for (arityBits = 1; arityBits <= 6; ++arityBits) {
            vm.assertEq(gameAt(GAS_PRICE).ARITY(), 2 ** arityBits);
        }
    }
}
