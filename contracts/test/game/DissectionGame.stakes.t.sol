// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {GamePhase, GameTerms, IDissectionGame, Pick} from "../../src/interfaces/IDissectionGame.sol";
import {IPullPayments} from "../../src/interfaces/IPullPayments.sol";
import {Claims} from "../base/GamePlayer.sol";
import {ContractPlayer} from "../fakes/ContractPlayer.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

/// @notice What becomes of the stakes. Invariants 6 and 7.
contract DissectionGame_Stakes is DissectionGameTest {
    uint256 private opening;
    uint256 private answer;
    uint256 private move;
    uint256 private proof;

    function setUp() public override {
        super.setUp();
        (opening, answer, move, proof) = (game.OPENING_GAS(), game.ANSWER_GAS(), game.MOVE_GAS(), game.PROOF_GAS());
    }

    /// @dev Withdraws what a game of these stakes left to the winner.
    function paid(address winner, uint256 stakes) private returns (uint256 amount) {
        vm.assertEq(address(game).balance, stakes);
        uint256 before = winner.balance;
        vm.expectEmit(true, true, true, true, address(game));
        emit IPullPayments.Withdrawn(winner, game.owed(winner));
        vm.prank(stranger);
        amount = game.withdraw(winner);
        vm.assertEq(winner.balance - before, amount);
        vm.assertEq(address(game).balance, stakes - amount, "what is burnt stays");
        vm.assertEq(game.owed(asserter) + game.owed(challenger), 0, "and is nobody's");
        vm.assertEq(game.withdraw(winner), 0, "once");
    }

    function test_stakes_unanswered_succeeds() external {
        (GameTerms memory terms,) = openGame(1000, honest());
        vm.warp(START + ALLOWANCE);
        game.claimTimeout(terms);
        vm.assertEq(paid(challenger, CHALLENGER_STAKE), CHALLENGER_STAKE);
    }

    function test_stakes_challengerByProof_succeeds() external {
        (GameTerms memory terms, Claims memory claims) = openGame(4096, honest());
        vm.assertEq(playOut(terms, claims, liar(77), honest()), 3, "answer, move, proof");
        uint256 reward = worth(opening + move);
        // The asserter's proof conceded: it is no part of the winner's work.
        vm.assertEq(paid(challenger, CHALLENGER_STAKE + ASSERTER_STAKE), CHALLENGER_STAKE + reward);
    }

    function test_stakes_asserterByProof_succeeds() external {
        (GameTerms memory terms, Claims memory claims) = openGame(4096, liar(77));
        vm.assertEq(playOut(terms, claims, honest(), liar(77)), 3);
        vm.assertEq(paid(asserter, CHALLENGER_STAKE + ASSERTER_STAKE), ASSERTER_STAKE + worth(answer + proof));
    }

    function test_stakes_challengerByTimeout_succeeds() external {
        (GameTerms memory terms,, Claims memory claims) = answeredGame(4096, 77);
        moveInto(terms, challenger, claims, disputable(claims, honest()), honest());
        vm.warp(START + ALLOWANCE);
        game.claimTimeout(terms);
        vm.assertEq(paid(challenger, CHALLENGER_STAKE + ASSERTER_STAKE), CHALLENGER_STAKE + worth(opening + move));
    }

    function test_stakes_asserterByTimeout_succeeds() external {
        answeredGame(4096, 77);
        vm.warp(START + ALLOWANCE);
        // Closing it is enough.
        vm.assertTrue(closes(termsOf(4096)));
        vm.assertEq(paid(asserter, CHALLENGER_STAKE + ASSERTER_STAKE), ASSERTER_STAKE + worth(answer));
    }

    function test_stakes_cappedByTheStake_succeeds() external {
        game = gameAt(1000 gwei);
        (GameTerms memory terms,, Claims memory claims) = answeredGame(256, 20);
        proveAt(terms, challenger, claims, 3);
        vm.assertEq(paid(challenger, CHALLENGER_STAKE + ASSERTER_STAKE), CHALLENGER_STAKE + ASSERTER_STAKE);
    }

    /// Invariant 7.
    function test_stakes_anyGasPrice_succeeds(uint64 gasPrice) external {
        vm.txGasPrice(gasPrice);
        (GameTerms memory terms,, Claims memory claims) = answeredGame(256, 20);
        proveAt(terms, challenger, claims, 3);
        vm.assertEq(paid(challenger, CHALLENGER_STAKE + ASSERTER_STAKE), CHALLENGER_STAKE + worth(opening + proof));
    }

    /// Invariant 6, for any stakes: nothing is made, nothing is lost.
    function test_stakes_conserved_succeeds(uint96 asserterStake, uint96 challengerStake, bool asserterLies) external {
        asserterStake %= 500 ether;
        challengerStake %= 500 ether;
        GameTerms memory terms = termsOf(4096);
        (terms.asserterStake, terms.challengerStake) = (asserterStake, challengerStake);
        Claims memory claims = openWith(terms, asserterLies ? honest() : liar(77));
        playOut(terms, claims, asserterLies ? liar(77) : honest(), asserterLies ? honest() : liar(77));
        assertGamePhase(terms, asserterLies ? GamePhase.ChallengerWon : GamePhase.AsserterWon);
        address winner = asserterLies ? challenger : asserter;
        uint256 own = asserterLies ? challengerStake : asserterStake;
        vm.assertGe(paid(winner, uint256(asserterStake) + challengerStake), own, "a winner loses nothing");
        vm.assertEq(game.owed(asserterLies ? asserter : challenger), 0);
    }

    /// @dev Closes a game for the first time; true if the asserter won.
    function closes(GameTerms memory terms) private returns (bool asserterWon) {
        bool first;
        (first, asserterWon) = game.close(terms);
        vm.assertTrue(first);
    }

    function test_close_twice_succeeds() external {
        (GameTerms memory terms,, Claims memory claims) = answeredGame(256, 20);
        proveAt(terms, challenger, claims, 3);
        vm.assertFalse(closes(terms));
        uint256 owed = game.owed(challenger);
        for (uint256 i = 0; i < 2; ++i) {
            (bool first, bool asserterWon) = game.close(terms);
            vm.assertFalse(first || asserterWon);
            vm.warp(START + 10 * ALLOWANCE);
        }
        vm.assertEq(game.owed(challenger), owed);
    }

    function test_close_byAnybodyElse_reverts() external {
        (GameTerms memory terms,) = openGame(1000, honest());
        vm.warp(START + ALLOWANCE);
        address[3] memory others = [asserter, challenger, stranger];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotTheClient.selector, others[i], address(this)));
            vm.prank(others[i]);
            game.close(terms);
        }
        // Terms that name another client are those of another game.
        terms.client = stranger;
        vm.expectRevert(wrongPhase(GamePhase.None));
        vm.prank(stranger);
        game.close(terms);
    }

    function test_withdraw_rejectingWinner_reverts() external {
        ContractPlayer player = new ContractPlayer();
        address other = challenger;
        challenger = address(player);
        (GameTerms memory terms,) = openGame(1000, honest());
        challenger = other;
        (GameTerms memory second,) = openGame(1000, honest());
        vm.warp(START + ALLOWANCE);
        player.setAccepting(false);
        game.claimTimeout(terms);
        game.claimTimeout(second);
        vm.expectRevert();
        game.withdraw(address(player));
        // Nobody else is touched, and the winner can still have its money when it takes it.
        vm.assertEq(game.withdraw(other), CHALLENGER_STAKE);
        player.setAccepting(true);
        vm.assertEq(game.withdraw(address(player)), CHALLENGER_STAKE);
        vm.assertEq(address(game).balance, 0);
    }

    function test_withdraw_reentered_succeeds() external {
        ContractPlayer player = new ContractPlayer();
        challenger = address(player);
        (GameTerms memory terms,) = openGame(1000, honest());
        openGame(1001, honest());
        vm.warp(START + ALLOWANCE);
        game.claimTimeout(terms);
        player.setCallOnReceive(address(game), abi.encodeCall(IPullPayments.withdraw, (address(player))));
        vm.assertEq(game.withdraw(address(player)), CHALLENGER_STAKE);
        vm.assertEq(address(player).balance, CHALLENGER_STAKE, "the second withdrawal had nothing to send");
        vm.assertEq(address(game).balance, CHALLENGER_STAKE);
    }

    function test_prove_contractPlayer_succeeds() external {
        ContractPlayer player = new ContractPlayer();
        challenger = address(player);
        (GameTerms memory terms,, Claims memory claims) = answeredGame(256, 20);
        bytes memory call = abi.encodeCall(IDissectionGame.prove, (terms, pickOf(claims, 3), proofOf(claims, 3)));
        // Whoever sends the transaction: the contract is the player.
        vm.prank(stranger, challenger);
        player.execute(address(game), call);
        vm.assertGt(game.owed(address(player)), CHALLENGER_STAKE);
    }

    function test_prove_originIsNoPlayer_reverts() external {
        (GameTerms memory terms,, Claims memory claims) = answeredGame(256, 20);
        Pick memory pick = pickOf(claims, 3);
        bytes memory bytes_ = proofOf(claims, 3);
        vm.expectRevert(notTheParty(stranger, challenger));
        vm.prank(stranger, challenger);
        game.prove(terms, pick, bytes_);
    }
}
