// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IDissectionGame, GamePhase, GameTerms, Parties, Pick, Split} from "../../src/interfaces/IDissectionGame.sol";
import {IBatch} from "../../src/interfaces/IBatch.sol";
import {ISpendableCredit} from "../../src/interfaces/ISpendableCredit.sol";
import {Belief, Claims} from "../base/GamePlayer.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

/// @notice What an auditor tried beside the usual: other clients, one account on both sides, hashes of 96 bytes, counters of the longest game.
contract DissectionGame_Review is DissectionGameTest {
    uint256 private constant STEPS = 2 ** 20;

    /// A client of its own may name anybody as the asserter, and any stakes; it gets at nothing of theirs, and at nothing in other games.
    function test_review_clientNamesAVictim_succeeds(uint96 wanted) external {
        (GameTerms memory real,,) = answeredGame(STEPS, 77);
        game.deposit{value: 5 ether}(asserter);
        uint256 before = address(game).balance;

        vm.deal(stranger, uint256(wanted) + 1 ether);
        GameTerms memory sham = real;
        (sham.client, sham.challenger) = (stranger, stranger);
        (sham.asserterStake, sham.challengerStake) = (wanted, 1 ether);
        Claims memory claims = claimsOf(liar(1), 0, STEPS, sham.initialState);
        vm.prank(stranger);
        game.open{value: 1 ether}(sham, splitOf(claims));
        Pick memory pick = pickOf(claims, 0);
        Split memory split = splitOf(within(claims, 0, honest()));
        vm.expectRevert(notTheParty(stranger, asserter));
        vm.prank(stranger);
        game.answer{value: wanted}(sham, pick, split);

        vm.warp(START + ALLOWANCE);
        vm.prank(stranger);
        (bool first, bool asserterWon) = game.close(sham);
        vm.assertTrue(first && !asserterWon);
        vm.assertEq(game.owed(stranger), 1 ether, "its own stake");
        vm.assertEq(game.owed(asserter), 5 ether);
        vm.assertEq(address(game).balance, before + 1 ether);
    }

    /// Whoever plays both sides, as asserter, challenger and client, never takes out more than it brought.
    function test_review_oneAccountOnBothSides_succeeds(uint256 steps, uint256 fault, bool asserterLies) external {
        steps = bound(steps, 1, STEPS);
        fault = bound(fault, 1, steps);
        GameTerms memory terms = termsOf(steps);
        terms.challenger = asserter;
        Claims memory claims = openWith(terms, asserterLies ? honest() : liar(fault));
        uint256 brought = address(game).balance;
        bool answered = boundOf(claims, 1) > 1;
        playOut(terms, claims, asserterLies ? liar(fault) : honest(), asserterLies ? honest() : liar(fault));
        if (answered) brought += ASSERTER_STAKE;
        vm.assertEq(address(game).balance, brought);
        if (answered || !asserterLies) vm.assertLt(game.owed(asserter), brought, "something is burnt");
        else vm.assertEq(game.owed(asserter), brought, "nothing was at stake");
    }

    /// What storage keeps is a hash of 96 bytes too, (root, asserter, challenger): it opens no claims as if it were the root of a blob's.
    function test_review_storedHashAsABlobsRoot_reverts() external {
        (GameTerms memory terms, Claims memory claims) = openGame(1, liar(1));
        bytes32 root = claimsRootOf(claims);
        Pick memory pick;
        (pick.steps, pick.start) = (1, root);
        pick.end = bytes32(uint256(uint160(challenger)));
        pick.opening = bytes.concat(abi.encode(root, asserter, challenger), new bytes(144));
        vm.assertEq(game.game(idOf(terms)).claims, keccak256(abi.encode(root, asserter, challenger)));
        vm.expectRevert(IDissectionGame.WrongOpening.selector);
        vm.prank(asserter);
        game.prove(terms, pick, "");
        // Nor with the parties in the places of states.
        pick.opening = bytes.concat(game.game(idOf(terms)).claims, abi.encode(asserter, challenger), new bytes(144));
        pick.start = game.game(idOf(terms)).claims;
        vm.expectRevert(IDissectionGame.WrongOpening.selector);
        vm.prank(asserter);
        game.prove(terms, pick, "");
    }

    /// The longest game there can be, two segments a split: every move of the winner's is paid, and no counter wraps.
    function test_review_mostMoves_succeeds(bool asserterLies) external {
        arityBits = 1;
        game = gameAt(GAS_PRICE);
        GameTerms memory terms = termsOf(2 ** 48);
        (terms.asserterStake, terms.challengerStake) = (10 ether, 10 ether);
        // A fault in the last step: the longest way down.
        (Belief memory lie, Belief memory truth) = (liar(2 ** 48), honest());
        Claims memory claims = openWith(terms, asserterLies ? truth : lie);
        uint256 turns = playOut(terms, claims, asserterLies ? lie : truth, asserterLies ? truth : lie);
        vm.assertEq(turns, 47, "46 moves and a proof");
        bool asserterProves = turns % 2 == 1;
        bool asserterWins = !asserterLies;
        uint256 metered =
            asserterWins ? game.ANSWER_GAS() + 22 * game.MOVE_GAS() : game.OPENING_GAS() + 23 * game.MOVE_GAS();
        if (asserterWins == asserterProves) metered += game.PROOF_GAS();
        vm.assertEq(game.owed(asserterWins ? asserter : challenger), 10 ether + worth(metered));
    }

    /// Anybody may fetch another's credit to its owner, and so spoil a batch that counted on it. It costs the owner the batch's gas, once:
    /// the money is its own, the game is as it was, and an answer that brings its value cannot be stopped.
    function test_review_creditFetchedBeforeABatch_succeeds() external {
        (GameTerms memory terms, Claims memory opening) = openGame(STEPS, liar(77));
        uint256 j = disputable(opening, honest());
        Claims memory own = within(opening, j, honest());
        bytes[] memory calls = new bytes[](1);
        calls[0] = abi.encodeCall(IDissectionGame.answer, (terms, pickOf(opening, j), splitOf(own)));
        vm.deal(asserter, ASSERTER_STAKE);
        vm.prank(asserter);
        game.deposit{value: ASSERTER_STAKE}(asserter);
        vm.prank(stranger);
        game.withdraw(asserter);
        vm.expectEmit(true, true, true, true, address(game));
        emit IBatch.BatchItemFailed(0, abi.encodeWithSelector(ISpendableCredit.WrongValue.selector, 0, ASSERTER_STAKE));
        vm.prank(asserter);
        game.batch(calls);
        vm.assertEq(asserter.balance, ASSERTER_STAKE, "its money is back");
        assertGamePhase(terms, GamePhase.AsserterToAnswer);
        sendAnswer(terms, asserter, pickOf(opening, j), splitOf(own));
        assertGamePhase(terms, GamePhase.ChallengerToMove);
    }

    /// Two games of the same parties with the same claims: a move belongs to the one that it names, and the other's clock runs on.
    function test_review_twinGames_reverts() external {
        GameTerms memory first = termsOf(STEPS);
        GameTerms memory second = termsOf(STEPS);
        second.binding = keccak256("another entry");
        Claims memory claims = openWith(first, honest());
        openWith(second, honest());
        vm.assertEq(game.game(idOf(first)).claims, game.game(idOf(second)).claims, "the same claims");
        answerInto(first, asserter, claims, disputable(claims, liar(77)), liar(77));
        assertGamePhase(first, GamePhase.ChallengerToMove);
        assertGamePhase(second, GamePhase.AsserterToAnswer);
        Pick memory pick = pickOf(claims, 0);
        Split memory split = splitOf(within(claims, 0, liar(77)));
        vm.expectRevert(wrongPhase(GamePhase.AsserterToAnswer));
        vm.prank(asserter);
        game.move(idOf(second), Parties(asserter, challenger), pick, split);
        vm.warp(START + ALLOWANCE);
        assertGamePhase(first, GamePhase.AsserterWon);
        assertGamePhase(second, GamePhase.ChallengerWon);
        game.claimTimeout(second);
        vm.assertEq(game.owed(challenger), CHALLENGER_STAKE, "a stake that was never brought is not paid out");
    }
}
