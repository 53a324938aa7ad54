// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {GameTerms, IDissectionGame, Parties, Pick, Split} from "../../src/interfaces/IDissectionGame.sol";
import {Entry, IResultAssertions} from "../../src/interfaces/IResultAssertions.sol";
import {Claims} from "../base/GamePlayer.sol";
import {Suite} from "../base/Suite.sol";
import {Test} from "../base/Test.sol";
import {BlobTest} from "../game/DissectionGame.blob.base.sol";

/// @notice forge can't isolate calls with blobs, so receipt gas is put together: what the call takes when nothing but the contract
/// called is warm (all else happened in `setUp`), 21,000, and the calldata (EIP-7623). Blob gas, 131,072 a blob, comes on top.
abstract contract ReceiptGas is Test {
    string internal constant GROUP = "dispute-blob";

    function snapshotReceipt(string memory name, bytes memory data) internal {
        uint256 gasUsed = vm.snapshotGasLastCall(GROUP, name);
        uint256 tokens = 0;
        for (uint256 i = 0; i < data.length; ++i) {
            tokens += data[i] == 0 ? 1 : 4;
        }
        (uint256 charged, uint256 floor) = (21_000 + 4 * tokens + gasUsed, 21_000 + 10 * tokens);
        vm.snapshotValue(GROUP, name, charged > floor ? charged : floor);
    }
}

/// forge-config: default.isolate = false
/// forge-config: nightly.isolate = false
contract Gas_Blob is BlobTest, ReceiptGas {
    GameTerms private opened;
    GameTerms private answered;
    GameTerms private moved;
    Claims private opening;
    Claims private answer;
    Claims private last;

    function setUp() public override {
        super.setUp();
        GameTerms memory base = terms;
        (opened, answered, moved) = (base, base, base);
        (opened.binding, answered.binding, moved.binding) = ("opened", "answered", "moved");
        terms = opened;
        opening = openInBlob();
        terms = answered;
        answer = answerInBlob(openInBlob());
        terms = moved;
        last = moveInBlob(answerInBlob(openInBlob()));
    }

    /// @dev What the whole transaction `data` takes, sent by `by` with that value.
    function measure(string memory name, address by, uint256 value, bytes memory data) private {
        vm.prank(by);
        (bool succeeded,) = address(game).call{value: value}(data);
        snapshotReceipt(name, data);
        vm.assertTrue(succeeded);
    }

    function test_gas_answer_benchmark() external {
        Split memory split = attached("answer", answer);
        bytes memory data = abi.encodeCall(IDissectionGame.answer, (opened, blobPick("opening", opening, FIRST), split));
        measure("2 answer: a blob to a blob", asserter, ASSERTER_STAKE, data);
    }

    function test_gas_answerInCalldata_benchmark() external {
        Split memory split = splitOf(within(opening, FIRST, liar(FAULT)));
        bytes memory data = abi.encodeCall(IDissectionGame.answer, (opened, blobPick("opening", opening, FIRST), split));
        measure("2 answer: calldata to a blob", asserter, ASSERTER_STAKE, data);
    }

    function test_gas_move_benchmark() external {
        Split memory split = attached("move", last);
        bytes memory data = abi.encodeCall(
            IDissectionGame.move,
            (idOf(answered), Parties(asserter, challenger), blobPick("answer", answer, SECOND), split)
        );
        measure("3 move: a blob to a blob", challenger, 0, data);
    }

    function test_gas_moveInCalldata_benchmark() external {
        Split memory split = splitOf(within(answer, SECOND, honest()));
        bytes memory data = abi.encodeCall(
            IDissectionGame.move,
            (idOf(answered), Parties(asserter, challenger), blobPick("answer", answer, SECOND), split)
        );
        measure("3 move: calldata to a blob", challenger, 0, data);
    }

    function test_gas_prove_benchmark() external {
        bytes memory data =
            abi.encodeCall(IDissectionGame.prove, (moved, blobPick("move", last, THIRD), proofOf(last, THIRD)));
        measure("9 prove: a proof of two words, to a blob", asserter, 0, data);
    }
}

/// forge-config: default.isolate = false
/// forge-config: nightly.isolate = false
contract Gas_BlobChallenge is Suite, ReceiptGas {
    bytes private inBlob;
    bytes private inCalldata;

    function setUp() public override {
        super.setUp();
        bytes32 requestId = ask("hello");
        bytes32 assertionId = assertOutput(sponsor, requestId, wrongOutput);
        useContextOf(requestId);
        Entry memory entry = entryOf(requestId, wrongOutput);
        Split memory split = splitOf(openingOf(rightOutput));
        inCalldata = abi.encodeCall(IResultAssertions.challenge, (assertionId, entry, abi.encode(rightOutput), split));
        split.inner = new bytes32[](0);
        split.blob = 1;
        inBlob = abi.encodeCall(IResultAssertions.challenge, (assertionId, entry, abi.encode(rightOutput), split));
    }

    function measure(string memory name, bytes memory data) private {
        vm.prank(challenger);
        (bool succeeded,) = address(results).call{value: challengerStake}(data);
        vm.assertTrue(succeeded);
        snapshotReceipt(name, data);
    }

    function test_gas_challenge_benchmark() external {
        vm.blobhashes(one(keccak256("blob")));
        measure("1 challenge: a blob", inBlob);
    }

    /// @dev The same, measured by the same means, as `Gas_Arity16` has it from an isolated transaction.
    function test_gas_challengeInCalldata_benchmark() external {
        measure("1 challenge: calldata", inCalldata);
    }
}
