// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Ending, Game, GamePhase, IDissectionGame} from "../../src/interfaces/IDissectionGame.sol";
import {Opening, Split} from "../base/GamePlayer.sol";
import {FakeMachine} from "../fakes/FakeMachine.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

contract DissectionGame_Prove is DissectionGameTest {
    bytes32 private gameId;
    Split private answered;

    function setUp() public override {
        super.setUp();
        Split memory split;
        (gameId, split) = answeredGame(16, liar(4));
        answered = split;
    }

    function test_prove_wrongClaim_succeeds() external {
        vm.expectEmit(true, true, true, true, address(game));
        emit IDissectionGame.Settled(gameId, challenger, false, Ending.Proof);
        proveAt(gameId, challenger, answered, 3);
        assertPhase(gameId, GamePhase.ChallengerWon);
    }

    function test_prove_rightClaim_succeeds() external {
        vm.expectEmit(true, true, true, true, address(game));
        emit IDissectionGame.Settled(gameId, asserter, true, Ending.Concession);
        proveAt(gameId, challenger, answered, 2);
        assertPhase(gameId, GamePhase.AsserterWon);
    }

    function test_prove_byTheAsserter_succeeds() external {
        (bytes32 deep, Split memory split) = answeredGame(256, honest());
        // A challenger that lies has its own step disproven by the asserter.
        Split memory own = moveInto(deep, challenger, split, 0, liar(10));
        vm.expectEmit(true, true, true, true, address(game));
        emit IDissectionGame.Settled(deep, asserter, true, Ending.Proof);
        proveAt(deep, asserter, own, 9);
    }

    function test_prove_firstAndOnlyStep_succeeds() external {
        (bytes32 single, Split memory split) = answeredGame(1, liar(1));
        proveAt(single, challenger, split, 0);
        assertPhase(single, GamePhase.ChallengerWon);
        (single, split) = openAgain();
        proveAt(single, challenger, split, 0);
        assertPhase(single, GamePhase.AsserterWon);
    }

    function openAgain() private returns (bytes32 single, Split memory split) {
        challenger = actor("another challenger");
        return answeredGame(1, honest());
    }

    function test_prove_badProof_reverts() external {
        vm.expectRevert(FakeMachine.WrongProof.selector);
        sendProof(gameId, challenger, openingOf(answered, 3), abi.encode(context, 4));
        vm.expectRevert(FakeMachine.WrongProof.selector);
        sendProof(gameId, challenger, openingOf(answered, 3), "");
        assertPhase(gameId, GamePhase.ChallengerToMove);
    }

    function test_prove_severalSteps_reverts() external {
        (bytes32 deep, Split memory split) = answeredGame(32, liar(4));
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotSingleStep.selector, 2));
        sendProof(deep, challenger, openingOf(split, 1), "");
    }

    function test_prove_notOnesTurn_reverts() external {
        Opening memory opening = openingOf(answered, 3);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotThePartyToMove.selector, asserter, challenger));
        sendProof(gameId, asserter, opening, "");
    }

    function test_prove_staleClaims_reverts() external {
        Opening memory opening = openingOf(answered, 3);
        opening.claims = keccak256("other claims");
        vm.expectRevert(
            abi.encodeWithSelector(IDissectionGame.StaleClaims.selector, opening.claims, claimsOf(answered))
        );
        sendProof(gameId, challenger, opening, "");
    }

    function test_prove_wrongOpening_reverts(bytes32 start) external {
        Opening memory opening = openingOf(answered, 3);
        opening.start = start;
        vm.expectRevert(IDissectionGame.WrongOpening.selector);
        sendProof(gameId, challenger, opening, "");
    }

    function test_prove_afterTheEnd_reverts() external {
        proveAt(gameId, challenger, answered, 3);
        Opening memory opening = openingOf(answered, 3);
        vm.expectRevert(wrongPhase(GamePhase.ChallengerWon));
        sendProof(gameId, challenger, opening, abi.encode(context, 3));
        vm.expectRevert(wrongPhase(GamePhase.ChallengerWon));
        sendMove(gameId, challenger, opening, new bytes32[](16));
        vm.expectRevert(wrongPhase(GamePhase.ChallengerWon));
        game.claimTimeout(gameId);
        vm.warp(START + 100 * ALLOWANCE);
        vm.expectRevert(wrongPhase(GamePhase.ChallengerWon));
        game.claimTimeout(gameId);
        assertPhase(gameId, GamePhase.ChallengerWon);
    }
}
