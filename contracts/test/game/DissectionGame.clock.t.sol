// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Clock, GamePhase, GameTerms, Pick, Split} from "../../src/interfaces/IDissectionGame.sol";
import {GameClock} from "../../src/libraries/GameClock.sol";
import {Claims} from "../base/GamePlayer.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

/// @notice Every entry point one second before a clock runs out, at that second, and one second after.
contract DissectionGame_Clocks is DissectionGameTest {
    /// @dev Seconds after the beginning of a turn: less than what is left, as much, more.
    uint256[3] private waits = [uint256(ALLOWANCE) - 1, ALLOWANCE, ALLOWANCE + 1];

    function test_clock_answer_succeeds() external {
        (GameTerms memory terms, Claims memory opening) = openGame(4096, honest());
        Pick memory pick = pickOf(opening, 7);
        Split memory split = splitOf(within(opening, 7, liar(0)));
        for (uint256 i = 0; i < 3; ++i) {
            uint256 before = vm.snapshotState();
            vm.warp(START + waits[i]);
            if (i > 0) vm.expectRevert(wrongPhase(GamePhase.ChallengerWon));
            sendAnswer(terms, asserter, pick, split);
            if (i == 0) vm.assertEq(game.game(idOf(terms)).clock.asserterRemaining, 1);
            vm.revertToState(before);
        }
    }

    function test_clock_moveOfTheChallenger_succeeds() external {
        (GameTerms memory terms,, Claims memory answer) = answeredGame(4096, 77);
        Pick memory pick = pickOf(answer, 7);
        Split memory split = splitOf(within(answer, 7, liar(0)));
        for (uint256 i = 0; i < 3; ++i) {
            uint256 before = vm.snapshotState();
            vm.warp(START + waits[i]);
            if (i > 0) vm.expectRevert(wrongPhase(GamePhase.AsserterWon));
            sendMove(terms, challenger, pick, split);
            if (i == 0) vm.assertEq(game.game(idOf(terms)).clock.challengerRemaining, 1);
            vm.revertToState(before);
        }
    }

    function test_clock_moveOfTheAsserter_succeeds() external {
        (GameTerms memory terms,, Claims memory answer) = answeredGame(2 ** 20, 77);
        Claims memory last = moveInto(terms, challenger, answer, 0, honest());
        Pick memory pick = pickOf(last, 7);
        Split memory split = splitOf(within(last, 7, liar(0)));
        for (uint256 i = 0; i < 3; ++i) {
            uint256 before = vm.snapshotState();
            vm.warp(START + waits[i]);
            if (i > 0) vm.expectRevert(wrongPhase(GamePhase.ChallengerWon));
            sendMove(terms, asserter, pick, split);
            vm.revertToState(before);
        }
    }

    function test_clock_prove_succeeds() external {
        (GameTerms memory terms,, Claims memory answer) = answeredGame(256, 20);
        for (uint256 i = 0; i < 3; ++i) {
            uint256 before = vm.snapshotState();
            vm.warp(START + waits[i]);
            if (i > 0) vm.expectRevert(wrongPhase(GamePhase.AsserterWon));
            proveAt(terms, challenger, answer, 3);
            vm.revertToState(before);
        }
    }

    function test_clock_proveInsteadOfAnAnswer_succeeds() external {
        (GameTerms memory terms, Claims memory opening) = openGame(16, liar(3));
        for (uint256 i = 0; i < 3; ++i) {
            uint256 before = vm.snapshotState();
            vm.warp(START + waits[i]);
            if (i > 0) vm.expectRevert(wrongPhase(GamePhase.ChallengerWon));
            proveAt(terms, asserter, opening, 2);
            vm.revertToState(before);
        }
    }

    function test_clock_claimTimeout_succeeds() external {
        (GameTerms memory unanswered,) = openGame(4096, honest());
        (GameTerms memory answered,,) = answeredGame(4097, 77);
        for (uint256 i = 0; i < 3; ++i) {
            uint256 before = vm.snapshotState();
            vm.warp(START + waits[i]);
            if (i == 0) vm.expectRevert(wrongPhase(GamePhase.AsserterToAnswer));
            game.claimTimeout(unanswered);
            if (i == 0) vm.expectRevert(wrongPhase(GamePhase.ChallengerToMove));
            game.claimTimeout(answered);
            vm.revertToState(before);
        }
    }

    function test_clock_close_succeeds() external {
        (GameTerms memory unanswered,) = openGame(4096, honest());
        (GameTerms memory answered,,) = answeredGame(4097, 77);
        for (uint256 i = 0; i < 3; ++i) {
            uint256 before = vm.snapshotState();
            vm.warp(START + waits[i]);
            if (i == 0) vm.expectRevert(wrongPhase(GamePhase.AsserterToAnswer));
            (, bool asserterWon) = game.close(unanswered);
            vm.assertFalse(asserterWon);
            if (i == 0) vm.expectRevert(wrongPhase(GamePhase.ChallengerToMove));
            (, asserterWon) = game.close(answered);
            vm.assertEq(asserterWon, i > 0);
            vm.revertToState(before);
        }
    }

    /// What is left is what counts, and not when the game began.
    function test_clock_afterSlowMoves_succeeds() external {
        (GameTerms memory terms, Claims memory opening) = openGame(4096, honest());
        vm.warp(START + 600);
        Claims memory answer = answerInto(terms, asserter, opening, 0, liar(100));
        vm.warp(START + 700);
        moveInto(terms, challenger, answer, disputable(answer, honest()), honest());
        // 400 seconds are left to the asserter.
        vm.warp(START + 1099);
        assertGamePhase(terms, GamePhase.AsserterToMove);
        vm.warp(START + 1100);
        assertGamePhase(terms, GamePhase.ChallengerWon);
        game.claimTimeout(terms);
        vm.expectRevert(wrongPhase(GamePhase.ChallengerWon));
        game.claimTimeout(terms);
    }

    /// Invariant 4: both use up all their time but a second, and the game is over when both clocks are.
    function test_clock_latestEnd_succeeds() external {
        (GameTerms memory terms, Claims memory opening) = openGame(4096, honest());
        vm.warp(START + ALLOWANCE - 1);
        Claims memory answer = answerInto(terms, asserter, opening, 0, liar(100));
        vm.warp(block.timestamp + ALLOWANCE - 1);
        moveInto(terms, challenger, answer, disputable(answer, honest()), honest());
        assertGamePhase(terms, GamePhase.AsserterToMove);
        vm.warp(START + 2 * ALLOWANCE - 1);
        assertGamePhase(terms, GamePhase.ChallengerWon);
        (, bool asserterWon) = game.close(terms);
        vm.assertFalse(asserterWon);
    }

    function test_clock_unknownGame_reverts() external {
        GameTerms memory terms = termsOf(1000);
        vm.expectRevert(wrongPhase(GamePhase.None));
        game.claimTimeout(terms);
        vm.expectRevert(wrongPhase(GamePhase.None));
        game.close(terms);
        vm.assertEq(uint256(game.phase(idOf(terms))), uint256(GamePhase.None));
    }

    /// Invariant 1: at any moment of any turn exactly one of moving and claiming the timeout is legal.
    function test_clock_moveOrTimeout_succeeds(uint256 wait, bool answered) external {
        wait = bound(wait, ALLOWANCE - 2, ALLOWANCE + 2);
        (GameTerms memory terms, Claims memory last) = openGame(4096, honest());
        if (answered) last = answerInto(terms, asserter, last, 0, liar(77));
        Pick memory pick = pickOf(last, 3);
        Split memory split = splitOf(within(last, 3, liar(0)));
        vm.warp(START + wait);
        uint256 before = vm.snapshotState();
        bool moved = answered ? moves(terms, pick, split) : answers(terms, pick, split);
        vm.revertToState(before);
        bool claimed = claims(terms);
        vm.assertTrue(moved != claimed, "exactly one is legal");
        vm.assertEq(claimed, wait >= ALLOWANCE);
    }

    function answers(GameTerms memory terms, Pick memory pick, Split memory split) private returns (bool) {
        vm.prank(asserter);
        try game.answer{value: ASSERTER_STAKE}(terms, pick, split) {
            return true;
        } catch {
            return false;
        }
    }

    function moves(GameTerms memory terms, Pick memory pick, Split memory split) private returns (bool) {
        try this.moveAsChallenger(terms, pick, split) {
            return true;
        } catch {
            return false;
        }
    }

    function moveAsChallenger(GameTerms memory terms, Pick memory pick, Split memory split) external {
        sendMove(terms, challenger, pick, split);
    }

    function claims(GameTerms memory terms) private returns (bool) {
        try game.claimTimeout(terms) {
            return true;
        } catch {
            return false;
        }
    }
}

