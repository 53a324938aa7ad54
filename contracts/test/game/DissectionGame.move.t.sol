// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {
    Game,
    GamePhase,
    GameTerms,
    IDissectionGame,
    Parties,
    Pick,
    Split
} from "../../src/interfaces/IDissectionGame.sol";
import {Claims} from "../base/GamePlayer.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

contract DissectionGame_Move is DissectionGameTest {
    uint256 private constant STEPS = 160_000;

    GameTerms private terms;
    Claims private opening;
    /// @dev The asserter's answer, about [70,000, 80,000).
    Claims private answered;

    function setUp() public override {
        super.setUp();
        (terms, opening, answered) = answeredGame(STEPS, 75_000);
    }

    function ownMove() private view returns (Claims memory) {
        return within(answered, 7, honest());
    }

    function test_move_stored_succeeds() external {
        vm.warp(START + 7);
        vm.assertEq(disputable(answered, honest()), 7, "the fault lies in [74375, 75000], seen at its end");
        Claims memory own = ownMove();
        vm.expectEmit(true, true, true, true, address(game));
        emit IDissectionGame.Moved(idOf(terms), 7, answered.states[7], loggedOf(own), 0);
        sendMove(terms, challenger, pickOf(answered, 7), splitOf(own));
        Game memory moved = game.game(idOf(terms));
        assertStored(terms, own);
        vm.assertEq(moved.clock.start, 74_375);
        vm.assertEq(moved.clock.end, 75_000);
        vm.assertEq(moved.clock.challengerRemaining, ALLOWANCE - 7);
        vm.assertEq(moved.clock.asserterRemaining, ALLOWANCE);
        vm.assertEq(moved.clock.turnStartedAt, START + 7);
        vm.assertEq(uint256(moved.clock.challengerWork) * 100, game.OPENING_GAS() + game.MOVE_GAS());
        assertGamePhase(terms, GamePhase.AsserterToMove);
    }

    function test_move_notOnesTurn_reverts() external {
        Split memory split = splitOf(ownMove());
        Pick memory pick = pickOf(answered, 7);
        address[3] memory others = [asserter, stranger, address(this)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(notTheParty(others[i], challenger));
            sendMove(terms, others[i], pick, split);
        }
        sendMove(terms, challenger, pick, split);
        vm.expectRevert(notTheParty(challenger, asserter));
        sendMove(terms, challenger, pick, split);
    }

    /// The parties are not those of the claims: the caller can't put itself, or a friend, in a party's place.
    function test_move_otherParties_reverts() external {
        Pick memory pick = pickOf(answered, 7);
        Split memory split = splitOf(ownMove());
        Parties[3] memory forged =
            [Parties(asserter, stranger), Parties(stranger, stranger), Parties(stranger, challenger)];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(IDissectionGame.WrongOpening.selector);
            vm.prank(forged[i].challenger);
            game.move(idOf(terms), forged[i], pick, split);
        }
    }

    function test_move_beforeTheAnswer_reverts() external {
        (GameTerms memory other, Claims memory claims) = openGame(STEPS + 1, honest());
        vm.expectRevert(wrongPhase(GamePhase.AsserterToAnswer));
        sendMove(other, challenger, pickOf(claims, 7), splitOf(ownMove()));
    }

    function test_move_unknownGame_reverts() external {
        vm.expectRevert(wrongPhase(GamePhase.None));
        sendMove(termsOf(STEPS + 1), challenger, pickOf(answered, 7), splitOf(ownMove()));
    }

    function test_move_numberOfStates_reverts() external {
        uint256[5] memory lengths = [uint256(0), 1, 14, 16, 1000];
        for (uint256 i = 0; i < 5; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IDissectionGame.WrongNumberOfStates.selector, lengths[i], 15));
            sendMove(terms, challenger, pickOf(answered, 7), Split(keccak256("end"), new bytes32[](lengths[i]), 0));
        }
    }

    function test_move_sameEnd_reverts() external {
        Claims memory own = ownMove();
        own.states[16] = answered.states[8];
        vm.expectRevert(IDissectionGame.EndNotDisputed.selector);
        sendMove(terms, challenger, pickOf(answered, 7), splitOf(own));
    }

    function test_move_wrongOpening_reverts(uint256 what, bytes32 other) external {
        Split memory split = splitOf(ownMove());
        Pick memory pick = pickOf(answered, 7);
        vm.assume(other != 0);
        what = what % 9;
        if (what == 0) pick.start = other;
        if (what == 1) pick.end = other;
        if (what == 2) pick.segment = 6;
        if (what > 2) {
            bytes memory opened = pick.opening;
            assembly ("memory-safe") {
                mstore(add(opened, mul(0x20, sub(what, 2))), other)
            }
        }
        vm.expectRevert(IDissectionGame.WrongOpening.selector);
        sendMove(terms, challenger, pick, split);
    }

    function test_move_blockAsState_reverts() external {
        // Two blocks' hashes, opened as if they were states, with the other blocks' hashes.
        Pick memory pick = pickOf(answered, 0);
        (pick.start, pick.end) = (blockHash(answered, 0), blockHash(answered, 1));
        pick.opening = abi.encode(blockHash(answered, 2), blockHash(answered, 3), 0, 0, 0, 0);
        vm.expectRevert(IDissectionGame.WrongOpening.selector);
        sendMove(terms, challenger, pick, splitOf(ownMove()));
    }

    /// A path of another length is no path: it is taken for the opening of a blob, and has the wrong length for that, too.
    function test_move_openingLength_reverts(uint16 length) external {
        Pick memory pick = pickOf(answered, 7);
        pick.opening = new bytes(length % 400);
        if (pick.opening.length == 192 || pick.opening.length == 240) return;
        uint256 expected = pick.opening.length % 32 == 0 ? 192 : 240;
        vm.expectRevert(abi.encodeWithSignature("WrongOpeningLength(uint256,uint256)", pick.opening.length, expected));
        sendMove(terms, challenger, pick, splitOf(ownMove()));
    }

    function test_move_segmentOutOfRange_reverts(uint256 segment) external {
        vm.assume(segment > 15);
        Pick memory pick = pickOf(answered, 7);
        pick.segment = segment;
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.SegmentOutOfRange.selector, segment, 16));
        sendMove(terms, challenger, pick, splitOf(ownMove()));
    }

    function test_move_missingLeaf_reverts() external {
        // 5 steps have 5 segments; the missing leaves are zero, and nobody may open them.
        (GameTerms memory small, Claims memory claims) = openGame(5, honest());
        Pick memory pick = pickOf(claims, 5);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.SegmentOutOfRange.selector, 5, 5));
        sendAnswer(small, asserter, pick, splitOf(ownMove()));
    }

    function test_move_singleStep_reverts() external {
        (GameTerms memory small, Claims memory claims) = openGame(16, honest());
        vm.expectRevert(IDissectionGame.SingleStep.selector);
        sendAnswer(small, asserter, pickOf(claims, 2), Split(keccak256("end"), new bytes32[](0), 0));
    }

    function test_move_delegate_succeeds() external {
        vm.prank(challenger);
        game.setDelegate(stranger, true);
        vm.assertTrue(game.isDelegate(challenger, stranger));
        moveInto(terms, stranger, answered, 7, honest());
        assertGamePhase(terms, GamePhase.AsserterToMove);
    }

    function test_move_formerDelegate_reverts() external {
        vm.startPrank(challenger);
        game.setDelegate(stranger, true);
        vm.expectEmit(true, true, true, true, address(game));
        emit IDissectionGame.DelegateSet(challenger, stranger, false);
        game.setDelegate(stranger, false);
        vm.stopPrank();
        vm.expectRevert(notTheParty(stranger, challenger));
        sendMove(terms, stranger, pickOf(answered, 7), splitOf(ownMove()));
    }

    function test_move_delegateOfTheOther_reverts() external {
        vm.prank(asserter);
        game.setDelegate(stranger, true);
        vm.expectRevert(notTheParty(stranger, challenger));
        sendMove(terms, stranger, pickOf(answered, 7), splitOf(ownMove()));
    }
}
