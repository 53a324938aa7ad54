// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {GameTerms} from "../../src/interfaces/IDissectionGame.sol";
import {Claims} from "../base/GamePlayer.sol";
import {Detector, Suite} from "../base/Suite.sol";

/// @notice Receipt gas of every kind of transaction, kept in `snapshots/`.
contract Gas is Suite {
    function test_gas_happyPath_benchmark() external {
        uint256 fee = model.defaultFee();
        vm.prank(stranger);
        Detector(address(model)).detect{value: fee}("the quick brown fox jumps over the lazy dog");
        vm.snapshotGasLastCall("happy-path", "request: 43 characters");

        bytes32[] memory requestIds = new bytes32[](16);
        bytes32[] memory outputs = new bytes32[](16);
        for (uint256 i = 0; i < 16; ++i) {
            (requestIds[i], outputs[i]) = (askEarly("hello", 150_000), rightOutput);
        }
        vm.prank(sponsor);
        results.assertResults{value: BOND}(0, requestIds, outputs);
        vm.snapshotGasLastCall("happy-path", "assertResults: 16 entries");

        bytes32 requestId = requestIds[0];
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        vm.snapshotGasLastCall("happy-path", "assertResults: 1 entry");
        assertOutput(sponsor, results.claimOf(assertionId), requestIds[1], rightOutput);
        vm.snapshotGasLastCall("happy-path", "assertResults: 1 entry, on another list");
        inbox.deliver(requestId, assertionId, 0, new bytes32[](0), rightWords);
        vm.snapshotGasLastCall("happy-path", "deliver: with a callback");
        vm.warp(results.assertion(assertionId).challengeableUntil);
        inbox.claimFee(requestId, assertionId, 0, rightOutput, new bytes32[](0));
        vm.snapshotGasLastCall("happy-path", "claimFee");
        results.confirm(assertionId);
        vm.snapshotGasLastCall("happy-path", "confirm");
        results.withdrawBond(assertionId);
        vm.snapshotGasLastCall("happy-path", "withdrawBond");
        results.withdraw(sponsor);
        vm.snapshotGasLastCall("happy-path", "withdraw");
    }

    function test_gas_registration_benchmark() external {
        bytes32[8] memory header = headerOf(SIGNATURE, 1, 1024, 1);
        registry.register(header, SIGNATURE, 5, "https://files");
        vm.snapshotGasLastCall("happy-path", "register");
    }
}

/// @notice Disputes, with a machine whose proof costs nothing.
abstract contract DisputeGas is Suite {
    uint256 private constant FAULT = 1_234_567;

    /// @dev A small convolutional network.
    function stepCount() internal pure override returns (uint256) {
        return 5_200_000;
    }

    function group() private view returns (string memory) {
        return string.concat("dispute-", vm.toString(2 ** arityBits));
    }

    function dispute(bool asserterLies) private {
        string memory side = asserterLies ? ", won by the challenger" : ", won by the asserter";
        bytes32 requestId = ask("hello");
        bytes32 output = asserterLies ? wrongOutput : rightOutput;
        bytes32 assertionId = assertOutput(sponsor, requestId, output);
        (GameTerms memory terms, Claims memory last) = challengeBy(challenger, assertionId, requestId, output);
        uint256 total = vm.snapshotGasLastCall(group(), "1 challenge, with a split");
        uint256 turns = 0;
        for (bool over = false; !over; ++turns) {
            (last, over) = turns % 2 == 0
                ? playTurn(terms, sponsor, last, asserterLies ? liar(FAULT) : honest())
                : playTurn(terms, challenger, last, asserterLies ? honest() : saying(wrongOutput, 77));
            if (over) {
                total += vm.snapshotGasLastCall(group(), string.concat("9 prove: a proof of two words", side));
            } else if (turns == 0) {
                total += vm.snapshotGasLastCall(group(), "2 answer, with a split");
            } else {
                string memory name =
                    string.concat(last.states.length == 2 ** arityBits + 1 ? "3 move " : "4 last move ");
                total += vm.snapshotGasLastCall(group(), string.concat(name, vm.toString(turns), side));
            }
        }
        settle(terms, assertionId, requestId, output);
        total += vm.snapshotGasLastCall(group(), string.concat("settle", side));
        vm.snapshotValue(group(), string.concat("transactions", side), turns + 2);
        vm.snapshotValue(group(), string.concat("total without the machine", side), total);
    }

    function test_gas_challengerWins_benchmark() external {
        dispute(true);
    }

    function test_gas_asserterWins_benchmark() external {
        dispute(false);
    }

    function test_gas_timeouts_benchmark() external {
        bytes32 requestId = ask("hello");
        bytes32 assertionId = assertOutput(sponsor, requestId, wrongOutput);
        (GameTerms memory first, Claims memory opening) = challengeBy(challenger, assertionId, requestId, wrongOutput);
        (GameTerms memory second,) = challengeBy(stranger, assertionId, requestId, wrongOutput);
        (GameTerms memory third,) = challengeBy(actor("third"), assertionId, requestId, wrongOutput);
        playTurn(second, sponsor, opening, liar(FAULT));
        vm.warp(START + allowance);
        game.claimTimeout(first);
        vm.snapshotGasLastCall(group(), "claimTimeout: unanswered");
        game.claimTimeout(second);
        vm.snapshotGasLastCall(group(), "claimTimeout: answered");
        settle(first, assertionId, requestId, wrongOutput);
        vm.snapshotGasLastCall(group(), "settle: the first defeat");
        settle(third, assertionId, requestId, wrongOutput);
        vm.snapshotGasLastCall(group(), "settle: ends the game by the clock");
        game.withdraw(challenger);
        vm.snapshotGasLastCall(group(), "withdraw");
    }
}

contract Gas_Arity4 is DisputeGas {
    constructor() {
        arityBits = 2;
    }
}

contract Gas_Arity8 is DisputeGas {
    constructor() {
        arityBits = 3;
    }
}

contract Gas_Arity16 is DisputeGas {}

contract Gas_Arity32 is DisputeGas {
    constructor() {
        arityBits = 5;
    }
}

contract Gas_Arity64 is DisputeGas {
    constructor() {
        arityBits = 6;
    }
}

/// @notice A last split of as many segments as one can have.
contract Gas_LongestSplit is Suite {
    uint256 private constant FAULT = 4000;

    /// @dev Segments of 512 steps, of 32, and of one.
    function stepCount() internal pure override returns (uint256) {
        return 16 * 16 * 32;
    }

    function test_gas_longestSplit_benchmark() external {
        bytes32 requestId = ask("hello");
        bytes32 assertionId = assertOutput(sponsor, requestId, wrongOutput);
        (GameTerms memory terms, Claims memory last) = challengeBy(challenger, assertionId, requestId, wrongOutput);
        (last,) = playTurn(terms, sponsor, last, liar(FAULT));
        (last,) = playTurn(terms, challenger, last, honest());
        vm.assertEq(last.states.length, 33);
        vm.snapshotGasLastCall("dispute-16", "5 longest last move, 32 segments");
    }
}
