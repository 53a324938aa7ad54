// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {GameTerms, IDissectionGame} from "../../src/interfaces/IDissectionGame.sol";
import {Belief, Claims, GamePlayer} from "../base/GamePlayer.sol";

/// @notice A game and its two players; the test itself is the client.
abstract contract DissectionGameTest is GamePlayer {
    uint256 internal constant GAS_PRICE = 10 gwei;
    uint96 internal constant ASSERTER_STAKE = 0.01 ether;
    uint96 internal constant CHALLENGER_STAKE = 0.1 ether;
    uint32 internal constant ALLOWANCE = 1000;
    uint256 internal constant START = 1_800_000_000;
    bytes32 internal constant BINDING = keccak256("binding");

    address internal asserter = actor("asserter");
    address internal challenger = actor("challenger");
    address internal stranger = actor("stranger");

    function setUp() public virtual {
        vm.warp(START);
        vm.deal(address(this), 1000 ether);
        useMachine(2 ** 60, 0);
        context = keccak256("context");
        game = gameAt(GAS_PRICE);
    }

    function gameAt(uint256 gasPrice) internal returns (IDissectionGame) {
        return IDissectionGame(deploy("DissectionGame", abi.encode(machine, gasPrice, arityBits)));
    }

    function termsOf(uint256 steps) internal view returns (GameTerms memory) {
        return GameTerms({
            client: address(this),
            asserter: asserter,
            challenger: challenger,
            initialState: stateOf(honest(), 0),
            binding: BINDING,
            steps: uint64(steps),
            allowance: ALLOWANCE,
            asserterStake: ASSERTER_STAKE,
            challengerStake: CHALLENGER_STAKE
        });
    }

    function openWith(GameTerms memory terms, Belief memory belief) internal returns (Claims memory opening) {
        opening = claimsOf(belief, 0, terms.steps, terms.initialState);
        game.open{value: terms.challengerStake}(terms, splitOf(opening));
    }

    /// @dev A game in which the asserter is to answer.
    function openGame(uint256 steps, Belief memory belief)
        internal
        returns (GameTerms memory terms, Claims memory opening)
    {
        terms = termsOf(steps);
        opening = openWith(terms, belief);
    }

    /// @dev A game in which the asserter, who lies from step `fault` on, has answered an honest challenger, who is to move.
    function answeredGame(uint256 steps, uint256 fault)
        internal
        returns (GameTerms memory terms, Claims memory opening, Claims memory answer)
    {
        (terms, opening) = openGame(steps, honest());
        answer = answerInto(terms, asserter, opening, disputable(opening, liar(fault)), liar(fault));
    }

    /// @dev What a winner is paid for moves metered at so much gas: the end is metered beside them.
    function worth(uint256 metered) internal pure returns (uint256) {
        return GAS_PRICE * (metered + 150_000);
    }

    function notTheParty(address caller, address party) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IDissectionGame.NotThePartyToMove.selector, caller, party);
    }

    function staleMove(uint256 given, uint256 actual) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IDissectionGame.StaleMove.selector, given, actual);
    }
}
