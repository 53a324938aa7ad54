// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {GameTerms} from "../../src/interfaces/IDissectionGame.sol";
import {Finality, IInbox, RequestOptions, RequestStatus} from "../../src/interfaces/IInbox.sol";
import {IResultAssertions} from "../../src/interfaces/IResultAssertions.sol";
import {Detector, Suite} from "../base/Suite.sol";
import {FakeConsumer} from "../fakes/FakeConsumer.sol";

contract Inbox_Deliver is Suite {
    bytes private answer = abi.encode("eng");

    function deliver(bytes32 requestId, bytes32 assertionId) private {
        vm.prank(stranger);
        inbox.deliver(requestId, assertionId, 0, new bytes32[](0), rightWords);
    }

    function assertStatus(bytes32 requestId, RequestStatus expected) private view {
        vm.assertEq(uint256(inbox.requestOf(requestId).status), uint256(expected));
    }

    function test_deliver_final_succeeds() external {
        bytes32 requestId = ask("hello");
        bytes32 assertionId = finalAssertion(requestId);
        vm.expectEmit(true, true, true, true, address(inbox));
        emit IInbox.Delivered(requestId, assertionId, answer, true);
        deliver(requestId, assertionId);
        assertStatus(requestId, RequestStatus.Delivered);
        vm.assertEq(consumer.calls(), 1);
        vm.assertEq(consumer.lastRequest(), requestId);
        vm.assertEq(consumer.lastResult(), answer);
        vm.assertEq(consumer.lastCaller(), address(inbox));
    }

    function test_deliver_finality_reverts() external {
        bytes32 late = ask("hello");
        bytes32 early = askEarly("hello", 200_000);
        bytes32 forLate = assertOutput(sponsor, late, rightOutput);
        bytes32 forEarly = assertOutput(sponsor, early, rightOutput);
        vm.expectRevert(abi.encodeWithSelector(IInbox.AssertionNotFinal.selector, forLate));
        deliver(late, forLate);
        deliver(early, forEarly);
        vm.warp(START + WINDOW - 1);
        vm.expectRevert(abi.encodeWithSelector(IInbox.AssertionNotFinal.selector, forLate));
        deliver(late, forLate);
        vm.warp(START + WINDOW);
        deliver(late, forLate);
        vm.assertEq(consumer.calls(), 2);
    }

    function test_deliver_twice_reverts() external {
        bytes32 requestId = askEarly("hello", 200_000);
        bytes32 first = assertOutput(sponsor, requestId, rightOutput);
        bytes32 second = assertOutput(stranger, requestId, rightOutput);
        deliver(requestId, first);
        vm.expectRevert(abi.encodeWithSelector(IInbox.WrongStatus.selector, requestId, RequestStatus.Delivered));
        deliver(requestId, first);
        vm.expectRevert(abi.encodeWithSelector(IInbox.WrongStatus.selector, requestId, RequestStatus.Delivered));
        deliver(requestId, second);
        vm.assertEq(consumer.calls(), 1);
    }

    function test_deliver_defeated_reverts() external {
        bytes32 requestId = askEarly("hello", 200_000);
        (bytes32 assertionId, GameTerms memory terms) = lostGame(requestId);
        settle(terms, assertionId, requestId, wrongOutput);
        vm.expectRevert(abi.encodeWithSelector(IInbox.AssertionDefeated.selector, assertionId));
        inbox.deliver(requestId, assertionId, 0, new bytes32[](0), wrongWords);
    }

    function test_deliver_wrongWords_reverts(bytes32 word) external {
        vm.assume(word != bytes32("eng"));
        bytes32 requestId = askEarly("hello", 200_000);
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.NotAnEntry.selector, assertionId, 0));
        inbox.deliver(requestId, assertionId, 0, new bytes32[](0), abi.encode(word));
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.NotAnEntry.selector, assertionId, 0));
        inbox.deliver(requestId, assertionId, 0, new bytes32[](0), abi.encode(bytes32("eng"), bytes32(0)));
        vm.expectRevert(abi.encodeWithSignature("FractionOfWord(uint256)", 33));
        inbox.deliver(requestId, assertionId, 0, new bytes32[](0), abi.encodePacked(rightWords, uint8(0)));
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.NotAnEntry.selector, assertionId, 0));
        inbox.deliver(requestId, assertionId, 0, new bytes32[](0), "");
    }

    function test_deliver_unknown_reverts() external {
        bytes32 requestId = ask("hello");
        bytes32 unknown = keccak256("unknown");
        vm.expectRevert(abi.encodeWithSelector(IInbox.UnknownRequest.selector, unknown));
        deliver(unknown, 0);
        vm.expectRevert(abi.encodeWithSelector(IResultAssertions.UnknownAssertion.selector, unknown));
        deliver(requestId, unknown);
    }

    function test_deliver_atTheDeadline_reverts() external {
        bytes32 requestId = askEarly("hello", 200_000);
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        uint256 before = vm.snapshotState();
        vm.warp(START + DEADLINE - 1);
        vm.expectRevert(abi.encodeWithSelector(IInbox.DeadlineNotReached.selector, requestId, START + DEADLINE));
        inbox.refund(requestId);
        deliver(requestId, assertionId);
        vm.revertToState(before);
        vm.warp(START + DEADLINE);
        vm.expectRevert(abi.encodeWithSelector(IInbox.DeadlinePassed.selector, requestId, START + DEADLINE));
        deliver(requestId, assertionId);
        inbox.refund(requestId);
        assertStatus(requestId, RequestStatus.Refunded);
    }

    function test_deliver_toAnAccountWithoutCode_succeeds() external {
        uint256 fee = model.fee(50_000);
        vm.prank(stranger);
        bytes32 requestId =
            Detector(address(model)).detect{value: fee}("hello", RequestOptions(Finality.Asserted, 50_000, 0, 0));
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        vm.expectEmit(true, true, true, true, address(inbox));
        emit IInbox.Delivered(requestId, assertionId, answer, false);
        deliver(requestId, assertionId);
    }

    function test_deliver_noCallback_succeeds() external {
        bytes32 requestId = askEarly("hello", 0);
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        deliver(requestId, assertionId);
        vm.assertEq(consumer.calls(), 0);
    }

    /// Invariant 4: reverting, gas-eating and return-bombing callbacks harm only their owner.
    function test_deliver_hostileCallback_succeeds(uint8 mode) external {
        mode = 1 + mode % 3;
        bytes32 requestId = askEarly("hello", 100_000);
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        consumer.setMode(FakeConsumer.Mode(mode));
        vm.expectEmit(true, true, true, true, address(inbox));
        emit IInbox.Delivered(requestId, assertionId, answer, mode == uint8(FakeConsumer.Mode.ReturnBomb));
        uint256 before = gasleft();
        deliver(requestId, assertionId);
        vm.assertLt(before - gasleft(), 100_000 + 150_000, "no more gas than it asked for");
        assertStatus(requestId, RequestStatus.Delivered);
        vm.assertEq(consumer.calls(), 0);
    }

    function test_deliver_reentering_succeeds() external {
        bytes32 requestId = askEarly("hello", 400_000);
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        consumer.setCall(
            address(inbox), abi.encodeCall(IInbox.deliver, (requestId, assertionId, 0, new bytes32[](0), rightWords))
        );
        deliver(requestId, assertionId);
        vm.assertFalse(consumer.reentered(), "a request is delivered once");
        vm.assertEq(consumer.calls(), 1);
        // Asking again from within the callback is fine.
        bytes32 second = askEarly("hello", 600_000);
        assertionId = assertOutput(sponsor, second, rightOutput);
        consumer.setCall(
            address(consumer), abi.encodeCall(FakeConsumer.ask, (address(model), abi.encodeCall(Model.fee, 1)))
        );
        deliver(second, assertionId);
        vm.assertTrue(consumer.reentered());
    }

    /// Invariant 4: the callback gets exactly what it asked for, or the delivery reverts, whatever gas the deliverer sends.
    function test_deliver_anyGas_succeeds(uint256 given) external {
        uint32 promised = 300_000;
        bytes32 requestId = askEarly("hello", promised);
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        given = bound(given, 300_000, 480_000);
        bytes memory call = abi.encodeCall(IInbox.deliver, (requestId, assertionId, 0, new bytes32[](0), rightWords));
        (bool succeeded,) = address(inbox).call{gas: given}(call);
        vm.assertEq(consumer.calls(), succeeded ? 1 : 0);
        assertStatus(requestId, succeeded ? RequestStatus.Delivered : RequestStatus.Pending);
        if (succeeded) {
            vm.assertLe(consumer.gasGiven(), promised);
            // What it takes to get from the call to the first line.
            vm.assertGt(consumer.gasGiven(), promised - 1000);
        }
    }

    /// With the least gas with which a delivery succeeds, the callback still gets all of its own, and the rest suffices for the log.
    function test_deliver_leastGas_succeeds() external {
        uint32 promised = 3_000_000;
        bytes32 requestId = askEarly("hello", promised);
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        bytes memory call = abi.encodeCall(IInbox.deliver, (requestId, assertionId, 0, new bytes32[](0), rightWords));
        (uint256 tooLittle, uint256 enough) = (promised, uint256(promised) + 400_000);
        while (enough - tooLittle > 1) {
            uint256 given = (tooLittle + enough) / 2;
            uint256 before = vm.snapshotState();
            (bool succeeded,) = address(inbox).call{gas: given}(call);
            vm.revertToState(before);
            if (succeeded) enough = given;
            else tooLittle = given;
        }
        (bool delivered,) = address(inbox).call{gas: enough}(call);
        vm.assertTrue(delivered);
        vm.assertEq(consumer.calls(), 1);
        vm.assertGt(consumer.gasGiven(), promised - 1000);
    }

    function test_deliver_outOfGas_reverts() external {
        bytes32 requestId = askEarly("hello", 300_000);
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        bytes memory call = abi.encodeCall(IInbox.deliver, (requestId, assertionId, 0, new bytes32[](0), rightWords));
        (bool succeeded, bytes memory why) = address(inbox).call{gas: 320_000}(call);
        vm.assertFalse(succeeded);
        vm.assertEq(bytes32(why), bytes32(IInbox.InsufficientGas.selector));
    }
}

interface Model {
    function fee(uint32 callbackGas) external view returns (uint256);
}
