// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Game, GamePhase, IDissectionGame} from "../../src/interfaces/IDissectionGame.sol";
import {Split} from "../base/GamePlayer.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

contract DissectionGame_Answer is DissectionGameTest {
    bytes32 private gameId;
    bytes32 private initial;
    Split private split;

    function setUp() public override {
        super.setUp();
        gameId = openGame(1000);
        initial = stateOf(honest(), 0);
        split = splitOf(honest(), 0, 1000, initial);
    }

    function send(uint256 value, bytes32 binding, bytes32[] memory states) private {
        game.answer{value: value}(gameId, initial, binding, split.states[16], states);
    }

    function test_answer_stored_succeeds() external {
        vm.warp(START + 10);
        vm.expectEmit(true, true, true, true, address(game));
        emit IDissectionGame.Answered(gameId, asserter, claimsOf(split), split.states[16], payloadOf(split, false));
        send(ASSERTER_STAKE, BINDING, payloadOf(split, false));
        Game memory answered = game.game(gameId);
        vm.assertEq(answered.claims, claimsOf(split));
        vm.assertEq(answered.asserter, asserter);
        vm.assertEq(answered.clock.asserterRemaining, ALLOWANCE - 10);
        vm.assertEq(answered.clock.challengerRemaining, ALLOWANCE);
        vm.assertEq(answered.clock.turnStartedAt, START + 10);
        assertPhase(gameId, GamePhase.ChallengerToMove);
    }

    function test_answer_anySteps_succeeds(uint256 steps) external {
        steps = bound(steps, 1, 40);
        gameId = openGame(steps);
        Split memory own = answerGame(gameId, steps, liar(steps / 2));
        vm.assertEq(game.game(gameId).claims, claimsOf(own));
    }

    function test_answer_notTheClient_reverts() external {
        bytes32[] memory states = payloadOf(split, false);
        address[3] memory others = [asserter, challenger, stranger];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotTheGameOpened.selector, gameId));
            vm.prank(others[i]);
            send(ASSERTER_STAKE, BINDING, states);
        }
    }

    function test_answer_twice_reverts() external {
        send(ASSERTER_STAKE, BINDING, payloadOf(split, false));
        vm.expectRevert(wrongPhase(GamePhase.ChallengerToMove));
        send(ASSERTER_STAKE, BINDING, payloadOf(split, false));
    }

    function test_answer_unknownGame_reverts() external {
        gameId = keccak256("no game");
        vm.expectRevert(wrongPhase(GamePhase.None));
        send(ASSERTER_STAKE, BINDING, payloadOf(split, false));
    }

    function test_answer_wrongStake_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.WrongStake.selector, ASSERTER_STAKE - 1, ASSERTER_STAKE));
        send(ASSERTER_STAKE - 1, BINDING, payloadOf(split, false));
    }

    function test_answer_otherBinding_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotTheGameOpened.selector, gameId));
        send(ASSERTER_STAKE, 0, payloadOf(split, false));
    }

    function test_answer_otherInitialState_reverts() external {
        initial = keccak256("elsewhere");
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotTheGameOpened.selector, gameId));
        send(ASSERTER_STAKE, BINDING, payloadOf(split, false));
    }

    function test_answer_numberOfStates_reverts() external {
        uint256[5] memory lengths = [uint256(0), 1, 14, 16, 32];
        for (uint256 i = 0; i < 5; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDissectionGame.WrongNumberOfStates.selector, lengths[i], 15));
            send(ASSERTER_STAKE, BINDING, new bytes32[](lengths[i]));
        }
    }

    function test_answer_lastSecond_succeeds() external {
        vm.warp(START + ALLOWANCE - 1);
        send(ASSERTER_STAKE, BINDING, payloadOf(split, false));
        vm.assertEq(game.game(gameId).clock.asserterRemaining, 1);
    }

    function test_answer_clockRunOut_reverts() external {
        vm.warp(START + ALLOWANCE);
        vm.expectRevert(wrongPhase(GamePhase.ChallengerWon));
        send(ASSERTER_STAKE, BINDING, payloadOf(split, false));
    }
}
