// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {GamePhase, GameTerms, IDissectionGame, Parties, Pick, Split} from "../../src/interfaces/IDissectionGame.sol";
import {FakeMachine, as248Bits, countedState} from "../fakes/FakeMachine.sol";
import {Test} from "./Test.sol";

/// @notice What a player takes the states to be: the machine's, but from step `fault` on something else.
struct Belief {
    uint256 fault;
    bytes32 salt;
    /// The state after `last` steps is `end`.
    uint256 last;
    bytes32 end;
}

/// @notice What a split claims: the states at the bounds of the segments of [start, end).
struct Claims {
    uint256 start;
    uint256 end;
    bytes32[] states;
}

/// @notice Plays dissection games in tests; written plainly, after the words of `IDissectionGame`, and not after its code.
abstract contract GamePlayer is Test {
    uint256 internal constant NEVER = type(uint256).max;

    IDissectionGame internal game;
    FakeMachine internal machine;
    bytes32 internal context;
    uint256 private finishedAfter;
    bytes32 private finishedOutput;
    /// @dev Log2 of the segments of a split that travels as calldata.
    uint256 internal arityBits = 4;

    /// @dev Plays on a new machine that finishes after so many steps with that output.
    function useMachine(uint256 steps, bytes32 output) internal {
        machine = new FakeMachine(steps, output);
        (finishedAfter, finishedOutput) = (steps, output);
    }

    /// @dev The machine's state after `i` steps.
    function trueState(uint256 i) internal view returns (bytes32) {
        return countedState(context, i, finishedAfter, finishedOutput);
    }

    function honest() internal pure returns (Belief memory) {
        return Belief(NEVER, 0, NEVER, 0);
    }

    function liar(uint256 fault) internal pure returns (Belief memory) {
        return Belief(fault, keccak256(abi.encode("lie", fault)), NEVER, 0);
    }

    function stateOf(Belief memory belief, uint256 i) internal view returns (bytes32) {
        if (i < belief.fault) return trueState(i);
        return i == belief.last ? belief.end : as248Bits(keccak256(abi.encode(belief.salt, i)));
    }

    function isTrue(bytes32 state, uint256 i) internal view returns (bool) {
        return state == trueState(i);
    }

    function idOf(GameTerms memory terms) internal pure returns (bytes32) {
        return keccak256(abi.encode(terms));
    }

    function segmentsOf(Claims memory claims) internal pure returns (uint256) {
        return claims.states.length - 1;
    }

    function boundOf(Claims memory claims, uint256 j) internal pure returns (uint256) {
        return claims.start + j * (claims.end - claims.start) / segmentsOf(claims);
    }

    function lastOf(Claims memory claims) internal pure returns (bytes32) {
        return claims.states[claims.states.length - 1];
    }

    /// @dev The claims about [start, end) of a player with this belief, beginning with the agreed state `first`.
    function claimsOf(Belief memory belief, uint256 start, uint256 end, bytes32 first)
        internal
        view
        returns (Claims memory)
    {
        return claimsOf(belief, start, end, first, segmentsFor(end - start));
    }

    /// @dev Segments of a split of `n` steps that travels as calldata.
    function segmentsFor(uint256 n) internal view returns (uint256) {
        uint256 arity = 2 ** arityBits;
        return n <= 2 * arity ? n : arity;
    }

    function claimsOf(Belief memory belief, uint256 start, uint256 end, bytes32 first, uint256 segments)
        internal
        view
        returns (Claims memory claims)
    {
        claims = Claims(start, end, new bytes32[](segments + 1));
        claims.states[0] = first;
        for (uint256 j = 1; j < claims.states.length; ++j) {
            claims.states[j] = stateOf(belief, boundOf(claims, j));
        }
    }

    /// @dev Claims as calldata.
    function splitOf(Claims memory claims) internal pure returns (Split memory split) {
        split.end = lastOf(claims);
        split.inner = new bytes32[](segmentsOf(claims) - 1);
        for (uint256 j = 0; j < split.inner.length; ++j) {
            split.inner[j] = claims.states[j + 1];
        }
    }

    /// @dev What the log says of claims that came as calldata: the inner states and the end.
    function loggedOf(Claims memory claims) internal pure returns (bytes32[] memory states) {
        states = new bytes32[](segmentsOf(claims));
        for (uint256 j = 0; j < states.length; ++j) {
            states[j] = claims.states[j + 1];
        }
    }

    /// @dev Segments of a block of claims that came as calldata.
    function blockSegments() internal view returns (uint256) {
        return [1, 2, 2, 4, 4, 8][arityBits - 1];
    }

    /// @dev Hash of the states at the bounds of block `i`.
    function blockHash(Claims memory claims, uint256 i) internal view returns (bytes32) {
        bytes memory states;
        for (uint256 j = i * blockSegments(); j <= (i + 1) * blockSegments() && j <= segmentsOf(claims); ++j) {
            states = bytes.concat(states, claims.states[j]);
        }
        return keccak256(states);
    }

    function claimsRootOf(Claims memory claims) internal view returns (bytes32) {
        bytes memory hashes;
        for (uint256 i = 0; i * blockSegments() < segmentsOf(claims); ++i) {
            hashes = bytes.concat(hashes, blockHash(claims, i));
        }
        return keccak256(bytes.concat(hashes, bytes1(0)));
    }

    /// @dev What the game stores of claims.
    function storedOf(GameTerms memory terms, Claims memory claims) internal view returns (bytes32) {
        return storedOf(terms, claimsRootOf(claims));
    }

    function storedOf(GameTerms memory terms, bytes32 root) internal pure returns (bytes32) {
        return keccak256(abi.encode(root, terms.asserter, terms.challenger));
    }

    function assertStored(GameTerms memory terms, Claims memory claims) internal view {
        vm.assertEq(game.game(idOf(terms)).claims, storedOf(terms, claims), "claims");
    }

    /// @dev Segment `j` of claims that came as calldata, opened.
    function pickOf(Claims memory claims, uint256 j) internal view returns (Pick memory pick) {
        pick.steps = claims.end - claims.start;
        pick.segment = j;
        if (j < segmentsOf(claims)) (pick.start, pick.end) = (claims.states[j], claims.states[j + 1]);
        uint256 size = blockSegments();
        for (uint256 i = j - j % size; i <= j - j % size + size && i <= segmentsOf(claims); ++i) {
            if (i != j && i != j + 1) pick.opening = bytes.concat(pick.opening, claims.states[i]);
        }
        for (uint256 i = 0; i * size < segmentsOf(claims); ++i) {
            if (i != j / size) pick.opening = bytes.concat(pick.opening, blockHash(claims, i));
        }
    }

    /// @dev The first segment whose start this player believes and whose end it does not; `segmentsOf(claims)` if there is none.
    function disputable(Claims memory claims, Belief memory belief) internal view returns (uint256 j) {
        for (; j < segmentsOf(claims); ++j) {
            if (
                claims.states[j] == stateOf(belief, boundOf(claims, j))
                    && claims.states[j + 1] != stateOf(belief, boundOf(claims, j + 1))
            ) return j;
        }
    }

    function sendAnswer(GameTerms memory terms, address player, Pick memory pick, Split memory split) internal {
        vm.prank(player);
        game.answer{value: terms.asserterStake}(terms, pick, split);
    }

    function sendMove(GameTerms memory terms, address player, Pick memory pick, Split memory split) internal {
        vm.prank(player);
        game.move(idOf(terms), Parties(terms.asserter, terms.challenger), pick, split);
    }

    function sendProof(GameTerms memory terms, address player, Pick memory pick, bytes memory proof) internal {
        vm.prank(player);
        game.prove(terms, pick, proof);
    }

    /// @dev What `belief` claims about segment `j` of the other's claims.
    function within(Claims memory other, uint256 j, Belief memory belief) internal view returns (Claims memory) {
        return claimsOf(belief, boundOf(other, j), boundOf(other, j + 1), other.states[j]);
    }

    /// @dev The asserter's answer into segment `j` of the challenger's claims.
    function answerInto(GameTerms memory terms, address player, Claims memory other, uint256 j, Belief memory belief)
        internal
        returns (Claims memory own)
    {
        own = within(other, j, belief);
        sendAnswer(terms, player, pickOf(other, j), splitOf(own));
    }

    /// @dev A later move into segment `j` of the other's claims.
    function moveInto(GameTerms memory terms, address player, Claims memory other, uint256 j, Belief memory belief)
        internal
        returns (Claims memory own)
    {
        own = within(other, j, belief);
        sendMove(terms, player, pickOf(other, j), splitOf(own));
    }

    /// @dev What the fake machine takes as proof of the one step of segment `j`.
    function proofOf(Claims memory other, uint256 j) internal view returns (bytes memory) {
        return abi.encode(context, boundOf(other, j));
    }

    /// @dev Proves the one step of segment `j` of the other's claims.
    function proveAt(GameTerms memory terms, address player, Claims memory other, uint256 j) internal {
        sendProof(terms, player, pickOf(other, j), proofOf(other, j));
    }

    /// @dev Answers or moves into segment `j`, or proves it where it has one step.
    function turnInto(GameTerms memory terms, address player, Claims memory other, uint256 j, Claims memory own)
        internal
        returns (bool over)
    {
        if (boundOf(other, j + 1) - boundOf(other, j) == 1) {
            proveAt(terms, player, other, j);
            return true;
        }
        bool first = game.game(idOf(terms)).clock.recorded == GamePhase.AsserterToAnswer;
        if (first) sendAnswer(terms, player, pickOf(other, j), splitOf(own));
        else sendMove(terms, player, pickOf(other, j), splitOf(own));
    }

    /// @dev One turn of a player that disputes what it disbelieves.
    function playTurn(GameTerms memory terms, address player, Claims memory other, Belief memory belief)
        internal
        returns (Claims memory own, bool over)
    {
        uint256 j = disputable(other, belief);
        own = within(other, j, belief);
        over = turnInto(terms, player, other, j, own);
    }

    /// @dev Both play as they believe, the asserter first, until a proof.
    function playOut(
        GameTerms memory terms,
        Claims memory opening,
        Belief memory asserterBelief,
        Belief memory challengerBelief
    ) internal returns (uint256 turns) {
        Claims memory last = opening;
        for (bool over = false; !over; ++turns) {
            (last, over) = turns % 2 == 0
                ? playTurn(terms, terms.asserter, last, asserterBelief)
                : playTurn(terms, terms.challenger, last, challengerBelief);
        }
    }

    function assertGamePhase(GameTerms memory terms, GamePhase expected) internal view {
        vm.assertEq(uint256(game.phase(idOf(terms))), uint256(expected));
    }

    function isOver(GameTerms memory terms) internal view returns (bool) {
        GamePhase now_ = game.phase(idOf(terms));
        return now_ == GamePhase.AsserterWon || now_ == GamePhase.ChallengerWon;
    }

    function wrongPhase(GamePhase phase) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IDissectionGame.WrongPhase.selector, phase);
    }
}
