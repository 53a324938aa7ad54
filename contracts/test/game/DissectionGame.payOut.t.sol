// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {GamePhase, IDissectionGame} from "../../src/interfaces/IDissectionGame.sol";
import {Burn} from "../../src/libraries/Burn.sol";
import {Opening, Split} from "../base/GamePlayer.sol";
import {ContractPlayer} from "../fakes/ContractPlayer.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

contract DissectionGame_PayOut is DissectionGameTest {
    uint256 private opening;
    uint256 private move;
    uint256 private proof;

    function setUp() public override {
        super.setUp();
        (opening, move, proof) = (game.OPENING_GAS(), game.MOVE_GAS(), game.PROOF_GAS());
    }

    /// @dev Pays out and checks that exactly the stakes leave. Returns what the winner got.
    function paid(bytes32 gameId, address winner, uint256 stakes) private returns (uint256 amount) {
        uint256 held = address(game).balance;
        uint256 burnt = Burn.ADDRESS.balance;
        uint256 before = winner.balance;
        vm.prank(stranger);
        game.payOut(gameId);
        amount = winner.balance - before;
        vm.assertEq(held - address(game).balance, stakes, "all stakes leave");
        vm.assertEq(amount + Burn.ADDRESS.balance - burnt, stakes, "paid or burnt");
    }

    function test_payOut_unanswered_succeeds() external {
        bytes32 gameId = openGame(1000);
        vm.warp(START + ALLOWANCE);
        // No transaction has recorded the timeout: it counts all the same.
        vm.assertEq(paid(gameId, challenger, CHALLENGER_STAKE), CHALLENGER_STAKE);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.AlreadyPaidOut.selector, gameId));
        game.payOut(gameId);
        game.claimTimeout(gameId);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.AlreadyPaidOut.selector, gameId));
        game.payOut(gameId);
    }

    function test_payOut_challengerByProof_succeeds() external {
        (bytes32 gameId, Split memory split) = answeredGame(4096, liar(77));
        vm.assertEq(playOut(gameId, split, liar(77), honest()), 3);
        uint256 worth = GAS_PRICE * (opening + move + proof);
        vm.assertLt(worth, ASSERTER_STAKE);
        vm.assertEq(paid(gameId, challenger, CHALLENGER_STAKE + ASSERTER_STAKE), CHALLENGER_STAKE + worth);
    }

    function test_payOut_asserterByConcession_succeeds() external {
        (bytes32 gameId, Split memory split) = answeredGame(16, honest());
        proveAt(gameId, challenger, split, 5);
        vm.assertEq(paid(gameId, asserter, CHALLENGER_STAKE + ASSERTER_STAKE), ASSERTER_STAKE + GAS_PRICE * opening);
    }

    function test_payOut_cappedByTheStake_succeeds() external {
        game = gameAt(1000 gwei);
        (bytes32 gameId, Split memory split) = answeredGame(16, liar(3));
        proveAt(gameId, challenger, split, 2);
        vm.assertEq(paid(gameId, challenger, CHALLENGER_STAKE + ASSERTER_STAKE), CHALLENGER_STAKE + ASSERTER_STAKE);
    }

    /// Invariant 7.
    function test_payOut_anyGasPrice_succeeds(uint64 gasPrice) external {
        vm.txGasPrice(gasPrice);
        (bytes32 gameId, Split memory split) = answeredGame(16, liar(3));
        proveAt(gameId, challenger, split, 2);
        uint256 worth = GAS_PRICE * (opening + proof);
        vm.assertEq(paid(gameId, challenger, CHALLENGER_STAKE + ASSERTER_STAKE), CHALLENGER_STAKE + worth);
    }

    function test_payOut_running_reverts() external {
        (bytes32 gameId,) = answeredGame(16, honest());
        vm.expectRevert(wrongPhase(GamePhase.ChallengerToMove));
        game.payOut(gameId);
        vm.expectRevert(wrongPhase(GamePhase.None));
        game.payOut(keccak256("no game"));
    }

    function test_payOut_rejectingWinner_reverts() external {
        ContractPlayer player = new ContractPlayer();
        challenger = address(player);
        bytes32 gameId = openGame(1000);
        address other = actor("other challenger");
        challenger = other;
        bytes32 otherGame = openGame(1000);
        vm.warp(START + ALLOWANCE);
        player.setAccepting(false);
        vm.expectRevert();
        game.payOut(gameId);
        // Nobody else is touched, and the winner can still have its money when it takes it.
        vm.assertEq(paid(otherGame, other, CHALLENGER_STAKE), CHALLENGER_STAKE);
        player.setAccepting(true);
        vm.assertEq(paid(gameId, address(player), CHALLENGER_STAKE), CHALLENGER_STAKE);
    }

    function test_payOut_reentered_reverts() external {
        ContractPlayer player = new ContractPlayer();
        challenger = address(player);
        bytes32 gameId = openGame(1000);
        openGame(1001);
        vm.warp(START + ALLOWANCE);
        player.setCallOnReceive(address(game), abi.encodeCall(IDissectionGame.payOut, (gameId)));
        vm.assertEq(paid(gameId, address(player), CHALLENGER_STAKE), CHALLENGER_STAKE);
        vm.assertFalse(player.reentered(), "the second payment was refused");
    }

    function test_payOut_contractPlayer_succeeds() external {
        ContractPlayer player = new ContractPlayer();
        challenger = address(player);
        (bytes32 gameId, Split memory split) = answeredGame(16, liar(3));
        Opening memory o = openingOf(split, 2);
        bytes memory call = abi.encodeCall(
            IDissectionGame.prove, (gameId, o.claims, 2, o.start, o.end, o.path, abi.encode(context, 2))
        );
        // Whoever sends the transaction: the contract is the player.
        vm.prank(stranger, challenger);
        player.execute(address(game), call);
        vm.assertGt(paid(gameId, address(player), CHALLENGER_STAKE + ASSERTER_STAKE), CHALLENGER_STAKE);
    }

    function test_payOut_originIsNoPlayer_reverts() external {
        (bytes32 gameId, Split memory split) = answeredGame(16, liar(3));
        Opening memory o = openingOf(split, 2);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotThePartyToMove.selector, stranger, challenger));
        vm.prank(stranger, challenger);
        game.prove(gameId, o.claims, 2, o.start, o.end, o.path, abi.encode(context, 2));
    }
}
