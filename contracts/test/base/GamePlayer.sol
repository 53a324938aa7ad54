// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Game, IDissectionGame} from "../../src/interfaces/IDissectionGame.sol";
import {FakeMachine} from "../fakes/FakeMachine.sol";
import {Test} from "./Test.sol";

/// @notice What a player takes the states to be: the machine's, but from step `fault` on something else.
struct Belief {
    uint256 fault;
    bytes32 salt;
}

/// @notice What a split claims: the states at its bounds.
struct Split {
    uint256 start;
    uint256 end;
    bytes32[] states;
}

/// @notice One argument list for `move` and `prove`.
struct Opening {
    bytes32 claims;
    uint256 segment;
    bytes32 start;
    bytes32 end;
    bytes32[4] path;
}

/// @notice Plays dissection games in tests; written plainly, after the words of `IDissectionGame`, and not after its code.
abstract contract GamePlayer is Test {
    uint256 internal constant NEVER = type(uint256).max;

    IDissectionGame internal game;
    FakeMachine internal machine;
    bytes32 internal context;

    function honest() internal pure returns (Belief memory) {
        return Belief(NEVER, 0);
    }

    function liar(uint256 fault) internal pure returns (Belief memory) {
        return Belief(fault, keccak256(abi.encode("lie", fault)));
    }

    function stateOf(Belief memory belief, uint256 i) internal view returns (bytes32) {
        return i < belief.fault ? machine.stateAt(context, i) : keccak256(abi.encode(belief.salt, i));
    }

    function isTrue(bytes32 state, uint256 i) internal view returns (bool) {
        return state == machine.stateAt(context, i);
    }

    function segmentsOf(Split memory split) internal pure returns (uint256) {
        return split.states.length - 1;
    }

    function boundOf(Split memory split, uint256 j) internal pure returns (uint256) {
        return split.start + j * (split.end - split.start) / segmentsOf(split);
    }

    /// @dev The split of [start, end) that a player with this belief makes, beginning with the agreed state `first`.
    function splitOf(Belief memory belief, uint256 start, uint256 end, bytes32 first)
        internal
        view
        returns (Split memory split)
    {
        uint256 n = end - start;
        split = Split(start, end, new bytes32[]((n < 16 ? n : 16) + 1));
        split.states[0] = first;
        for (uint256 j = 1; j < split.states.length; ++j) {
            split.states[j] = stateOf(belief, boundOf(split, j));
        }
    }

    /// @dev The inner states of a split, and its end if asked for.
    function payloadOf(Split memory split, bool withEnd) internal pure returns (bytes32[] memory payload) {
        payload = new bytes32[](withEnd ? split.states.length - 1 : split.states.length - 2);
        for (uint256 j = 0; j < payload.length; ++j) {
            payload[j] = split.states[j + 1];
        }
    }

    function leafOf(Split memory split, uint256 j) internal pure returns (bytes32) {
        if (j >= segmentsOf(split)) return 0;
        return keccak256(abi.encode(split.states[j], split.states[j + 1]));
    }

    function nodeOf(Split memory split, uint256 height, uint256 i) internal pure returns (bytes32) {
        if (height == 0) return leafOf(split, i);
        bytes32 left = nodeOf(split, height - 1, 2 * i);
        bytes32 right = nodeOf(split, height - 1, 2 * i + 1);
        return left == 0 && right == 0 ? bytes32(0) : keccak256(abi.encode(left, right));
    }

    function claimsOf(Split memory split) internal pure returns (bytes32) {
        return nodeOf(split, 4, 0);
    }

    function openingOf(Split memory split, uint256 j) internal pure returns (Opening memory opening) {
        opening = Opening(claimsOf(split), j, 0, 0, [bytes32(0), 0, 0, 0]);
        if (j < segmentsOf(split)) (opening.start, opening.end) = (split.states[j], split.states[j + 1]);
        for (uint256 height = 0; height < 4; ++height) {
            opening.path[height] = nodeOf(split, height, (j >> height) ^ 1);
        }
    }

    /// @dev The first segment whose start this player believes and whose end it does not; `segmentsOf(split)` if there is none.
    function disputable(Split memory split, Belief memory belief) internal view returns (uint256 j) {
        for (; j < segmentsOf(split); ++j) {
            if (
                split.states[j] == stateOf(belief, boundOf(split, j))
                    && split.states[j + 1] != stateOf(belief, boundOf(split, j + 1))
            ) return j;
        }
    }

    function sendMove(bytes32 gameId, address player, Opening memory opening, bytes32[] memory states) internal {
        vm.prank(player);
        game.move(gameId, opening.claims, opening.segment, opening.start, opening.end, opening.path, states);
    }

    function sendProof(bytes32 gameId, address player, Opening memory opening, bytes memory proof) internal {
        vm.prank(player);
        game.prove(gameId, opening.claims, opening.segment, opening.start, opening.end, opening.path, proof);
    }

    /// @dev Splits segment `j` of the other's split as `belief` sees it.
    function moveInto(bytes32 gameId, address player, Split memory other, uint256 j, Belief memory belief)
        internal
        returns (Split memory own)
    {
        own = splitOf(belief, boundOf(other, j), boundOf(other, j + 1), other.states[j]);
        sendMove(gameId, player, openingOf(other, j), payloadOf(own, true));
    }

    /// @dev Proves the one step of segment `j` of the other's split.
    function proveAt(bytes32 gameId, address player, Split memory other, uint256 j) internal {
        sendProof(gameId, player, openingOf(other, j), abi.encode(context, boundOf(other, j)));
    }

    /// @dev One turn of a player that disputes what it disbelieves.
    function playTurn(bytes32 gameId, address player, Split memory other, Belief memory belief)
        internal
        returns (Split memory own, bool over)
    {
        uint256 j = disputable(other, belief);
        if (boundOf(other, j + 1) - boundOf(other, j) == 1) {
            proveAt(gameId, player, other, j);
            return (own, true);
        }
        own = moveInto(gameId, player, other, j, belief);
    }
}
