// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Finality, IInbox, Request, RequestOptions} from "../../src/interfaces/IInbox.sol";
import {IInferenceConsumer} from "../../src/interfaces/IInferenceConsumer.sol";
import {IModelContract} from "../../src/interfaces/IModelContract.sol";
import {Suite} from "../base/Suite.sol";

/// @notice The greatest values that are taken, and the ones after them.
contract Inbox_Bounds is Suite {
    uint256 private constant LONGEST = 3650 days;

    function create(uint256 defaultDeadline) external returns (Deadlines) {
        return Deadlines(deploy("Inbox", abi.encode(registry, results, defaultDeadline)));
    }

    function test_constructor_deadline_reverts() external {
        bytes4 outOfRange = IInbox.DeadlineOutOfRange.selector;
        vm.expectRevert(abi.encodeWithSelector(outOfRange, 0, LONGEST));
        this.create(0);
        vm.expectRevert(abi.encodeWithSelector(outOfRange, LONGEST + 1, LONGEST));
        this.create(LONGEST + 1);
        vm.assertEq(this.create(1).DEFAULT_DEADLINE(), 1);
        vm.assertEq(this.create(LONGEST).DEFAULT_DEADLINE(), LONGEST);
    }

    function test_request_greatestOptions_succeeds() external {
        bytes32 requestId = ask("", RequestOptions(Finality.Final, 8_000_000, uint64(LONGEST), 0));
        Request memory made = inbox.requestOf(requestId);
        vm.assertEq(made.callbackGas, 8_000_000);
        vm.assertEq(made.deadline, START + LONGEST);
    }

    /// No model asks for so much; the contract keeps fees in 96 bits.
    function test_request_greatestFee_succeeds() external {
        uint256 most = type(uint96).max;
        RequestOptions memory options = RequestOptions(Finality.Final, 0, 0, 0);
        vm.deal(address(model), 3 * most);
        vm.prank(address(model));
        vm.assertEq(inbox.requestOf(inbox.request{value: most}(stranger, modelId, 0, "", options)).fee, most);
        vm.expectRevert(abi.encodeWithSelector(IInbox.FeeOutOfRange.selector, most + 1));
        vm.prank(address(model));
        inbox.request{value: most + 1}(stranger, modelId, 0, "", options);
    }

    /// The steps of each request's own model, in any order.
    function test_stepsOf_twoModels_succeeds() external {
        (, address other) =
            registry.register(headerOf("detect(bytes)->(bytes)", 1, 64, 1), "detect(bytes)->(bytes)", 0, "");
        bytes32[8] memory longer = headerOf("f(uint8)->(uint8)", 1, 1, 1);
        longer[5] = bytes32(uint256(1_000_000));
        (, address third) = registry.register(longer, "f(uint8)->(uint8)", 0, "");
        bytes32[] memory ids = new bytes32[](5);
        ids[0] = ask("a");
        ids[1] = ask("b");
        ids[2] = abi.decode(paid(third, abi.encodeWithSignature("f(uint8)", 1)), (bytes32));
        ids[3] = abi.decode(paid(other, abi.encodeWithSignature("detect(bytes)", "c")), (bytes32));
        ids[4] = ask("d");
        vm.assertEq(inbox.stepsOf(ids), 1_000_000 + 4 * stepCount());
        vm.assertEq(inbox.stepsOf(new bytes32[](0)), 0);
        vm.assertEq(inbox.stepsOf(one(ids[2])), 1_000_000);
        ids[3] = 0;
        vm.expectRevert(abi.encodeWithSelector(IInbox.UnknownRequest.selector, 0));
        inbox.stepsOf(ids);
    }

    function paid(address target, bytes memory data) private returns (bytes memory result) {
        uint256 fee = IModelContract(target).defaultFee();
        bool succeeded;
        (succeeded, result) = target.call{value: fee}(data);
        vm.assertTrue(succeeded);
    }

    /// One unit of gas below what a delivery needs, it says how much that is: 64/63 of the callback's, 20,000, and 16 a byte of the call.
    function test_deliver_leastGas_reverts() external {
        uint256 promised = 3_000_000;
        bytes32 requestId = askEarly("hello", uint32(promised));
        bytes32 assertionId = assertOutput(sponsor, requestId, rightOutput);
        bytes memory call = abi.encodeCall(IInbox.deliver, (requestId, assertionId, 0, new bytes32[](0), rightWords));
        bytes memory callback = abi.encodeCall(IInferenceConsumer.onInferenceResult, (requestId, abi.encode("eng")));
        uint256 required = promised * 64 / 63 + 20_000 + 16 * callback.length;
        (uint256 tooLittle, uint256 enough) = (promised, promised + 400_000);
        bytes memory why;
        while (enough - tooLittle > 1) {
            uint256 given = (tooLittle + enough) / 2;
            uint256 before = vm.snapshotState();
            (bool succeeded, bytes memory result) = address(inbox).call{gas: given}(call);
            vm.revertToState(before);
            if (succeeded) enough = given;
            else (tooLittle, why) = (given, result);
        }
        vm.assertEq(bytes32(why), bytes32(IInbox.InsufficientGas.selector));
        assembly ("memory-safe") {
            mstore(add(why, 4), sub(mload(why), 4))
            why := add(why, 4)
        }
        (uint256 left, uint256 needed) = abi.decode(why, (uint256, uint256));
        vm.assertEq(needed, required);
        vm.assertLt(left, required);
        // What it takes to say so is gone, too.
        vm.assertGt(left, required - 100);
    }
}

interface Deadlines {
    function DEFAULT_DEADLINE() external view returns (uint256);
}
