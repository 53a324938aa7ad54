// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {GamePhase} from "../../src/interfaces/IDissectionGame.sol";
import {Belief, Split} from "../base/GamePlayer.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

/// @notice What an honest player can count on, in every game, whatever the other does.
contract DissectionGame_Adversary is DissectionGameTest {
    uint256 private constant LEVELS_OF_2_POW_48 = 12;

    /// The honest side wins against a consistent lie that begins at any step, on both sides, at every depth and parity.
    function test_honestWins_consistentLie_succeeds(uint256 steps, uint256 fault, uint8 bits, bool asserterLies)
        external
    {
        steps = bound(steps, 1, 2 ** (1 + uint256(bits) % 48));
        fault = bound(fault, 1, steps);
        Belief memory lie = liar(fault);
        (bytes32 gameId, Split memory answer) = answeredGame(steps, asserterLies ? lie : honest());
        uint256 turns = asserterLies ? playOut(gameId, answer, lie, honest()) : playOut(gameId, answer, honest(), lie);
        assertPhase(gameId, asserterLies ? GamePhase.ChallengerWon : GamePhase.AsserterWon);
        uint256 levels = 0;
        while (16 ** levels < steps) ++levels;
        vm.assertLe(turns, levels == 0 ? 2 : levels + 1, "one turn a level and the proof");
    }

    /// Every fault of every short inference, both liars: no parity or rounding of the bounds helps a liar.
    function test_honestWins_everyShortGame_succeeds() external {
        uint256[12] memory lengths = [uint256(1), 2, 3, 15, 16, 17, 18, 31, 32, 33, 255, 257];
        for (uint256 i = 0; i < lengths.length; ++i) {
            uint256 steps = lengths[i];
            uint256 stride = steps > 40 ? 23 : 1;
            for (uint256 fault = 1; fault <= steps; fault += stride) {
                for (uint256 side = 0; side < 2; ++side) {
                    uint256 before = vm.snapshotState();
                    Belief memory lie = liar(fault);
                    (bytes32 gameId, Split memory answer) = answeredGame(steps, side == 0 ? lie : honest());
                    if (side == 0) playOut(gameId, answer, lie, honest());
                    else playOut(gameId, answer, honest(), lie);
                    assertPhase(gameId, side == 0 ? GamePhase.ChallengerWon : GamePhase.AsserterWon);
                    vm.revertToState(before);
                }
            }
        }
    }

    /// An adversary that picks segments and states at random, true and false ones mixed, never believing anything.
    function test_honestWins_randomAdversary_succeeds(uint256 steps, uint256 seed, uint8 bits, bool asserterLies)
        external
    {
        steps = bound(steps, 1, 2 ** (1 + uint256(bits) % 48));
        bytes32 gameId = openGame(steps);
        Split memory last;
        if (asserterLies) {
            last = noise(splitOf(honest(), 0, steps, stateOf(honest(), 0)), seed);
            game.answer{value: ASSERTER_STAKE}(
                gameId, last.states[0], BINDING, last.states[last.states.length - 1], payloadOf(last, false)
            );
        } else {
            last = answerGame(gameId, steps, honest());
        }
        bool honestToMove = asserterLies;
        address good = asserterLies ? challenger : asserter;
        address bad = asserterLies ? asserter : challenger;
        for (uint256 turn = 0; !isOver(gameId); ++turn) {
            vm.assertLe(turn, LEVELS_OF_2_POW_48 + 1);
            seed = uint256(keccak256(abi.encode(seed)));
            if (honestToMove) {
                vm.assertLt(disputable(last, honest()), segmentsOf(last), "there is always something to dispute");
                (last,) = playTurn(gameId, good, last, honest());
            } else {
                last = randomTurn(gameId, bad, last, seed);
            }
            honestToMove = !honestToMove;
        }
        assertPhase(gameId, asserterLies ? GamePhase.ChallengerWon : GamePhase.AsserterWon);
    }

    /// Any two parties, neither honest: a game ends by itself all the same, after at most a turn a level and the proof.
    function test_ends_twoLiars_succeeds(uint256 steps, uint256 seed) external {
        steps = bound(steps, 1, 2 ** 48);
        bytes32 gameId = openGame(steps);
        Split memory last = noise(splitOf(honest(), 0, steps, stateOf(honest(), 0)), seed);
        game.answer{value: ASSERTER_STAKE}(
            gameId, last.states[0], BINDING, last.states[last.states.length - 1], payloadOf(last, false)
        );
        for (uint256 turn = 0; turn <= LEVELS_OF_2_POW_48 && !isOver(gameId); ++turn) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 j = seed % segmentsOf(last);
            if (boundOf(last, j + 1) - boundOf(last, j) == 1 && !isTrue(last.states[j], boundOf(last, j))) {
                // A state that nobody can open: the clock decides.
                vm.warp(block.timestamp + ALLOWANCE);
                game.claimTimeout(gameId);
            } else {
                last = randomTurn(gameId, turn % 2 == 0 ? challenger : asserter, last, seed);
            }
        }
        vm.assertTrue(isOver(gameId));
    }

    function isOver(bytes32 gameId) private view returns (bool) {
        GamePhase now_ = game.phase(gameId);
        return now_ == GamePhase.AsserterWon || now_ == GamePhase.ChallengerWon;
    }

    /// @dev Makes about half of the states false; the last always, since a move has to dispute.
    function noise(Split memory split, uint256 seed) private pure returns (Split memory) {
        uint256 m = segmentsOf(split);
        for (uint256 j = 1; j <= m; ++j) {
            bytes32 random = keccak256(abi.encode(seed, j));
            if (j == m || uint256(random) % 2 == 0) split.states[j] = random;
        }
        return split;
    }

    /// @dev Splits a random segment at random, or proves it where it has one step.
    function randomTurn(bytes32 gameId, address player, Split memory other, uint256 seed)
        private
        returns (Split memory own)
    {
        uint256 j = seed % segmentsOf(other);
        (uint256 from, uint256 to) = (boundOf(other, j), boundOf(other, j + 1));
        if (to - from == 1) {
            proveAt(gameId, player, other, j);
            return own;
        }
        own = noise(splitOf(honest(), from, to, other.states[j]), seed);
        sendMove(gameId, player, openingOf(other, j), payloadOf(own, true));
    }
}