contract GameClock_Classify is DissectionGameTest {
    /// Invariants 1 and 2, and 4: whoever moves when, time is only ever spent, and the last game ends 2·allowance after its opening.
    function test_classify_anyMoves_succeeds(uint32 allowance, uint16[24] calldata waits) external pure {
        vm.assume(allowance > 0);
        Clock memory clock;
        clock.recorded = GamePhase.AsserterToAnswer;
        (clock.asserterRemaining, clock.challengerRemaining) = (allowance, allowance);
        clock.turnStartedAt = uint40(START);
        uint256 time = START;
        for (uint256 i = 0; i < waits.length; ++i) {
            time += waits[i];
            GamePhase now_ = GameClock.classify(clock, time);
            bool over = now_ == GamePhase.AsserterWon || now_ == GamePhase.ChallengerWon;
            vm.assertTrue(over || time < START + 2 * uint256(allowance), "never longer than both clocks");
            if (over) {
                vm.assertTrue(now_ == (i % 2 == 0 ? GamePhase.ChallengerWon : GamePhase.AsserterWon));
                // And it stays so.
                vm.assertTrue(GameClock.classify(clock, time + waits[0]) == now_);
                return;
            }
            uint256 sum = uint256(clock.asserterRemaining) + clock.challengerRemaining;
            uint256 work = uint256(clock.asserterWork) + clock.challengerWork;
            GameClock.handOver(clock, time, 1850);
            vm.assertEq(sum - clock.asserterRemaining - clock.challengerRemaining, waits[i]);
            vm.assertTrue(clock.asserterRemaining > 0 && clock.challengerRemaining > 0);
            vm.assertEq(uint256(clock.asserterWork) + clock.challengerWork - work, 1850);
        }
    }

    Clock private stored;

    /// The one write of `save` is what assigning every field would be.
    function test_save_everyField_succeeds(uint256 seed) external {
        Clock memory clock = Clock({
            start: uint48(seed),
            end: uint56(seed >> 7),
            turnStartedAt: uint40(seed >> 31),
            asserterRemaining: uint32(seed >> 64),
            challengerRemaining: uint32(seed >> 97),
            recorded: GamePhase(seed % 6),
            closed: seed % 7 == 0,
            asserterWork: uint16(seed >> 130),
            challengerWork: uint16(seed >> 151)
        });
        GameClock.save(stored, clock);
        vm.assertEq(keccak256(abi.encode(stored)), keccak256(abi.encode(clock)));
    }
}
