// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IBatch} from "../../src/interfaces/IBatch.sol";
import {Finality, IInbox, RequestOptions} from "../../src/interfaces/IInbox.sol";
import {IPullPayments} from "../../src/interfaces/IPullPayments.sol";
import {AssertionPhase, IResultAssertions} from "../../src/interfaces/IResultAssertions.sol";
import {ISpendableCredit} from "../../src/interfaces/ISpendableCredit.sol";
import {Suite} from "../base/Suite.sol";

/// @notice A fake account that makes calls with value as soon as it is paid, once.
contract Spender {
    address private target;
    bytes[] private calls;
    uint256[] private values;

    receive() external payable {
        address to = target;
        target = address(0);
        if (to == address(0)) return;
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool succeeded,) = to.call{value: values[i]}(calls[i]);
            require(succeeded);
        }
    }

    function addCall(address target_, uint256 value, bytes calldata data) external {
        target = target_;
        values.push(value);
        calls.push(data);
    }
}

/// @notice Value that comes in the middle of a batch, and early delivery beside a dispute.
contract ResultAssertions_Audit is Suite {
    /// Called back by a withdrawal in the middle of a batch, with value: in a batch of its own, and by itself after it. All of it counts, once.
    function test_audit_valueInTheMiddleOfABatch_succeeds() external {
        Spender spender = new Spender();
        vm.deal(address(spender), 10 * BOND);
        bytes32 requestId = ask("hello");
        bytes memory assertion = abi.encodeCall(IResultAssertions.assertResults, (0, one(requestId), one(rightOutput)));
        bytes[] memory inner = new bytes[](1);
        inner[0] = assertion;
        spender.addCall(address(results), BOND + 3, abi.encodeCall(IBatch.batch, (inner)));
        spender.addCall(address(results), BOND - 2, assertion);
        spender.addCall(address(results), 5, abi.encodeCall(ISpendableCredit.deposit, (stranger)));
        results.deposit{value: 1}(address(spender));

        bytes[] memory outer = new bytes[](2);
        outer[0] = abi.encodeCall(IPullPayments.withdraw, (address(spender)));
        outer[1] = assertion;
        vm.prank(address(spender));
        bool[] memory succeeded = results.batch(outer);
        vm.assertTrue(succeeded[0] && !succeeded[1], "nothing is left for a third bond");
        vm.assertEq(results.owed(address(spender)), 1);
        vm.assertEq(results.owed(stranger), 5);
        vm.assertEq(address(results).balance, 2 * BOND + 1 + 5);
        vm.assertEq(address(spender).balance, 10 * BOND + 1 - (2 * BOND + 1 + 5));
    }

    /// A request that takes asserted results gets one in a dispute, too, and while its list waits for another; others get none.
    function test_audit_deliveryBesideADispute_succeeds() external {
        bytes32 early = askEarly("hello", 200_000);
        bytes32 late = ask("hello");
        bytes32[2] memory lists = [assertOutput(sponsor, early, rightOutput), assertOutput(sponsor, late, rightOutput)];
        challengeBy(challenger, lists[0], early, rightOutput);
        challengeBy(challenger, lists[1], late, rightOutput);
        bytes32 waiting = assertOutput(sponsor, keccak256("no claim"), early, rightOutput);
        vm.warp(START + WINDOW);
        assertPhase(lists[0], AssertionPhase.Disputed);
        assertPhase(waiting, AssertionPhase.Waiting);
        vm.expectRevert(abi.encodeWithSelector(IInbox.AssertionNotFinal.selector, lists[1]));
        inbox.deliver(late, lists[1], 0, new bytes32[](0), rightWords);
        uint256 before = vm.snapshotState();
        inbox.deliver(early, waiting, 0, new bytes32[](0), rightWords);
        vm.revertToState(before);
        inbox.deliver(early, lists[0], 0, new bytes32[](0), rightWords);
        vm.assertEq(consumer.calls(), 1);
        vm.expectRevert(abi.encodeWithSelector(IInbox.AssertionNotFinal.selector, lists[0]));
        inbox.claimFee(early, lists[0], 0, rightOutput, new bytes32[](0));
        vm.expectRevert(abi.encodeWithSelector(IInbox.AssertionNotFinal.selector, waiting));
        inbox.claimFee(early, waiting, 0, rightOutput, new bytes32[](0));
    }
}

/// @notice A model of so many steps that a dispute about it outlasts the time in which a fee can be claimed.
contract ResultAssertions_AuditOfLongModels is Suite {
    function stepCount() internal pure override returns (uint256) {
        return 2 ** 42;
    }

    /// Who delivers such a result early may lose the fee: the requester takes it back before the list can be final.
    function test_audit_feeOfALongInference_isTakenBack() external {
        bytes32 requestId = ask("hello", RequestOptions(Finality.Asserted, 200_000, 1 hours, 0));
        bytes32 list = assertOutput(sponsor, requestId, rightOutput);
        inbox.deliver(requestId, list, 0, new bytes32[](0), rightWords);
        vm.warp(results.assertion(list).challengeableUntil - 1);
        challengeBy(challenger, list, requestId, rightOutput);
        vm.warp(START + 1 hours + 90 days);
        assertPhase(list, AssertionPhase.Disputed);
        vm.expectRevert(abi.encodeWithSelector(IInbox.AssertionNotFinal.selector, list));
        inbox.claimFee(requestId, list, 0, rightOutput, new bytes32[](0));
        inbox.reclaimFee(requestId);
        vm.assertEq(inbox.owed(address(consumer)), model.fee(200_000));
    }
}
