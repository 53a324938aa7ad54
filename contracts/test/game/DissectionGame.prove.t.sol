// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Ending, GamePhase, GameTerms, IDissectionGame, Pick} from "../../src/interfaces/IDissectionGame.sol";
import {Claims} from "../base/GamePlayer.sol";
import {FakeMachine} from "../fakes/FakeMachine.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

contract DissectionGame_Prove is DissectionGameTest {
    GameTerms private terms;
    /// @dev The asserter's answer about [16, 32): one step a segment, right up to 19.
    Claims private answered;

    function setUp() public override {
        super.setUp();
        (terms,, answered) = answeredGame(256, 20);
    }

    function assertSettled(GameTerms memory which, bool asserterWon) private view {
        assertGamePhase(which, asserterWon ? GamePhase.AsserterWon : GamePhase.ChallengerWon);
        vm.assertEq(game.game(idOf(which)).claims, 0, "cleared");
    }

    function expectSettled(GameTerms memory which, bool asserterWon, Ending ending, uint256 paid, uint256 burnt)
        private
    {
        vm.expectEmit(true, true, true, true, address(game));
        emit IDissectionGame.Settled(
            idOf(which), asserterWon ? which.asserter : which.challenger, asserterWon, ending, paid, burnt
        );
    }

    function test_prove_wrongClaim_succeeds() external {
        uint256 reward = worth(game.OPENING_GAS() + game.PROOF_GAS());
        expectSettled(terms, false, Ending.Proof, CHALLENGER_STAKE + reward, ASSERTER_STAKE - reward);
        proveAt(terms, challenger, answered, 3);
        assertSettled(terms, false);
    }

    function test_prove_rightClaim_succeeds() external {
        uint256 reward = worth(game.ANSWER_GAS());
        expectSettled(terms, true, Ending.Concession, ASSERTER_STAKE + reward, CHALLENGER_STAKE - reward);
        proveAt(terms, challenger, answered, 2);
        assertSettled(terms, true);
    }

    function test_prove_byTheAsserter_succeeds() external {
        (GameTerms memory deep, Claims memory opening) = openGame(4096, liar(3000));
        Claims memory own = answerInto(deep, asserter, opening, disputable(opening, honest()), honest());
        Claims memory lies = moveInto(deep, challenger, own, disputable(own, liar(3000)), liar(3000));
        uint256 j = disputable(lies, honest());
        expectSettled(
            deep,
            true,
            Ending.Proof,
            ASSERTER_STAKE + worth(game.ANSWER_GAS() + game.PROOF_GAS()),
            CHALLENGER_STAKE - worth(game.ANSWER_GAS() + game.PROOF_GAS())
        );
        proveAt(deep, asserter, lies, j);
        assertSettled(deep, true);
    }

    /// Up to 32 steps, the asserter's first call is the proof, which takes no stake.
    function test_prove_insteadOfAnAnswer_succeeds(uint256 steps, uint256 fault) external {
        steps = bound(steps, 1, 32);
        fault = bound(fault, 1, steps);
        (GameTerms memory short, Claims memory opening) = openGame(steps, liar(fault));
        uint256 before = address(game).balance;
        uint256 reward = worth(game.PROOF_GAS());
        expectSettled(short, true, Ending.Proof, reward, CHALLENGER_STAKE - reward);
        proveAt(short, asserter, opening, fault - 1);
        vm.assertEq(game.owed(asserter), reward, "it has brought no stake");
        vm.assertEq(address(game).balance, before);
    }

    /// An asserter that proves the challenger right before it has brought a stake loses nothing but the game.
    function test_prove_concessionInsteadOfAnAnswer_succeeds() external {
        (GameTerms memory short, Claims memory opening) = openGame(10, honest());
        expectSettled(short, false, Ending.Concession, CHALLENGER_STAKE, 0);
        proveAt(short, asserter, opening, 4);
        assertSettled(short, false);
    }

    function test_prove_badProof_reverts() external {
        vm.expectRevert(FakeMachine.WrongProof.selector);
        sendProof(terms, challenger, pickOf(answered, 3), abi.encode(context, 4));
        vm.expectRevert(FakeMachine.WrongProof.selector);
        sendProof(terms, challenger, pickOf(answered, 3), "");
        assertGamePhase(terms, GamePhase.ChallengerToMove);
    }

    function test_prove_severalSteps_reverts() external {
        (GameTerms memory deep,, Claims memory answer) = answeredGame(1024, 4);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotSingleStep.selector, 4));
        sendProof(deep, challenger, pickOf(answer, 1), "");
    }

    function test_prove_notOnesTurn_reverts() external {
        address[3] memory others = [asserter, stranger, address(this)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(notTheParty(others[i], challenger));
            proveAt(terms, others[i], answered, 3);
        }
    }

    function test_prove_otherTerms_reverts() external {
        terms.challenger = stranger;
        vm.expectRevert(wrongPhase(GamePhase.None));
        proveAt(terms, stranger, answered, 3);
    }

    function test_prove_wrongOpening_reverts(bytes32 other, bool start) external {
        Pick memory pick = pickOf(answered, 3);
        if (start) pick.start = other;
        else pick.end = other;
        vm.expectRevert(IDissectionGame.WrongOpening.selector);
        sendProof(terms, challenger, pick, proofOf(answered, 3));
    }

    function test_prove_delegate_succeeds() external {
        vm.prank(challenger);
        game.setDelegate(stranger, true);
        proveAt(terms, stranger, answered, 3);
        assertSettled(terms, false);
        vm.assertEq(game.owed(stranger), 0, "the party is credited");
        vm.assertGt(game.owed(challenger), CHALLENGER_STAKE);
    }

    function test_prove_afterTheEnd_reverts() external {
        proveAt(terms, challenger, answered, 3);
        Pick memory pick = pickOf(answered, 3);
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(wrongPhase(GamePhase.ChallengerWon));
            sendProof(terms, challenger, pick, proofOf(answered, 3));
            vm.expectRevert(wrongPhase(GamePhase.ChallengerWon));
            sendMove(terms, challenger, pick, splitOf(answered));
            vm.expectRevert(wrongPhase(GamePhase.ChallengerWon));
            sendAnswer(terms, asserter, pick, splitOf(answered));
            vm.expectRevert(wrongPhase(GamePhase.ChallengerWon));
            game.claimTimeout(terms);
            vm.warp(START + 100 * ALLOWANCE);
        }
        assertSettled(terms, false);
    }
}
