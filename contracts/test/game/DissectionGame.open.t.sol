// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {
    Clock,
    Ending,
    Game,
    GamePhase,
    IDissectionGame,
    OpenParameters
} from "../../src/interfaces/IDissectionGame.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

contract DissectionGame_Open is DissectionGameTest {
    function test_open_stored_succeeds() external {
        bytes32 gameId = openGame(1000);
        Game memory opened = game.game(gameId);
        vm.assertEq(opened.claims, 0);
        vm.assertEq(opened.asserter, asserter);
        vm.assertEq(opened.challenger, challenger);
        vm.assertEq(opened.asserterStake, ASSERTER_STAKE);
        vm.assertEq(opened.challengerStake, CHALLENGER_STAKE);
        vm.assertEq(opened.clock.end, 1000);
        vm.assertEq(opened.clock.turnStartedAt, START);
        assertPhase(gameId, GamePhase.AsserterToAnswer);
    }

    function test_open_event_succeeds() external {
        bytes32 expected = keccak256(abi.encode(address(this), parametersOf(1000), uint256(CHALLENGER_STAKE)));
        vm.expectEmit(true, true, true, true, address(game));
        emit IDissectionGame.Opened(
            expected,
            address(this),
            challenger,
            stateOf(honest(), 0),
            BINDING,
            1000,
            ALLOWANCE,
            ASSERTER_STAKE,
            CHALLENGER_STAKE
        );
        vm.assertEq(openGame(1000), expected, "content-addressed");
    }

    function test_open_twice_reverts() external {
        OpenParameters memory p = parametersOf(1000);
        bytes32 gameId = game.open{value: CHALLENGER_STAKE}(p);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.GameExists.selector, gameId));
        game.open{value: CHALLENGER_STAKE}(p);
    }

    function test_open_twiceAfterTheEnd_reverts() external {
        OpenParameters memory p = parametersOf(1000);
        bytes32 gameId = game.open{value: CHALLENGER_STAKE}(p);
        vm.warp(START + ALLOWANCE);
        game.claimTimeout(gameId);
        game.payOut(gameId);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.GameExists.selector, gameId));
        game.open{value: CHALLENGER_STAKE}(p);
    }

    function test_open_anyDifference_succeeds() external {
        OpenParameters memory p = parametersOf(1000);
        bytes32 first = game.open{value: CHALLENGER_STAKE}(p);
        vm.assertNotEq(first, game.open{value: CHALLENGER_STAKE + 1}(p));
        p.steps = 1001;
        vm.assertNotEq(first, game.open{value: CHALLENGER_STAKE}(p));
        (p.steps, p.binding) = (1000, 0);
        vm.assertNotEq(first, game.open{value: CHALLENGER_STAKE}(p));
        (p.binding, p.challenger) = (BINDING, stranger);
        vm.assertNotEq(first, game.open{value: CHALLENGER_STAKE}(p));
        (p.challenger, p.asserter) = (challenger, stranger);
        vm.assertNotEq(first, game.open{value: CHALLENGER_STAKE}(p));
        p.asserter = asserter;
        vm.deal(stranger, 1 ether);
        vm.prank(stranger);
        vm.assertNotEq(first, game.open{value: CHALLENGER_STAKE}(p));
    }

    function test_open_stepsOutOfRange_reverts() external {
        OpenParameters memory p = parametersOf(0);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.StepsOutOfRange.selector, 0));
        game.open(p);
        p.steps = 2 ** 48 + 1;
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.StepsOutOfRange.selector, 2 ** 48 + 1));
        game.open(p);
        p.steps = 2 ** 48;
        game.open(p);
    }

    function test_open_noAllowance_reverts() external {
        OpenParameters memory p = parametersOf(1);
        p.allowance = 0;
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.AllowanceOutOfRange.selector, 0));
        game.open(p);
    }

    function test_open_partyMissing_reverts() external {
        OpenParameters memory p = parametersOf(1);
        p.challenger = address(0);
        vm.expectRevert(IDissectionGame.PartyMissing.selector);
        game.open(p);
        (p.challenger, p.asserter) = (challenger, address(0));
        vm.expectRevert(IDissectionGame.PartyMissing.selector);
        game.open(p);
    }

    function test_open_stakeTooHigh_reverts() external {
        vm.deal(address(this), 2 ** 97);
        OpenParameters memory p = parametersOf(1);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.WrongStake.selector, 2 ** 96, type(uint96).max));
        game.open{value: 2 ** 96}(p);
    }
}
