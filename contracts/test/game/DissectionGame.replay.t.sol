// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {GamePhase, GameTerms, IDissectionGame, Parties, Pick, Split} from "../../src/interfaces/IDissectionGame.sol";
import {Belief, Claims} from "../base/GamePlayer.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

/// @notice Invariant 5: a move means one thing, whenever and wherever else it is sent.
contract DissectionGame_Replay is DissectionGameTest {
    uint256 private constant STEPS = 2 ** 20;

    function test_replay_ownMove_reverts() external {
        (GameTerms memory terms,, Claims memory answer) = answeredGame(STEPS, 77);
        Pick memory pick = pickOf(answer, 0);
        Claims memory first = within(answer, 0, honest());
        sendMove(terms, challenger, pick, splitOf(first));
        vm.expectRevert(notTheParty(challenger, asserter));
        sendMove(terms, challenger, pick, splitOf(first));
        Claims memory second = moveInto(terms, asserter, first, disputable(first, liar(77)), liar(77));
        vm.expectRevert(staleMove(2 ** 16, second.end - second.start));
        sendMove(terms, challenger, pick, splitOf(first));
    }

    /// In another game between the same two, about the same inference, at the same level.
    function test_replay_otherGame_reverts() external {
        (GameTerms memory terms,, Claims memory answer) = answeredGame(STEPS, 77);
        (GameTerms memory other, Claims memory opening) = (termsOf(STEPS), answer);
        other.binding = keccak256("another");
        opening = openWith(other, honest());
        Claims memory otherAnswer = answerInto(other, asserter, opening, 0, liar(78));
        Pick memory pick = pickOf(answer, 0);
        Split memory split = splitOf(within(answer, 0, honest()));
        vm.assertEq(answer.end - answer.start, otherAnswer.end - otherAnswer.start);
        vm.expectRevert(IDissectionGame.WrongOpening.selector);
        sendMove(other, challenger, pick, split);
        sendMove(terms, challenger, pick, split);
    }

    /// The tail of a halted machine: all states are equal, so that claims about any part of it are, and only the length tells
    /// them apart.
    function test_replay_haltedTail_reverts() external {
        useMachine(1, keccak256("output"));
        game = gameAt(GAS_PRICE);
        // The asserter claims that the machine runs on for ever; the challenger's states are those of the halted one.
        (GameTerms memory terms, Claims memory opening) = openGame(STEPS, honest());
        vm.assertEq(opening.states[1], opening.states[16], "halted");
        // Both agree with the challenger's first bound, and the asserter denies the last.
        Claims memory answer = answerInto(terms, asserter, opening, 15, tail());
        Pick memory pick = pickOf(answer, disputable(answer, honest()));
        Claims memory first = within(answer, pick.segment, honest());
        sendMove(terms, challenger, pick, splitOf(first));
        Claims memory second = moveInto(terms, asserter, first, 15, tail());
        // The claims two levels deeper are the same, word for word …
        vm.assertEq(keccak256(abi.encode(second.states)), keccak256(abi.encode(answer.states)));
        vm.assertEq(game.game(idOf(terms)).claims, storedOf(terms, answer));
        // … and the old move is none for them.
        vm.expectRevert(staleMove(STEPS / 16, STEPS / 16 ** 3));
        sendMove(terms, challenger, pick, splitOf(first));
        // The same with the length corrected is a move that its author meant for here.
        pick.steps = STEPS / 16 ** 3;
        sendMove(terms, challenger, pick, splitOf(first));
        assertGamePhase(terms, GamePhase.AsserterToMove);
    }

    /// @dev Denies the last state of whatever it answers, with one other state, and agrees with all before.
    function tail() private pure returns (Belief memory belief) {
        belief = honest();
        (belief.fault, belief.last, belief.end) = (STEPS, STEPS, keccak256("runs on"));
    }

    /// A move sent again on another branch, on which the other side has answered something else.
    function test_replay_afterAReorganisation_reverts() external {
        (GameTerms memory terms, Claims memory opening) = openGame(STEPS, honest());
        uint256 fork = vm.snapshotState();
        Claims memory answer = answerInto(terms, asserter, opening, 0, liar(77));
        Pick memory pick = pickOf(answer, 0);
        Split memory split = splitOf(within(answer, 0, honest()));
        sendMove(terms, challenger, pick, split);

        vm.revertToState(fork);
        vm.expectRevert(wrongPhase(GamePhase.AsserterToAnswer));
        sendMove(terms, challenger, pick, split);
        // Another segment of the same length, and the same segment with other states.
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; i < 2; ++i) {
            answerInto(terms, asserter, opening, i == 0 ? 1 : 0, liar(7));
            vm.expectRevert(IDissectionGame.WrongOpening.selector);
            sendMove(terms, challenger, pick, split);
            vm.revertToState(before);
        }
        // The same answer, sent again, is answered by the same move.
        answerInto(terms, asserter, opening, 0, liar(77));
        sendMove(terms, challenger, pick, split);
        assertGamePhase(terms, GamePhase.AsserterToMove);
    }

    /// On a branch on which the game was opened with anything else, there is no such game.
    function test_replay_gameOfAnotherBranch_reverts() external {
        uint256 fork = vm.snapshotState();
        (GameTerms memory terms,, Claims memory answer) = answeredGame(STEPS, 77);
        vm.revertToState(fork);
        GameTerms memory other = termsOf(STEPS);
        other.allowance += 1;
        openWith(other, honest());
        Parties memory parties = Parties(asserter, challenger);
        Pick memory pick = pickOf(answer, 0);
        Split memory split = splitOf(within(answer, 0, honest()));
        vm.expectRevert(wrongPhase(GamePhase.None));
        vm.prank(challenger);
        game.move(idOf(terms), parties, pick, split);
    }

    /// An answer is no move and a move no answer, though they say the same.
    function test_replay_answerAsMove_reverts() external {
        (GameTerms memory terms, Claims memory opening) = openGame(STEPS, honest());
        Pick memory pick = pickOf(opening, 0);
        Split memory split = splitOf(within(opening, 0, liar(77)));
        vm.expectRevert(wrongPhase(GamePhase.AsserterToAnswer));
        sendMove(terms, asserter, pick, split);
        sendAnswer(terms, asserter, pick, split);
        vm.expectRevert(wrongPhase(GamePhase.ChallengerToMove));
        sendAnswer(terms, asserter, pick, split);
    }

    function test_steps_givenWrong_reverts(uint256 given) external {
        vm.assume(given != STEPS);
        (GameTerms memory terms, Claims memory opening) = openGame(STEPS, honest());
        Pick memory pick = pickOf(opening, 0);
        pick.steps = given;
        vm.expectRevert(staleMove(given, STEPS));
        sendAnswer(terms, asserter, pick, splitOf(within(opening, 0, liar(77))));
    }
}
