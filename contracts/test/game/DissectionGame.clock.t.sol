// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Clock, Ending, GamePhase, IDissectionGame} from "../../src/interfaces/IDissectionGame.sol";
import {GameClock} from "../../src/libraries/GameClock.sol";
import {Opening, Split} from "../base/GamePlayer.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

contract DissectionGame_ClaimTimeout is DissectionGameTest {
    function test_claimTimeout_unansweredAtTheSecond_succeeds() external {
        bytes32 gameId = openGame(1000);
        vm.warp(START + ALLOWANCE - 1);
        vm.expectRevert(wrongPhase(GamePhase.AsserterToAnswer));
        game.claimTimeout(gameId);
        vm.warp(START + ALLOWANCE);
        vm.expectEmit(true, true, true, true, address(game));
        emit IDissectionGame.Settled(gameId, challenger, false, Ending.Timeout);
        game.claimTimeout(gameId);
        assertPhase(gameId, GamePhase.ChallengerWon);
    }

    function test_claimTimeout_challengerAtTheSecond_succeeds() external {
        (bytes32 gameId, Split memory split) = answeredGame(1000, honest());
        vm.warp(START + ALLOWANCE - 1);
        vm.expectRevert(wrongPhase(GamePhase.ChallengerToMove));
        game.claimTimeout(gameId);
        uint256 before = vm.snapshotState();
        moveInto(gameId, challenger, split, 3, liar(200));
        vm.revertToState(before);
        vm.warp(START + ALLOWANCE);
        bytes32[] memory states = payloadOf(splitOf(liar(200), 187, 250, split.states[3]), true);
        vm.expectRevert(wrongPhase(GamePhase.AsserterWon));
        sendMove(gameId, challenger, openingOf(split, 3), states);
        vm.expectRevert(wrongPhase(GamePhase.AsserterWon));
        sendProof(gameId, challenger, openingOf(split, 3), "");
        vm.expectEmit(true, true, true, true, address(game));
        emit IDissectionGame.Settled(gameId, asserter, true, Ending.Timeout);
        vm.prank(stranger);
        game.claimTimeout(gameId);
    }

    function test_claimTimeout_asserterAfterSlowMoves_succeeds() external {
        bytes32 gameId = openGame(1000);
        vm.warp(START + 600);
        Split memory answered = answerGame(gameId, 1000, liar(100));
        vm.warp(START + 700);
        moveInto(gameId, challenger, answered, 1, honest());
        // 400 seconds are left to the asserter.
        vm.warp(START + 1099);
        assertPhase(gameId, GamePhase.AsserterToMove);
        vm.warp(START + 1100);
        assertPhase(gameId, GamePhase.ChallengerWon);
        game.claimTimeout(gameId);
        vm.expectRevert(wrongPhase(GamePhase.ChallengerWon));
        game.claimTimeout(gameId);
    }

    function test_claimTimeout_unknownGame_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.UnknownGame.selector, bytes32(0)));
        game.claimTimeout(0);
    }

    /// Invariant 1: at any moment of any turn exactly one of moving and claiming the timeout is legal.
    function test_claimTimeout_orMove_succeeds(uint256 wait, bool answered) external {
        wait = bound(wait, ALLOWANCE - 2, ALLOWANCE + 2);
        bytes32 gameId;
        Split memory split = splitOf(honest(), 0, 1000, stateOf(honest(), 0));
        if (answered) (gameId, split) = answeredGame(1000, honest());
        else gameId = openGame(1000);
        bytes32 initial = stateOf(honest(), 0);
        Opening memory opening = openingOf(split, 3);
        bytes32[] memory states = payloadOf(splitOf(liar(200), 187, 250, split.states[3]), true);
        vm.warp(START + wait);

        uint256 before = vm.snapshotState();
        bool moved = true;
        if (answered) {
            vm.prank(challenger);
            try game.move(gameId, opening.claims, 3, opening.start, opening.end, opening.path, states) {}
            catch {
                moved = false;
            }
        } else {
            try game.answer{value: ASSERTER_STAKE}(
                gameId, initial, BINDING, split.states[16], payloadOf(split, false)
            ) {}
            catch {
                moved = false;
            }
        }
        vm.revertToState(before);
        bool claimed = true;
        try game.claimTimeout(gameId) {}
        catch {
            claimed = false;
        }
        vm.assertTrue(moved != claimed, "exactly one is legal");
        vm.assertEq(claimed, wait >= ALLOWANCE);
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
            GameClock.handOver(clock, time);
            vm.assertEq(sum - clock.asserterRemaining - clock.challengerRemaining, waits[i]);
            vm.assertTrue(clock.asserterRemaining > 0 && clock.challengerRemaining > 0);
        }
    }
}
