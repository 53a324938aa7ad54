// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {GameTerms, Pick, Split} from "../../src/interfaces/IDissectionGame.sol";
import {Belief, Claims} from "../base/GamePlayer.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

/// @notice Claims in blobs: hashes, commitments and proofs are in `fixtures/blob-claims.json`, made by node-eth-kzg.
abstract contract BlobTest is DissectionGameTest {
    uint256 internal constant STEPS = 2 ** 30;
    uint256 internal constant FAULT = 1_234_567;
    uint256 internal constant ARITY = 4096;
    /// @dev The fault's segment in the opening, in the answer into it, and in the move into that.
    uint256 internal constant FIRST = 4;
    uint256 internal constant SECOND = 2906;
    uint256 internal constant THIRD = 6;

    string private json;
    GameTerms internal terms;

    function setUp() public virtual override {
        super.setUp();
        json = vm.readFile("contracts/test/fixtures/blob-claims.json");
        terms = termsOf(STEPS);
    }

    function hashOf(string memory name) internal view returns (bytes32) {
        return vm.parseJsonBytes32(json, string.concat(".", name, ".hash"));
    }

    /// @dev The proof of the claimed state c_`bound`, 48 bytes; zeros where the blob has none.
    function kzgProof(string memory name, uint256 bound, uint256 segments) internal view returns (bytes memory) {
        if (bound == 0 || bound == segments) return new bytes(48);
        return vm.parseJsonBytes(json, string.concat(".", name, ".c", vm.toString(bound)));
    }

    function commitmentOf(string memory name) internal view returns (bytes memory) {
        return vm.parseJsonBytes(json, string.concat(".", name, ".commitment"));
    }

    /// @dev Attaches a blob to what is sent from now on, and says that it has the inner states.
    function attached(string memory name, Claims memory claims) internal returns (Split memory) {
        bytes32[] memory hashes = new bytes32[](1);
        hashes[0] = hashOf(name);
        vm.blobhashes(hashes);
        return Split(lastOf(claims), new bytes32[](0), 1);
    }

    /// @dev Segment `j` of claims that came in that blob, opened.
    function blobPick(string memory name, Claims memory claims, uint256 j) internal view returns (Pick memory pick) {
        (pick.steps, pick.segment) = (claims.end - claims.start, j);
        (pick.start, pick.end) = (claims.states[j], claims.states[j + 1]);
        pick.opening = bytes.concat(
            claims.states[0],
            hashOf(name),
            lastOf(claims),
            commitmentOf(name),
            kzgProof(name, j, segmentsOf(claims)),
            kzgProof(name, j + 1, segmentsOf(claims))
        );
    }

    function openingClaims(Belief memory belief) internal view returns (Claims memory) {
        return claimsOf(belief, 0, STEPS, terms.initialState, ARITY);
    }

    /// @dev Segments of a split that travels in a blob.
    function finely(uint256 steps) private pure returns (uint256) {
        return steps < ARITY ? steps : ARITY;
    }

    /// @dev The same as `within`, for a split that travels in a blob.
    function finelyWithin(Claims memory other, uint256 j, Belief memory belief) internal view returns (Claims memory) {
        return claimsOf(
            belief,
            boundOf(other, j),
            boundOf(other, j + 1),
            other.states[j],
            finely(boundOf(other, j + 1) - boundOf(other, j))
        );
    }

    function openInBlob() internal returns (Claims memory opening) {
        opening = openingClaims(honest());
        Split memory split = attached("opening", opening);
        game.open{value: CHALLENGER_STAKE}(terms, split);
    }

    function answerInBlob(Claims memory opening) internal returns (Claims memory answer) {
        answer = finelyWithin(opening, FIRST, liar(FAULT));
        Split memory split = attached("answer", answer);
        sendAnswer(terms, asserter, blobPick("opening", opening, FIRST), split);
    }

    function moveInBlob(Claims memory answer) internal returns (Claims memory last) {
        last = finelyWithin(answer, SECOND, honest());
        Split memory split = attached("move", last);
        sendMove(terms, challenger, blobPick("answer", answer, SECOND), split);
    }

    function rootOfBlob(string memory name, Claims memory claims) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(claims.states[0], hashOf(name), lastOf(claims)));
    }

    function notTheClaimed(uint256 bound_) internal pure returns (bytes memory) {
        return abi.encodeWithSignature("NotTheClaimedState(uint256)", bound_);
    }
}
