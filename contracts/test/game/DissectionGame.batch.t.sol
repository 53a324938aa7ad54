// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IBatch} from "../../src/interfaces/IBatch.sol";
import {GamePhase, GameTerms, IDissectionGame, Parties, Pick, Split} from "../../src/interfaces/IDissectionGame.sol";
import {IPullPayments} from "../../src/interfaces/IPullPayments.sol";
import {ISpendableCredit} from "../../src/interfaces/ISpendableCredit.sol";
import {Claims} from "../base/GamePlayer.sol";
import {ContractPlayer} from "../fakes/ContractPlayer.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

/// @notice Many calls in one transaction, and the credit that pays for them.
contract DissectionGame_Batch is DissectionGameTest {
    uint256 private constant STEPS = 2 ** 20;

    function answerCall(GameTerms memory terms, Claims memory opening) private view returns (bytes memory) {
        uint256 j = disputable(opening, liar(77));
        return
            abi.encodeCall(IDissectionGame.answer, (terms, pickOf(opening, j), splitOf(within(opening, j, liar(77)))));
    }

    function moveCall(GameTerms memory terms, Claims memory other) private view returns (bytes memory) {
        uint256 j = disputable(other, honest());
        return abi.encodeCall(
            IDissectionGame.move,
            (
                idOf(terms),
                Parties(terms.asserter, terms.challenger),
                pickOf(other, j),
                splitOf(within(other, j, honest()))
            )
        );
    }

    function wrongValue(uint256 given, uint256 expected) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ISpendableCredit.WrongValue.selector, given, expected);
    }

    /// One bad item hurts no other, wherever it stands; its reason is in the log.
    function test_batch_oneFails_succeeds(uint256 bad) external {
        bytes[] memory calls = new bytes[](4);
        GameTerms[] memory games = new GameTerms[](4);
        bad = bad % 4;
        for (uint256 i = 0; i < 4; ++i) {
            Claims memory answer;
            (games[i],, answer) = answeredGame(STEPS + 16 * i, 77);
            if (i == bad) answer.states[3] = keccak256("other");
            calls[i] = moveCall(games[i], answer);
        }
        vm.expectEmit(true, true, true, true, address(game));
        emit IBatch.BatchItemFailed(bad, abi.encodeWithSelector(IDissectionGame.WrongOpening.selector));
        vm.prank(challenger);
        bool[] memory succeeded = game.batch(calls);
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertEq(succeeded[i], i != bad);
            assertGamePhase(games[i], i == bad ? GamePhase.ChallengerToMove : GamePhase.AsserterToMove);
        }
    }

    function test_batch_wholeDefence_succeeds() external {
        bytes[] memory calls = new bytes[](3);
        GameTerms[] memory games = new GameTerms[](3);
        for (uint256 i = 0; i < 3; ++i) {
            Claims memory opening;
            (games[i], opening) = openGame(STEPS + 16 * i, honest());
            calls[i] = answerCall(games[i], opening);
        }
        // Credit for two answers: the third has to wait.
        game.deposit{value: 2 * ASSERTER_STAKE}(asserter);
        vm.expectEmit(true, true, true, true, address(game));
        emit IBatch.BatchItemFailed(2, wrongValue(0, ASSERTER_STAKE));
        vm.prank(asserter);
        game.batch(calls);
        vm.assertEq(game.owed(asserter), 0);
        assertGamePhase(games[0], GamePhase.ChallengerToMove);
        assertGamePhase(games[1], GamePhase.ChallengerToMove);
        assertGamePhase(games[2], GamePhase.AsserterToAnswer);
    }

    /// The value pays for what is in the batch, once: not again for a deposit, nor for a batch in it. The rest is the caller's credit.
    function test_batch_value_succeeds(uint256 spare) external {
        spare = spare % 1 ether;
        bytes[] memory inner = new bytes[](2);
        bytes[] memory calls = new bytes[](4);
        GameTerms[] memory games = new GameTerms[](3);
        for (uint256 i = 0; i < 3; ++i) {
            Claims memory opening;
            (games[i], opening) = openGame(STEPS + 16 * i, honest());
            bytes memory call = answerCall(games[i], opening);
            if (i < 2) calls[i] = call;
            else inner[0] = call;
        }
        inner[1] = abi.encodeCall(ISpendableCredit.deposit, (asserter));
        calls[2] = inner[1];
        calls[3] = abi.encodeCall(IBatch.batch, (inner));
        uint256 value = 3 * ASSERTER_STAKE + spare;
        vm.deal(asserter, value);
        // Nobody can fetch between the value's credit and the answers.
        vm.prank(stranger);
        game.withdraw(asserter);
        vm.prank(asserter);
        bool[] memory succeeded = game.batch{value: value}(calls);
        for (uint256 i = 0; i < 4; ++i) {
            vm.assertTrue(succeeded[i]);
            if (i < 3) assertGamePhase(games[i], GamePhase.ChallengerToMove);
        }
        vm.assertEq(game.owed(asserter), spare);
        vm.assertEq(address(game).balance, 3 * uint256(CHALLENGER_STAKE) + value);
    }

    /// Whoever is a client itself opens no game with value that was credited to it.
    function test_batch_valueOpensNothing_succeeds() external {
        GameTerms memory terms = termsOf(STEPS);
        Claims memory claims = claimsOf(honest(), 0, STEPS, terms.initialState);
        bytes[] memory calls = new bytes[](1);
        calls[0] = abi.encodeCall(IDissectionGame.open, (terms, splitOf(claims)));
        vm.expectEmit(true, true, true, true, address(game));
        emit IBatch.BatchItemFailed(0, wrongValue(0, CHALLENGER_STAKE));
        game.batch{value: CHALLENGER_STAKE}(calls);
        vm.assertEq(game.owed(address(this)), CHALLENGER_STAKE);
    }

    /// A batch with value calls nobody: what a stranger brought in the middle of it would not be counted.
    function test_batch_withdrawalWithValue_succeeds() external {
        ContractPlayer player = new ContractPlayer();
        game.deposit{value: 1 ether}(address(player));
        bytes[] memory calls = new bytes[](1);
        calls[0] = abi.encodeCall(IPullPayments.withdraw, (address(player)));
        vm.expectEmit(true, true, true, true, address(game));
        emit IBatch.BatchItemFailed(0, "");
        game.batch{value: 1}(calls);
        vm.assertEq(game.owed(address(player)), 1 ether);
        game.batch(calls);
        vm.assertEq(address(player).balance, 1 ether, "without value it can");
    }

    /// After a batch, value counts as ever, in the same transaction too.
    function test_batch_valueAfterwards_succeeds() external {
        ContractPlayer player = new ContractPlayer();
        bytes[] memory calls = new bytes[](3);
        calls[0] = abi.encodeCall(IBatch.batch, (new bytes[](0)));
        calls[1] = abi.encodeCall(ISpendableCredit.deposit, (address(player)));
        calls[2] = calls[0];
        uint256[] memory values = new uint256[](3);
        (values[0], values[1], values[2]) = (1, 2, 4);
        player.executeAll{value: 7}(address(game), calls, values);
        vm.assertEq(game.owed(address(player)), 7);
    }

    function test_batch_inABatch_succeeds() external {
        (GameTerms memory terms, Claims memory opening) = openGame(STEPS, honest());
        game.deposit{value: ASSERTER_STAKE}(asserter);
        bytes[] memory inner = new bytes[](2);
        (inner[0], inner[1]) = (answerCall(terms, opening), answerCall(terms, opening));
        bytes[] memory outer = new bytes[](2);
        outer[0] = abi.encodeCall(IBatch.batch, (inner));
        outer[1] = outer[0];
        vm.prank(asserter);
        bool[] memory succeeded = game.batch(outer);
        vm.assertTrue(succeeded[0] && succeeded[1], "a batch of failures is none");
        vm.assertEq(address(game).balance, CHALLENGER_STAKE + ASSERTER_STAKE, "one answer");
        assertGamePhase(terms, GamePhase.ChallengerToMove);
    }

    /// The caller of a batch is the caller of what is in it, and nobody else.
    function test_batch_caller_reverts() external {
        (GameTerms memory terms, Claims memory opening) = openGame(STEPS, honest());
        game.deposit{value: ASSERTER_STAKE}(address(game));
        bytes[] memory calls = new bytes[](1);
        calls[0] = answerCall(terms, opening);
        vm.expectEmit(true, true, true, true, address(game));
        emit IBatch.BatchItemFailed(0, wrongValue(0, ASSERTER_STAKE));
        vm.prank(stranger);
        game.batch(calls);
        vm.deal(stranger, 1 ether);
        game.deposit{value: ASSERTER_STAKE}(stranger);
        vm.expectEmit(true, true, true, true, address(game));
        emit IBatch.BatchItemFailed(0, notTheParty(stranger, asserter));
        vm.prank(stranger);
        game.batch(calls);
        vm.assertEq(game.owed(stranger), ASSERTER_STAKE, "a failed answer costs nothing");
    }

    function test_batch_garbage_succeeds(bytes[] calldata calls) external {
        vm.prank(stranger);
        game.batch(calls);
        vm.assertEq(address(game).balance, 0);
    }

    /// Called back in the middle of a batch, by the account that a withdrawal pays.
    function test_batch_reentered_succeeds() external {
        ContractPlayer player = new ContractPlayer();
        game.deposit{value: 1 ether}(address(player));
        game.deposit{value: 1 ether}(stranger);
        bytes[] memory inner = new bytes[](2);
        inner[0] = abi.encodeCall(IPullPayments.withdraw, (address(player)));
        inner[1] = abi.encodeCall(ISpendableCredit.deposit, (address(player)));
        player.setCallOnReceive(address(game), abi.encodeCall(IBatch.batch, (inner)));
        bytes[] memory outer = new bytes[](2);
        (outer[0], outer[1]) = (inner[0], inner[0]);
        vm.prank(address(player));
        game.batch(outer);
        vm.assertEq(address(player).balance, 1 ether, "its own, once");
        vm.assertEq(game.owed(address(player)), 0);
        vm.assertEq(address(game).balance, 1 ether, "and nothing of anybody else's");
    }

    function test_credit_paysTheStake_succeeds(uint256 value) external {
        value = value % (uint256(ASSERTER_STAKE) + 1);
        (GameTerms memory terms, Claims memory opening) = openGame(STEPS, honest());
        game.deposit{value: ASSERTER_STAKE}(asserter);
        bytes memory call = answerCall(terms, opening);
        vm.prank(asserter);
        (bool succeeded,) = address(game).call{value: value}(call);
        vm.assertTrue(succeeded);
        vm.assertEq(game.owed(asserter), value, "what the value did not pay");
        vm.assertEq(address(game).balance, uint256(CHALLENGER_STAKE) + ASSERTER_STAKE + value);
    }

    function test_credit_tooLittle_reverts() external {
        (GameTerms memory terms, Claims memory opening) = openGame(STEPS, honest());
        game.deposit{value: ASSERTER_STAKE / 2}(asserter);
        Pick memory pick = pickOf(opening, 0);
        Split memory split = splitOf(within(opening, 0, liar(77)));
        uint256 value = ASSERTER_STAKE / 2 - 1;
        vm.expectRevert(wrongValue(ASSERTER_STAKE - 1, ASSERTER_STAKE));
        vm.prank(asserter);
        game.answer{value: value}(terms, pick, split);
        vm.assertEq(game.owed(asserter), ASSERTER_STAKE / 2);
    }

    /// Nobody's credit pays for another: not the asserter's for its delegate, nor a stranger's for the asserter.
    function test_credit_ofAnother_reverts() external {
        (GameTerms memory terms, Claims memory opening) = openGame(STEPS, honest());
        Pick memory pick = pickOf(opening, 0);
        Split memory split = splitOf(within(opening, 0, liar(77)));
        vm.prank(asserter);
        game.setDelegate(stranger, true);
        game.deposit{value: ASSERTER_STAKE}(asserter);
        vm.expectRevert(wrongValue(0, ASSERTER_STAKE));
        vm.prank(stranger);
        game.answer(terms, pick, split);
        // The delegate's own does.
        game.deposit{value: ASSERTER_STAKE}(stranger);
        vm.prank(stranger);
        game.answer(terms, pick, split);
        vm.assertEq(game.owed(stranger), 0);
        vm.assertEq(game.owed(asserter), ASSERTER_STAKE);
    }

    /// What was won in one game pays for the next.
    function test_credit_ofAWonGame_succeeds() external {
        (GameTerms memory won,) = openGame(STEPS, honest());
        Claims memory opening = claimsOf(honest(), 0, STEPS, won.initialState);
        answerInto(won, asserter, opening, 0, liar(77));
        vm.warp(START + ALLOWANCE);
        game.claimTimeout(won);
        uint256 owed = game.owed(asserter);
        vm.assertGt(owed, ASSERTER_STAKE);
        (GameTerms memory next, Claims memory second) = openGame(STEPS + 1, honest());
        bytes memory call = answerCall(next, second);
        vm.prank(asserter);
        (bool succeeded,) = address(game).call(call);
        vm.assertTrue(succeeded);
        vm.assertEq(game.owed(asserter), owed - ASSERTER_STAKE);
    }

    function test_deposit_anybody_succeeds(address account, uint96 value) external {
        vm.deal(stranger, value);
        vm.prank(stranger);
        game.deposit{value: value}(account);
        vm.assertEq(game.owed(account), value);
        vm.assertEq(address(game).balance, value);
    }
}
