// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Game, GamePhase, IDissectionGame} from "../../src/interfaces/IDissectionGame.sol";
import {Opening, Split} from "../base/GamePlayer.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

contract DissectionGame_Move is DissectionGameTest {
    uint256 private constant STEPS = 10_000;

    bytes32 private gameId;
    Split private answered;

    function setUp() public override {
        super.setUp();
        Split memory split;
        (gameId, split) = answeredGame(STEPS, liar(5000));
        answered = split;
    }

    function test_move_stored_succeeds() external {
        vm.warp(START + 7);
        uint256 j = disputable(answered, honest());
        vm.assertEq(j, 7, "the fault lies in [4375, 5000], seen at its end");
        Split memory own = splitOf(honest(), 4375, 5000, answered.states[7]);
        vm.expectEmit(true, true, true, true, address(game));
        emit IDissectionGame.Moved(gameId, 7, claimsOf(own), payloadOf(own, true));
        sendMove(gameId, challenger, openingOf(answered, 7), payloadOf(own, true));
        Game memory moved = game.game(gameId);
        vm.assertEq(moved.claims, claimsOf(own));
        vm.assertEq(moved.clock.start, 4375);
        vm.assertEq(moved.clock.end, 5000);
        vm.assertEq(moved.clock.challengerRemaining, ALLOWANCE - 7);
        vm.assertEq(moved.clock.asserterRemaining, ALLOWANCE);
        vm.assertEq(moved.clock.turnStartedAt, START + 7);
        vm.assertEq(moved.clock.challengerMoves, 1);
        assertPhase(gameId, GamePhase.AsserterToMove);
    }

    function test_move_notOnesTurn_reverts() external {
        Split memory own = splitOf(honest(), 4375, 5000, answered.states[7]);
        address[3] memory others = [asserter, stranger, address(this)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotThePartyToMove.selector, others[i], challenger));
            sendMove(gameId, others[i], openingOf(answered, 7), payloadOf(own, true));
        }
        moveInto(gameId, challenger, answered, 7, honest());
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotThePartyToMove.selector, challenger, asserter));
        sendMove(gameId, challenger, openingOf(answered, 7), payloadOf(own, true));
    }

    function test_move_beforeTheAnswer_reverts() external {
        bytes32 other = openGame(STEPS + 1);
        vm.expectRevert(wrongPhase(GamePhase.AsserterToAnswer));
        sendMove(other, challenger, openingOf(answered, 7), new bytes32[](16));
    }

    function test_move_unknownGame_reverts() external {
        vm.expectRevert(wrongPhase(GamePhase.None));
        sendMove(keccak256("no game"), challenger, openingOf(answered, 7), new bytes32[](16));
    }

    function test_move_replayed_reverts() external {
        Split memory first = moveInto(gameId, challenger, answered, 7, honest());
        Split memory second = moveInto(gameId, asserter, first, 3, liar(4500));
        bytes32[] memory states = payloadOf(first, true);
        Opening memory old = openingOf(answered, 7);
        vm.expectRevert(
            abi.encodeWithSelector(IDissectionGame.StaleClaims.selector, claimsOf(answered), claimsOf(second))
        );
        sendMove(gameId, challenger, old, states);
    }

    function test_move_inAnotherGame_reverts() external {
        (bytes32 other, Split memory split) = answeredGame(STEPS + 1, liar(5000));
        bytes32[] memory states = payloadOf(splitOf(honest(), 4375, 5000, answered.states[7]), true);
        vm.expectRevert(
            abi.encodeWithSelector(IDissectionGame.StaleClaims.selector, claimsOf(answered), claimsOf(split))
        );
        sendMove(other, challenger, openingOf(answered, 7), states);
    }

    function test_move_numberOfStates_reverts() external {
        uint256[5] memory lengths = [uint256(0), 1, 15, 17, 1000];
        for (uint256 i = 0; i < 5; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDissectionGame.WrongNumberOfStates.selector, lengths[i], 16));
            sendMove(gameId, challenger, openingOf(answered, 7), new bytes32[](lengths[i]));
        }
    }

    function test_move_sameEnd_reverts() external {
        bytes32[] memory states = payloadOf(splitOf(honest(), 4375, 5000, answered.states[7]), true);
        states[15] = answered.states[8];
        vm.expectRevert(IDissectionGame.EndNotDisputed.selector);
        sendMove(gameId, challenger, openingOf(answered, 7), states);
    }

    function test_move_wrongOpening_reverts(uint256 what, bytes32 other) external {
        bytes32[] memory states = payloadOf(splitOf(honest(), 4375, 5000, answered.states[7]), true);
        Opening memory opening = openingOf(answered, 7);
        what = what % 7;
        if (what == 0) opening.start = other;
        if (what == 1) opening.end = other;
        if (what == 2) opening.segment = 6;
        if (what > 2) opening.path[what - 3] = other;
        vm.expectRevert(IDissectionGame.WrongOpening.selector);
        sendMove(gameId, challenger, opening, states);
    }

    function test_move_nodeAsLeaf_reverts() external {
        // The two children of an inner node, opened as if they were states, with the path from that node.
        Opening memory opening = openingOf(answered, 0);
        (opening.start, opening.end) = (nodeOf(answered, 0, 0), nodeOf(answered, 0, 1));
        opening.path = [nodeOf(answered, 1, 1), nodeOf(answered, 2, 1), nodeOf(answered, 3, 1), 0];
        vm.expectRevert(IDissectionGame.WrongOpening.selector);
        sendMove(gameId, challenger, opening, new bytes32[](16));
    }

    function test_move_segmentOutOfRange_reverts(uint256 segment) external {
        vm.assume(segment > 15);
        Opening memory opening = openingOf(answered, 7);
        opening.segment = segment;
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.SegmentOutOfRange.selector, segment, 16));
        sendMove(gameId, challenger, opening, new bytes32[](16));
    }

    function test_move_missingLeaf_reverts() external {
        // 5 steps have 5 segments; the missing leaves are zero, and nobody may open them.
        (bytes32 small, Split memory split) = answeredGame(5, liar(3));
        Opening memory opening = openingOf(split, 5);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.SegmentOutOfRange.selector, 5, 5));
        sendMove(small, challenger, opening, new bytes32[](16));
    }

    function test_move_singleStep_reverts() external {
        (bytes32 small, Split memory split) = answeredGame(16, liar(3));
        vm.expectRevert(IDissectionGame.SingleStep.selector);
        sendMove(small, challenger, openingOf(split, 2), new bytes32[](1));
    }

    function test_move_delegate_succeeds() external {
        vm.prank(challenger);
        game.setDelegate(stranger, true);
        vm.assertTrue(game.isDelegate(challenger, stranger));
        moveInto(gameId, stranger, answered, 7, honest());
        assertPhase(gameId, GamePhase.AsserterToMove);
    }

    function test_move_formerDelegate_reverts() external {
        vm.startPrank(challenger);
        game.setDelegate(stranger, true);
        game.setDelegate(stranger, false);
        vm.stopPrank();
        bytes32[] memory states = payloadOf(splitOf(honest(), 4375, 5000, answered.states[7]), true);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotThePartyToMove.selector, stranger, challenger));
        sendMove(gameId, stranger, openingOf(answered, 7), states);
    }

    function test_move_delegateOfTheOther_reverts() external {
        vm.prank(asserter);
        game.setDelegate(stranger, true);
        bytes32[] memory states = payloadOf(splitOf(honest(), 4375, 5000, answered.states[7]), true);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.NotThePartyToMove.selector, stranger, challenger));
        sendMove(gameId, stranger, openingOf(answered, 7), states);
    }
}
