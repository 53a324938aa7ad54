// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {GameTerms} from "../../src/interfaces/IDissectionGame.sol";
import {IInbox, RequestStatus} from "../../src/interfaces/IInbox.sol";
import {IResultAssertions} from "../../src/interfaces/IResultAssertions.sol";
import {Suite} from "../base/Suite.sol";

contract Inbox_Fee is Suite {
    bytes32[] private none;

    function deliver(bytes32 requestId, bytes32 assertionId) private {
        inbox.deliver(requestId, assertionId, 0, none, rightWords);
    }

    function test_refund_atTheDeadline_succeeds() external {
        bytes32 requestId = ask("hello");
        uint256 fee = inbox.requestOf(requestId).fee;
        vm.warp(START + DEADLINE);
        vm.expectEmit(true, true, true, true, address(inbox));
        emit IInbox.Refunded(requestId, address(consumer), fee);
        vm.prank(stranger);
        inbox.refund(requestId);
        vm.assertEq(inbox.owed(address(consumer)), fee);
        vm.expectRevert(abi.encodeWithSelector(IInbox.WrongStatus.selector, requestId, RequestStatus.Refunded));
        inbox.refund(requestId);
        vm.assertEq(inbox.withdraw(address(consumer)), fee);
        vm.assertEq(inbox.withdraw(address(consumer)), 0);
        vm.assertEq(address(consumer).balance, fee);
        vm.assertEq(address(inbox).balance, 0);
    }

    function test_refund_delivered_reverts() external {
        bytes32 requestId = askEarly("hello", 0);
        deliver(requestId, assertOutput(sponsor, requestId, rightOutput));
        vm.warp(START + DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(IInbox.WrongStatus.selector, requestId, RequestStatus.Delivered));
        inbox.refund(requestId);
    }

    function test_refund_unknown_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IInbox.UnknownRequest.selector, bytes32(0)));
        inbox.refund(0);
    }

    function test_claimFee_final_succeeds() external {
        bytes32 requestId = askEarly("hello", 10_000);
        uint256 fee = inbox.requestOf(requestId).fee;
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        bytes32 second = assertOutput(stranger, requestId, rightOutput);
        vm.expectRevert(abi.encodeWithSelector(IInbox.WrongStatus.selector, requestId, RequestStatus.Pending));
        inbox.claimFee(requestId, assertionId, 0, rightOutput, none);
        deliver(requestId, assertionId);
        vm.expectRevert(abi.encodeWithSelector(IInbox.AssertionNotFinal.selector, assertionId));
        inbox.claimFee(requestId, assertionId, 0, rightOutput, none);
        vm.warp(START + WINDOW);
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.NotAnEntry.selector, assertionId, 0));
        inbox.claimFee(requestId, assertionId, 0, wrongOutput, none);
        vm.expectEmit(true, true, true, true, address(inbox));
        emit IInbox.FeeClaimed(requestId, assertionId, sponsor, fee);
        inbox.claimFee(requestId, assertionId, 0, rightOutput, none);
        vm.assertEq(inbox.owed(sponsor), fee);
        vm.expectRevert(abi.encodeWithSelector(IInbox.FeeAlreadySpent.selector, requestId));
        inbox.claimFee(requestId, second, 0, rightOutput, none);
        vm.warp(START + DEADLINE + 365 days);
        vm.expectRevert(abi.encodeWithSelector(IInbox.FeeAlreadySpent.selector, requestId));
        inbox.reclaimFee(requestId);
    }

    function test_claimFee_anotherSponsor_succeeds() external {
        // Delivered by a liar's assertion, at the requester's risk: the fee goes to whoever was right.
        bytes32 requestId = askEarly("hello", 0);
        (bytes32 lie, GameTerms memory terms) = lostGame(requestId);
        inbox.deliver(requestId, lie, 0, none, wrongWords);
        settle(terms, lie, requestId, wrongOutput);
        bytes32 truth = assertOutput(stranger, requestId, rightOutput);
        vm.warp(START + 3 * WINDOW);
        vm.expectRevert(abi.encodeWithSelector(IInbox.AssertionNotFinal.selector, lie));
        inbox.claimFee(requestId, lie, 0, wrongOutput, none);
        inbox.claimFee(requestId, truth, 0, rightOutput, none);
        vm.assertEq(inbox.owed(stranger), inbox.requestOf(requestId).fee);
    }

    function test_reclaimFee_nobodyClaimed_succeeds() external {
        bytes32 requestId = askEarly("hello", 0);
        deliver(requestId, assertOutput(sponsor, requestId, rightOutput));
        uint256 from = START + DEADLINE + 90 days;
        vm.warp(from - 1);
        vm.expectRevert(abi.encodeWithSelector(IInbox.DeadlineNotReached.selector, requestId, from));
        inbox.reclaimFee(requestId);
        vm.warp(from);
        inbox.reclaimFee(requestId);
        vm.assertEq(inbox.owed(address(consumer)), MODEL_FEE);
        vm.expectRevert(abi.encodeWithSelector(IInbox.FeeAlreadySpent.selector, requestId));
        inbox.reclaimFee(requestId);
        vm.assertTrue(inbox.requestOf(requestId).status == RequestStatus.Delivered);
    }

    function test_reclaimFee_pending_reverts() external {
        bytes32 requestId = ask("hello");
        vm.warp(START + DEADLINE + 365 days);
        vm.expectRevert(abi.encodeWithSelector(IInbox.WrongStatus.selector, requestId, RequestStatus.Pending));
        inbox.reclaimFee(requestId);
    }
}
