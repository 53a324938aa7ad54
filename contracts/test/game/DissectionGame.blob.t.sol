// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Game, GamePhase, IDissectionGame, Pick, Split} from "../../src/interfaces/IDissectionGame.sol";
import {Claims} from "../base/GamePlayer.sol";
import {BlobTest} from "./DissectionGame.blob.base.sol";

/// @dev forge can't put blobs into the transactions of isolated calls.
/// forge-config: default.isolate = false
/// forge-config: nightly.isolate = false
/// forge-config: default.fuzz.runs = 10
/// forge-config: nightly.fuzz.runs = 100
contract DissectionGame_Blob is BlobTest {
    /// Four transactions for 2^30 steps: opening, answer, move, proof.
    function test_blob_wholeGame_succeeds() external {
        Claims memory opening = openInBlob();
        vm.assertEq(game.game(idOf(terms)).claims, storedOf(terms, rootOfBlob("opening", opening)));
        Claims memory answer = answerInBlob(opening);
        vm.assertEq(game.game(idOf(terms)).claims, storedOf(terms, rootOfBlob("answer", answer)));
        Claims memory last = moveInBlob(answer);
        Game memory stored = game.game(idOf(terms));
        vm.assertEq(stored.clock.end - stored.clock.start, 64);
        vm.assertEq(uint256(stored.clock.asserterWork) * 100, game.ANSWER_GAS() + game.BLOB_PICK_GAS(), "metered");
        // The asserter can but concede: all of the challenger's steps are right.
        sendProof(terms, asserter, blobPick("move", last, THIRD), proofOf(last, THIRD));
        assertGamePhase(terms, GamePhase.ChallengerWon);
    }

    function test_blob_events_succeeds() external {
        Claims memory opening = openingClaims(honest());
        bytes32[] memory logged = new bytes32[](1);
        logged[0] = lastOf(opening);
        Split memory split = attached("opening", opening);
        vm.expectEmit(true, true, true, true, address(game));
        emit IDissectionGame.Opened(idOf(terms), asserter, challenger, terms, logged, hashOf("opening"));
        game.open{value: CHALLENGER_STAKE}(terms, split);

        Claims memory answer = finelyWithin(opening, FIRST, liar(FAULT));
        logged[0] = lastOf(answer);
        split = attached("answer", answer);
        Pick memory pick = blobPick("opening", opening, FIRST);
        vm.expectEmit(true, true, true, true, address(game));
        emit IDissectionGame.Moved(idOf(terms), FIRST, pick.start, logged, hashOf("answer"));
        sendAnswer(terms, asserter, pick, split);
    }

    /// Blobs and calldata in one game, in any order.
    function test_blob_mixed_succeeds() external {
        Claims memory opening = openInBlob();
        Claims memory answer = within(opening, FIRST, liar(FAULT));
        sendAnswer(terms, asserter, blobPick("opening", opening, FIRST), splitOf(answer));
        assertStored(terms, answer);
        uint256 j = disputable(answer, honest());
        Claims memory own = moveInto(terms, challenger, answer, j, honest());
        assertStored(terms, own);
        vm.assertEq(uint256(game.game(idOf(terms)).clock.challengerWork) * 100, game.OPENING_GAS() + game.MOVE_GAS());
    }

    function test_blob_afterCalldata_succeeds() external {
        Claims memory opening = openWith(terms, honest());
        uint256 j = disputable(opening, liar(FAULT));
        // Another blob than its states: nothing can be opened of it, but that is its author's loss.
        Claims memory answer = finelyWithin(opening, j, liar(FAULT));
        Split memory split = attached("answer", answer);
        sendAnswer(terms, asserter, pickOf(opening, j), split);
        vm.assertEq(game.game(idOf(terms)).claims, storedOf(terms, rootOfBlob("answer", answer)));
    }

    /// The first and the last segment have one state each that is not in the blob; their neighbours have the first and the last that are.
    function test_blob_firstAndLastSegments_succeeds() external {
        Claims memory opening = openInBlob();
        uint256[4] memory segments = [uint256(0), 1, ARITY - 2, ARITY - 1];
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; i < segments.length; ++i) {
            uint256 j = segments[i];
            sendAnswer(terms, asserter, blobPick("opening", opening, j), splitOf(within(opening, j, liar(0))));
            assertGamePhase(terms, GamePhase.ChallengerToMove);
            vm.revertToState(before);
        }
    }

    function test_blob_lastOfAShortSplit_succeeds() external {
        Claims memory last = moveInBlob(answerInBlob(openInBlob()));
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; i < 2; ++i) {
            uint256 j = i == 0 ? 0 : 63;
            sendProof(terms, asserter, blobPick("move", last, j), proofOf(last, j));
            assertGamePhase(terms, GamePhase.ChallengerWon);
            vm.revertToState(before);
        }
    }

    /// A split of one step needs no state of the blob that it names.
    function test_blob_oneStep_succeeds() external {
        terms = termsOf(1);
        Claims memory opening = claimsOf(liar(1), 0, 1, terms.initialState);
        Split memory split = attached("opening", opening);
        game.open{value: CHALLENGER_STAKE}(terms, split);
        sendProof(terms, asserter, blobPick("opening", opening, 0), proofOf(opening, 0));
        assertGamePhase(terms, GamePhase.AsserterWon);
        vm.assertEq(game.owed(asserter), worth(game.PROOF_GAS() + game.BLOB_PICK_GAS()), "the opening is metered, too");
    }

    /// An honest asserter against a liar that hides in a blob.
    function test_blob_lieInTheOpening_succeeds() external {
        Claims memory opening = openingClaims(liar(FAULT));
        Split memory split = attached("lie", opening);
        game.open{value: CHALLENGER_STAKE}(terms, split);
        vm.assertEq(disputable(opening, honest()), FIRST);
        sendAnswer(terms, asserter, blobPick("lie", opening, FIRST), splitOf(within(opening, FIRST, honest())));
        assertGamePhase(terms, GamePhase.ChallengerToMove);
    }

    function test_blob_missing_reverts() external {
        Claims memory opening = openingClaims(honest());
        Split memory split = attached("opening", opening);
        uint256[3] memory numbers = [uint256(2), 7, NEVER];
        for (uint256 i = 0; i < 3; ++i) {
            split.blob = numbers[i];
            vm.expectRevert(abi.encodeWithSelector(IDissectionGame.BlobMissing.selector, numbers[i]));
            game.open{value: CHALLENGER_STAKE}(terms, split);
        }
        vm.blobhashes(new bytes32[](0));
        split.blob = 1;
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.BlobMissing.selector, 1));
        game.open{value: CHALLENGER_STAKE}(terms, split);
    }

    function test_blob_withStates_reverts(uint8 count) external {
        vm.assume(count > 0);
        Split memory split = attached("opening", openingClaims(honest()));
        split.inner = new bytes32[](count);
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.WrongNumberOfStates.selector, count, 0));
        game.open{value: CHALLENGER_STAKE}(terms, split);
    }

    /// Of several blobs the one with that number, and no other.
    function test_blob_number_succeeds() external {
        Claims memory opening = openingClaims(honest());
        bytes32[] memory hashes = new bytes32[](3);
        (hashes[0], hashes[1], hashes[2]) = (hashOf("answer"), hashOf("move"), hashOf("opening"));
        vm.blobhashes(hashes);
        Pick memory pick = blobPick("opening", opening, FIRST);
        Split memory own = splitOf(within(opening, FIRST, liar(FAULT)));
        uint256 before = vm.snapshotState();
        for (uint256 number = 1; number <= 3; ++number) {
            vm.blobhashes(hashes);
            game.open{value: CHALLENGER_STAKE}(terms, Split(lastOf(opening), new bytes32[](0), number));
            if (number < 3) vm.expectRevert(IDissectionGame.WrongOpening.selector);
            sendAnswer(terms, asserter, pick, own);
            vm.revertToState(before);
        }
    }

    function test_blob_wrongState_reverts(bytes32 other, bool start) external {
        Claims memory opening = openInBlob();
        Pick memory pick = blobPick("opening", opening, FIRST);
        Split memory own = splitOf(within(opening, FIRST, liar(FAULT)));
        if (start) pick.start = other;
        else pick.end = other;
        vm.expectRevert(notTheClaimed(start ? FIRST : FIRST + 1));
        sendAnswer(terms, asserter, pick, own);
    }

    /// A state with the field's order added to it would be the same element: the precompile refuses it.
    function test_blob_stateBeyondTheField_reverts() external {
        Claims memory opening = openInBlob();
        Pick memory pick = blobPick("opening", opening, FIRST);
        pick.start = bytes32(uint256(pick.start) + 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001);
        Split memory own = splitOf(within(opening, FIRST, liar(FAULT)));
        vm.expectRevert(notTheClaimed(FIRST));
        sendAnswer(terms, asserter, pick, own);
    }

    /// At the ends of the split the state has to be the one in the opening, and that one the claims'.
    function test_blob_wrongBound_reverts(bytes32 other) external {
        Claims memory opening = openInBlob();
        Split memory own = splitOf(within(opening, FIRST, liar(FAULT)));
        Pick memory pick = blobPick("opening", opening, 0);
        pick.start = other;
        vm.expectRevert(notTheClaimed(0));
        sendAnswer(terms, asserter, pick, own);
        replace(pick.opening, 32, other);
        vm.expectRevert(IDissectionGame.WrongOpening.selector);
        sendAnswer(terms, asserter, pick, own);
        pick = blobPick("opening", opening, ARITY - 1);
        pick.end = other;
        vm.expectRevert(notTheClaimed(ARITY));
        sendAnswer(terms, asserter, pick, own);
        replace(pick.opening, 96, other);
        vm.expectRevert(IDissectionGame.WrongOpening.selector);
        sendAnswer(terms, asserter, pick, own);
    }

    /// Proofs of other elements, of other blobs, no proofs.
    function test_blob_wrongProof_reverts(uint256 what) external {
        Claims memory opening = openInBlob();
        Split memory own = splitOf(within(opening, FIRST, liar(FAULT)));
        Pick memory pick = blobPick("opening", opening, FIRST);
        what = what % 5;
        bytes memory head = bytes.concat(opening.states[0], hashOf("opening"), lastOf(opening));
        bytes memory commitment = commitmentOf(what == 0 ? "lie" : "opening");
        bytes memory start = kzgProof(what == 1 ? "lie" : "opening", what == 2 ? FIRST + 1 : FIRST, ARITY);
        bytes memory end = kzgProof(what == 3 ? "lie" : "opening", what == 4 ? FIRST : FIRST + 1, ARITY);
        pick.opening = bytes.concat(head, commitment, start, end);
        vm.expectRevert(notTheClaimed(what < 3 ? FIRST : FIRST + 1));
        sendAnswer(terms, asserter, pick, own);
    }

    /// The right proofs, for another segment.
    function test_blob_wrongSegment_reverts() external {
        Claims memory opening = openInBlob();
        Split memory own = splitOf(within(opening, FIRST, liar(FAULT)));
        Pick memory pick = blobPick("opening", opening, FIRST);
        for (uint256 i = 0; i < 2; ++i) {
            pick.segment = i == 0 ? FIRST - 1 : FIRST + 1;
            vm.expectRevert(notTheClaimed(pick.segment));
            sendAnswer(terms, asserter, pick, own);
        }
        pick.segment = ARITY;
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.SegmentOutOfRange.selector, ARITY, ARITY));
        sendAnswer(terms, asserter, pick, own);
    }

    /// Elements of the blob beyond the split's states are nobody's claim.
    function test_blob_beyondTheSplit_reverts() external {
        Claims memory last = moveInBlob(answerInBlob(openInBlob()));
        Pick memory pick = blobPick("move", last, 63);
        pick.segment = 64;
        vm.expectRevert(abi.encodeWithSelector(IDissectionGame.SegmentOutOfRange.selector, 64, 64));
        sendProof(terms, asserter, pick, "");
        // Nor does element 63, which is zero, stand for c_64, which is in the split.
        pick = blobPick("move", last, 63);
        pick.end = 0;
        pick.opening = bytes.concat(
            last.states[0],
            hashOf("move"),
            lastOf(last),
            commitmentOf("move"),
            kzgProof("move", 63, 64),
            kzgProof("move", 64, 65)
        );
        vm.expectRevert(notTheClaimed(64));
        sendProof(terms, asserter, pick, "");
    }

    /// What is opened another way than it came has another root: a path for a blob's claims, a blob for a tree's.
    function test_blob_otherCarrier_reverts() external {
        Claims memory opening = openInBlob();
        Claims memory coarse = claimsOf(honest(), 0, STEPS, terms.initialState);
        Split memory own = splitOf(within(coarse, 0, liar(0)));
        vm.expectRevert(IDissectionGame.WrongOpening.selector);
        sendAnswer(terms, asserter, pickOf(coarse, 0), own);

        terms.binding = 0;
        openWith(terms, honest());
        vm.expectRevert(IDissectionGame.WrongOpening.selector);
        sendAnswer(terms, asserter, blobPick("opening", opening, FIRST), own);
    }

    /// A blob's claims, opened as if they had come as calldata: their 96 bytes are no three blocks, nor is their root a block's hash.
    function test_blob_asBlocks_reverts() external {
        Claims memory opening = openInBlob();
        bytes32 root = rootOfBlob("opening", opening);
        Pick memory pick;
        pick.steps = STEPS;
        Split memory own = Split(keccak256("end"), new bytes32[](15), 0);
        pick.opening = bytes.concat(new bytes(96), root, new bytes(64));
        vm.expectRevert(IDissectionGame.WrongOpening.selector);
        sendAnswer(terms, asserter, pick, own);
        (pick.start, pick.end) = (opening.states[0], hashOf("opening"));
        pick.opening = bytes.concat(lastOf(opening), new bytes(160));
        vm.expectRevert(IDissectionGame.WrongOpening.selector);
        sendAnswer(terms, asserter, pick, own);
    }

    function test_blob_openingLength_reverts(uint16 length) external {
        Claims memory opening = openInBlob();
        Pick memory pick = blobPick("opening", opening, FIRST);
        Split memory own = splitOf(within(opening, FIRST, liar(FAULT)));
        pick.opening = new bytes(length % 500);
        if (pick.opening.length == 192 || pick.opening.length == 240) return;
        uint256 expected = pick.opening.length % 32 == 0 ? 192 : 240;
        vm.expectRevert(abi.encodeWithSignature("WrongOpeningLength(uint256,uint256)", pick.opening.length, expected));
        sendAnswer(terms, asserter, pick, own);
    }

    /// A failed proof must not eat the transaction's gas: batches go on after it.
    function test_blob_wrongProofGas_succeeds() external {
        Claims memory opening = openInBlob();
        Pick memory pick = blobPick("opening", opening, FIRST);
        pick.start = 0;
        bytes memory call =
            abi.encodeCall(IDissectionGame.answer, (terms, pick, splitOf(within(opening, FIRST, liar(FAULT)))));
        vm.prank(asserter);
        uint256 before = gasleft();
        (bool succeeded,) = address(game).call{value: ASSERTER_STAKE, gas: 5_000_000}(call);
        vm.assertFalse(succeeded);
        vm.assertLt(before - gasleft(), 200_000);
    }

    function replace(bytes memory data, uint256 offset, bytes32 word) private pure {
        assembly ("memory-safe") {
            mstore(add(data, offset), word)
        }
    }
}
