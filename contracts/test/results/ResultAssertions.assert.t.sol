// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IInbox} from "../../src/interfaces/IInbox.sol";
import {IModelContract} from "../../src/interfaces/IModelContract.sol";
import {Assertion, AssertionPhase, IResultAssertions} from "../../src/interfaces/IResultAssertions.sol";
import {ISpendableCredit} from "../../src/interfaces/ISpendableCredit.sol";
import {Suite} from "../base/Suite.sol";

contract ResultAssertions_AssertResults is Suite {
    function list(uint256 count) private returns (bytes32[] memory requestIds, bytes32[] memory outputs) {
        requestIds = new bytes32[](count);
        outputs = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            requestIds[i] = ask("hello");
            outputs[i] = keccak256(abi.encode("output", i));
        }
    }

    /// @dev Root of the complete binary tree, after the words of the specification.
    function rootOf(bytes32[] memory requestIds, bytes32[] memory outputs, uint256 height, uint256 i)
        private
        pure
        returns (bytes32)
    {
        if (height == 0) {
            return i < requestIds.length ? keccak256(abi.encode(requestIds[i], outputs[i])) : bytes32(0);
        }
        bytes32 left = rootOf(requestIds, outputs, height - 1, 2 * i);
        bytes32 right = rootOf(requestIds, outputs, height - 1, 2 * i + 1);
        return left == 0 && right == 0 ? bytes32(0) : keccak256(abi.encode(left, right));
    }

    function test_assertResults_stored_succeeds() external {
        bytes32 requestId = ask("hello");
        bytes32 root = keccak256(abi.encode(requestId, rightOutput));
        bytes32 claim = keccak256(abi.encode(bytes32(0), root, 1));
        bytes32 expected = keccak256(abi.encode(claim, sponsor, 0));
        vm.expectEmit(true, true, true, true, address(results));
        emit IResultAssertions.Asserted(expected, sponsor, 0, root, 0, START + WINDOW, one(requestId), one(rightOutput));
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        vm.assertEq(assertionId, expected);
        Assertion memory stored = results.assertion(assertionId);
        vm.assertEq(stored.root, root);
        vm.assertEq(stored.sponsor, sponsor);
        vm.assertEq(stored.challengeableUntil, START + WINDOW);
        vm.assertEq(stored.count, 1);
        vm.assertEq(stored.parent, 0);
        vm.assertEq(results.claimOf(assertionId), claim);
        assertPhase(assertionId, AssertionPhase.Challengeable);
    }

    /// @dev A request to a model of its own, with so many steps.
    function askFor(uint256 steps) private returns (bytes32) {
        bytes32[8] memory header = headerOf(SIGNATURE, 1, COLUMNS, 1);
        header[5] = bytes32(steps);
        (, address heavy) = registry.register(header, SIGNATURE, MODEL_FEE, "");
        bytes memory call = abi.encodeWithSignature("detect(string)", "hello");
        return consumer.ask{value: IModelContract(heavy).defaultFee()}(heavy, call);
    }

    /// @dev Whatever work is in a list, there is time to run all of it again before the list is final.
    function test_assertResults_windowGrowsWithWork_succeeds(uint256 first, uint256 second) external {
        first = 1 + first % 2 ** 48;
        second = 1 + second % 2 ** 48;
        bytes32[] memory requestIds = new bytes32[](3);
        (requestIds[0], requestIds[1], requestIds[2]) = (askFor(first), ask("hello"), askFor(second));
        bytes32[] memory outputs = new bytes32[](3);
        (outputs[0], outputs[1], outputs[2]) = (rightOutput, rightOutput, rightOutput);
        vm.prank(sponsor);
        bytes32 assertionId = results.assertResults{value: BOND}(0, requestIds, outputs);
        uint256 end = START + WINDOW + (first + stepCount() + second) / 1_000_000;
        vm.assertEq(results.assertion(assertionId).challengeableUntil, end);
        vm.warp(end - 1);
        assertPhase(assertionId, AssertionPhase.Challengeable);
        vm.warp(end);
        assertPhase(assertionId, AssertionPhase.Final);
    }

    /// @dev 2^48 steps take 2^48 / 10^6 seconds, and 2^40 seconds are what fits.
    function test_assertResults_tooMuchWork_reverts() external {
        bytes32 requestId = askFor(2 ** 48);
        uint256 count = 3907;
        bytes32[] memory requestIds = new bytes32[](count);
        bytes32[] memory outputs = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            (requestIds[i], outputs[i]) = (requestId, rightOutput);
        }
        vm.expectRevert(
            abi.encodeWithSelector(IResultAssertions.TooMuchWork.selector, START + WINDOW + count * 2 ** 48 / 1_000_000)
        );
        vm.prank(sponsor);
        results.assertResults{value: BOND}(0, requestIds, outputs);
    }

    function test_assertResults_everyEntryProvable_succeeds() external {
        for (uint256 count = 1; count <= 9; ++count) {
            (bytes32[] memory requestIds, bytes32[] memory outputs) = list(count);
            uint256 depth = 0;
            while (2 ** depth < count) ++depth;
            vm.prank(sponsor);
            bytes32 assertionId = results.assertResults{value: BOND}(0, requestIds, outputs);
            vm.assertEq(results.assertion(assertionId).root, rootOf(requestIds, outputs, depth, 0));
            bytes32[] memory path = new bytes32[](depth);
            for (uint256 i = 0; i < count; ++i) {
                for (uint256 h = 0; h < depth; ++h) {
                    path[h] = rootOf(requestIds, outputs, h, (i >> h) ^ 1);
                }
                (, address by) = results.checkEntry(assertionId, i, requestIds[i], outputs[i], path);
                vm.assertEq(by, sponsor);
                vm.expectRevert(abi.encodeWithSelector(IResultAssertions.NotAnEntry.selector, assertionId, i));
                results.checkEntry(assertionId, i, requestIds[i], keccak256("other"), path);
                uint256 beyond = i + 2 ** depth;
                vm.expectRevert(abi.encodeWithSelector(IResultAssertions.NotAnEntry.selector, assertionId, beyond));
                results.checkEntry(assertionId, beyond, requestIds[i], outputs[i], path);
                vm.expectRevert(abi.encodeWithSelector(IResultAssertions.NotAnEntry.selector, assertionId, i));
                results.checkEntry(assertionId, i, requestIds[i], outputs[i], new bytes32[](depth + 1));
            }
        }
    }

    function test_assertResults_sameRootAgain_succeeds() external {
        bytes32 requestId = ask("hello");
        bytes32 first = assertOutput(sponsor, requestId, rightOutput);
        vm.assertNotEq(first, assertOutput(sponsor, requestId, rightOutput));
        vm.assertNotEq(first, assertOutput(stranger, requestId, rightOutput));
    }

    function test_assertResults_unknownRequest_reverts() external {
        bytes32[] memory requestIds = new bytes32[](2);
        requestIds[0] = ask("hello");
        requestIds[1] = keccak256("no request");
        bytes32[] memory outputs = new bytes32[](2);
        (outputs[0], outputs[1]) = (rightOutput, rightOutput);
        vm.expectRevert(abi.encodeWithSelector(IInbox.UnknownRequest.selector, requestIds[1]));
        results.assertResults{value: BOND}(0, requestIds, outputs);
    }

    function test_assertResults_wrongValue_reverts() external {
        bytes32[] memory requestIds = one(ask("hello"));
        vm.expectRevert(abi.encodeWithSelector(ISpendableCredit.WrongValue.selector, BOND - 1, BOND));
        results.assertResults{value: BOND - 1}(0, requestIds, one(rightOutput));
        vm.expectRevert(abi.encodeWithSelector(ISpendableCredit.WrongValue.selector, BOND + 1, BOND));
        results.assertResults{value: BOND + 1}(0, requestIds, one(rightOutput));
    }

    function test_assertResults_badLists_reverts() external {
        bytes32[] memory requestIds = one(ask("hello"));
        vm.expectRevert(IResultAssertions.EmptyAssertion.selector);
        results.assertResults{value: BOND}(0, new bytes32[](0), new bytes32[](0));
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.LengthMismatch.selector, 1, 2));
        results.assertResults{value: BOND}(0, requestIds, new bytes32[](2));
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.TooManyEntries.selector, 65_536, 65_535));
        results.assertResults{value: BOND}(0, new bytes32[](65_536), new bytes32[](65_536));
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.MissingOutput.selector, 0));
        results.assertResults{value: BOND}(0, requestIds, one(0));
    }
}
