// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Split} from "../base/GamePlayer.sol";
import {Detector, Suite} from "../base/Suite.sol";

/// @notice Receipt gas of every kind of transaction, kept in `snapshots/`.
contract Gas is Suite {
    /// @dev 6 levels of 16, the last of five steps: a small convolutional network.
    function stepCount() internal pure override returns (uint256) {
        return 5_200_000;
    }

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
        results.assertResults{value: BOND}(requestIds, outputs);
        vm.snapshotGasLastCall("happy-path", "assertResults: 16 entries");

        bytes32 requestId = requestIds[0];
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        vm.snapshotGasLastCall("happy-path", "assertResults: 1 entry");
        inbox.deliver(requestId, assertionId, 0, new bytes32[](0), rightWords);
        vm.snapshotGasLastCall("happy-path", "deliver: with a callback");
        vm.warp(results.assertion(assertionId).challengeableUntil);
        inbox.claimFee(requestId, assertionId, 0, rightOutput, new bytes32[](0));
        vm.snapshotGasLastCall("happy-path", "claimFee");
        results.withdrawBond(assertionId);
        vm.snapshotGasLastCall("happy-path", "withdrawBond");
    }

    function test_gas_registration_benchmark() external {
        bytes32[8] memory header = headerOf(SIGNATURE, 1, 1024, 1);
        registry.register(header, SIGNATURE, 5, "https://files");
        vm.snapshotGasLastCall("happy-path", "register");
    }

    function test_gas_dispute_benchmark() external {
        bytes32 requestId = ask("hello");
        bytes32 assertionId = assertOutput(sponsor, requestId, wrongOutput);
        uint256 total = 0;
        bytes32 gameId = challengeBy(challenger, assertionId, requestId, wrongOutput);
        total += vm.snapshotGasLastCall("dispute", "1 challenge");
        uint256 fault = 1_234_567;
        Split memory last = answerBy(sponsor, gameId, requestId, wrongOutput, liar(fault));
        total += vm.snapshotGasLastCall("dispute", "2 answer: with an opening of one word");
        uint256 moves = 0;
        for (bool over = false; !over; ++moves) {
            (last, over) = moves % 2 == 0
                ? playTurn(gameId, challenger, last, honest())
                : playTurn(gameId, sponsor, last, liar(fault));
            total += over
                ? vm.snapshotGasLastCall("dispute", "9 prove: with a proof of two words")
                : vm.snapshotGasLastCall("dispute", string.concat("3 move ", vm.toString(moves + 1)));
        }
        vm.assertEq(moves, 6, "five moves and a proof");
        results.settle(gameId);
        total += vm.snapshotGasLastCall("dispute", "settle");
        vm.snapshotValue("dispute", "total without the machine", total);
        game.payOut(gameId);
        vm.snapshotGasLastCall("dispute", "payOut");
        results.withdraw(challenger);
        vm.snapshotGasLastCall("dispute", "withdraw");
    }
}
