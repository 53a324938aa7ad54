// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Finality, IInbox, Request, RequestOptions, RequestStatus} from "../../src/interfaces/IInbox.sol";
import {IModelContract} from "../../src/interfaces/IModelContract.sol";
import {Detector, Suite} from "../base/Suite.sol";

contract Inbox_Request is Suite {
    function test_request_stored_succeeds() external {
        bytes32 requestId = ask("hello", RequestOptions(Finality.Asserted, 12_345, 99, keccak256("seed")));
        Request memory made = inbox.requestOf(requestId);
        vm.assertEq(made.model, address(model));
        vm.assertEq(made.deadline, START + 99);
        vm.assertEq(made.callbackGas, 12_345);
        vm.assertTrue(made.finality == Finality.Asserted);
        vm.assertTrue(made.status == RequestStatus.Pending);
        vm.assertEq(made.requester, address(consumer));
        vm.assertEq(made.fee, MODEL_FEE + 12_345 gwei);
        vm.assertEq(made.seed, keccak256("seed"));
        vm.assertEq(address(inbox).balance, made.fee);
        vm.assertEq(inbox.count(), 1);
        (bytes32 id, bytes32 input, bytes32 seed) = inbox.facts(requestId);
        vm.assertEq(id, modelId);
        vm.assertEq(seed, keccak256("seed"));
        // 64 columns are two words: "hello" and a zero word.
        bytes32 root = keccak256(abi.encode(bytes32("hello"), bytes32(0)));
        vm.assertEq(input, keccak256(abi.encode(keccak256("assay.tensor.v1"), root, 2)));
        vm.assertEq(model.inputCommitmentOf(abi.encode("hello")), input);
    }

    function test_request_event_succeeds() external {
        bytes32 input = model.inputCommitmentOf(abi.encode("hello"));
        uint256 fee = model.defaultFee();
        RequestOptions memory defaults = RequestOptions(Finality.Final, 300_000, 0, 0);
        bytes32 expected = keccak256(
            abi.encode(
                block.chainid, address(inbox), 0, address(model), stranger, input, defaults, START + DEADLINE, fee
            )
        );
        vm.expectEmit(true, true, true, true, address(inbox));
        emit IInbox.Requested(
            expected,
            modelId,
            stranger,
            0,
            address(model),
            "hello",
            input,
            0,
            Finality.Final,
            300_000,
            START + DEADLINE,
            fee
        );
        vm.prank(stranger);
        vm.assertEq(Detector(address(model)).detect{value: fee}("hello"), expected);
    }

    function test_request_sameAgain_succeeds() external {
        vm.assertNotEq(ask("hello"), ask("hello"));
        vm.assertEq(inbox.count(), 2);
    }

    function test_request_notAModelContract_reverts() external {
        RequestOptions memory options = RequestOptions(Finality.Final, 0, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IInbox.NotAModelContract.selector, stranger));
        vm.prank(stranger);
        inbox.request(stranger, modelId, 0, "", options);
        // Not even for "no model", which is what the registry says of strangers.
        vm.expectRevert(abi.encodeWithSelector(IInbox.NotAModelContract.selector, stranger));
        vm.prank(stranger);
        inbox.request(stranger, 0, 0, "", options);
        // And no model contract asks for another model.
        vm.expectRevert(abi.encodeWithSelector(IInbox.NotAModelContract.selector, address(model)));
        vm.prank(address(model));
        inbox.request(stranger, keccak256("other"), 0, "", options);
    }

    function test_request_optionsOutOfRange_reverts() external {
        uint256 gas_ = 8_000_001;
        uint256 most = 3650 days;
        vm.deal(stranger, 10 ether);
        uint256 fee = model.fee(uint32(gas_));
        vm.expectRevert(abi.encodeWithSelector(IInbox.CallbackGasTooHigh.selector, gas_, gas_ - 1));
        Detector(address(model)).detect{value: fee}("", RequestOptions(Finality.Final, uint32(gas_), 0, 0));
        vm.expectRevert(abi.encodeWithSelector(IInbox.DeadlineOutOfRange.selector, most + 1, most));
        Detector(address(model)).detect{value: MODEL_FEE}("", RequestOptions(Finality.Final, 0, uint64(most + 1), 0));
        vm.assertEq(address(inbox).balance, 0);
    }

    function test_request_wrongFee_reverts(uint256 value) external {
        uint256 fee = model.defaultFee();
        value = bound(value, 0, 1 ether);
        vm.assume(value != fee);
        vm.expectRevert(abi.encodeWithSelector(IModelContract.WrongFee.selector, value, fee));
        Detector(address(model)).detect{value: value}("hello");
    }
}
