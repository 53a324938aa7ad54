// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {GamePhase, GameTerms} from "../../src/interfaces/IDissectionGame.sol";
import {Belief, Claims} from "../base/GamePlayer.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

/// @notice What an honest player can count on, in every game, whatever the other does. Invariant 3.
contract DissectionGame_Adversary is DissectionGameTest {
    /// @dev One a level, the opening not counted, and the proof.
    uint256 private constant TURNS_OF_2_POW_48 = 12;

    function play(uint256 steps, uint256 fault, bool asserterLies) private returns (uint256 turns) {
        Belief memory asserterBelief = asserterLies ? liar(fault) : honest();
        Belief memory challengerBelief = asserterLies ? honest() : liar(fault);
        (GameTerms memory terms, Claims memory opening) = openGame(steps, challengerBelief);
        turns = playOut(terms, opening, asserterBelief, challengerBelief);
        assertGamePhase(terms, asserterLies ? GamePhase.ChallengerWon : GamePhase.AsserterWon);
    }

    function levelsOf(uint256 steps) private view returns (uint256 levels) {
        uint256 arity = 2 ** arityBits;
        for (levels = 1; steps > 2 * arity; ++levels) {
            steps = (steps + arity - 1) / arity;
        }
    }

    /// The honest side wins against a consistent lie that begins at any step, on both sides, at every depth and parity.
    function test_honestWins_consistentLie_succeeds(uint256 steps, uint256 fault, uint8 bits, bool asserterLies)
        external
    {
        steps = bound(steps, 1, 2 ** (1 + uint256(bits) % 48));
        fault = bound(fault, 1, steps);
        vm.assertLe(
            play(steps, fault, asserterLies), levelsOf(steps), "one turn a level: the first level is the opening"
        );
    }

    /// The same with every arity.
    function test_honestWins_anyArity_succeeds(uint256 steps, uint256 fault, uint8 bits, bool asserterLies) external {
        arityBits = 1 + uint256(bits) % 6;
        game = gameAt(GAS_PRICE);
        steps = bound(steps, 1, 2 ** 20);
        fault = bound(fault, 1, steps);
        vm.assertLe(play(steps, fault, asserterLies), levelsOf(steps));
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
                    play(steps, fault, side == 0);
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
        GameTerms memory terms = termsOf(steps);
        Claims memory last = claimsOf(honest(), 0, steps, terms.initialState);
        if (!asserterLies) last = noise(last, seed);
        game.open{value: CHALLENGER_STAKE}(terms, splitOf(last));
        bool honestToMove = !asserterLies;
        address good = asserterLies ? challenger : asserter;
        address bad = asserterLies ? asserter : challenger;
        for (uint256 turn = 0; !isOver(terms); ++turn) {
            vm.assertLe(turn, TURNS_OF_2_POW_48);
            seed = uint256(keccak256(abi.encode(seed)));
            if (honestToMove) {
                vm.assertLt(disputable(last, honest()), segmentsOf(last), "there is always something to dispute");
                (last,) = playTurn(terms, good, last, honest());
            } else {
                last = randomTurn(terms, bad, last, seed);
            }
            honestToMove = !honestToMove;
        }
        assertGamePhase(terms, asserterLies ? GamePhase.ChallengerWon : GamePhase.AsserterWon);
    }

    /// Any two parties, neither honest: a game ends by itself all the same, after at most a turn a level and the proof.
    function test_ends_twoLiars_succeeds(uint256 steps, uint256 seed) external {
        steps = bound(steps, 1, 2 ** 48);
        GameTerms memory terms = termsOf(steps);
        Claims memory last = noise(claimsOf(honest(), 0, steps, terms.initialState), seed);
        game.open{value: CHALLENGER_STAKE}(terms, splitOf(last));
        for (uint256 turn = 0; turn <= TURNS_OF_2_POW_48 && !isOver(terms); ++turn) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 j = seed % segmentsOf(last);
            if (boundOf(last, j + 1) - boundOf(last, j) == 1 && !isTrue(last.states[j], boundOf(last, j))) {
                // A state that nobody can open: the clock decides.
                vm.warp(block.timestamp + ALLOWANCE);
                game.claimTimeout(terms);
            } else {
                last = randomTurn(terms, turn % 2 == 0 ? asserter : challenger, last, seed);
            }
        }
        vm.assertTrue(isOver(terms));
    }

    /// @dev Makes about half of the states false; the last always, since a move has to dispute.
    function noise(Claims memory claims, uint256 seed) private pure returns (Claims memory) {
        uint256 m = segmentsOf(claims);
        for (uint256 j = 1; j <= m; ++j) {
            bytes32 random = keccak256(abi.encode(seed, j));
            if (j == m || uint256(random) % 2 == 0) claims.states[j] = random;
        }
        return claims;
    }

    /// @dev Splits a random segment at random, or proves it where it has one step.
    function randomTurn(GameTerms memory terms, address player, Claims memory other, uint256 seed)
        private
        returns (Claims memory own)
    {
        uint256 j = seed % segmentsOf(other);
        own = noise(within(other, j, honest()), seed);
        turnInto(terms, player, other, j, own);
    }
}
