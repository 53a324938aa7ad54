// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Game, GamePhase, IDissectionGame, OpenParameters} from "../../src/interfaces/IDissectionGame.sol";
import {Belief, GamePlayer, Split} from "../base/GamePlayer.sol";
import {FakeMachine} from "../fakes/FakeMachine.sol";

/// @notice A game and its two players; the test itself is the client.
abstract contract DissectionGameTest is GamePlayer {
    uint256 internal constant GAS_PRICE = 10 gwei;
    uint96 internal constant ASSERTER_STAKE = 0.01 ether;
    uint96 internal constant CHALLENGER_STAKE = 0.1 ether;
    uint32 internal constant ALLOWANCE = 1000;
    uint256 internal constant START = 1_800_000_000;
    bytes32 internal constant BINDING = keccak256("binding");

    address internal asserter = actor("asserter");
    address internal challenger = actor("challenger");
    address internal stranger = actor("stranger");

    function setUp() public virtual {
        vm.warp(START);
        vm.deal(address(this), 1000 ether);
        machine = new FakeMachine(2 ** 60, 0);
        context = keccak256("context");
        game = gameAt(GAS_PRICE);
    }

    function gameAt(uint256 gasPrice) internal returns (IDissectionGame) {
        return IDissectionGame(deploy("DissectionGame", abi.encode(machine, gasPrice)));
    }

    function parametersOf(uint256 steps) internal view returns (OpenParameters memory) {
        return OpenParameters({
            asserter: asserter,
            challenger: challenger,
            initialState: stateOf(honest(), 0),
            binding: BINDING,
            steps: uint64(steps),
            allowance: ALLOWANCE,
            asserterStake: ASSERTER_STAKE
        });
    }

    function openGame(uint256 steps) internal returns (bytes32) {
        return game.open{value: CHALLENGER_STAKE}(parametersOf(steps));
    }

    function answerGame(bytes32 gameId, uint256 steps, Belief memory belief) internal returns (Split memory split) {
        bytes32 initial = stateOf(honest(), 0);
        split = splitOf(belief, 0, steps, initial);
        game.answer{value: ASSERTER_STAKE}(
            gameId, initial, BINDING, split.states[split.states.length - 1], payloadOf(split, false)
        );
    }

    /// @dev An answered game, the challenger to move.
    function answeredGame(uint256 steps, Belief memory belief) internal returns (bytes32 gameId, Split memory split) {
        gameId = openGame(steps);
        split = answerGame(gameId, steps, belief);
    }

    function assertPhase(bytes32 gameId, GamePhase expected) internal view {
        vm.assertEq(uint256(game.phase(gameId)), uint256(expected));
    }

    function wrongPhase(GamePhase phase) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IDissectionGame.WrongPhase.selector, phase);
    }

    /// @dev Both play on as they believe, the challenger first, until a proof.
    function playOut(bytes32 gameId, Split memory answer, Belief memory asserterBelief, Belief memory challengerBelief)
        internal
        returns (uint256 moves)
    {
        Split memory last = answer;
        bool over = false;
        for (bool challengerToMove = true; !over; challengerToMove = !challengerToMove) {
            (last, over) = challengerToMove
                ? playTurn(gameId, challenger, last, challengerBelief)
                : playTurn(gameId, asserter, last, asserterBelief);
            ++moves;
        }
    }
}
