// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IModelContract} from "../../src/interfaces/IModelContract.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {Suite} from "../base/Suite.sol";

contract ModelRegistry_Register is Suite {
    function test_register_facts_succeeds() external view {
        vm.assertEq(modelId, keccak256(abi.encode(headerOf(SIGNATURE, 1, COLUMNS, 1))));
        vm.assertEq(registry.modelIdOf(address(model)), modelId);
        vm.assertEq(registry.stepsOf(modelId), stepCount());
        vm.assertEq(registry.modelContract(modelId, address(this), MODEL_FEE), address(model));
        vm.assertEq(model.modelId(), modelId);
        vm.assertEq(model.signature(), SIGNATURE);
        vm.assertEq(model.fee(7), MODEL_FEE + 7 gwei);
        vm.assertEq(model.defaultFee(), MODEL_FEE + 300_000 gwei);
        (uint32 rows, uint32 columns, uint8 elementBytes) = model.inputShape();
        vm.assertTrue(rows == 1 && columns == COLUMNS && elementBytes == 1);
    }

    function test_register_event_succeeds() external {
        bytes32[8] memory header = headerOf(SIGNATURE, 1, COLUMNS, 1);
        vm.expectEmit(true, true, true, true, address(registry));
        emit IModelRegistry.ModelRegistered(
            modelId, address(this), address(model), header, SIGNATURE, MODEL_FEE, "https://elsewhere"
        );
        // Again by the same registrant: the same contract, another place where the files are.
        (bytes32 id, address again) = registry.register(header, SIGNATURE, MODEL_FEE, "https://elsewhere");
        vm.assertEq(id, modelId);
        vm.assertEq(again, address(model));
    }

    /// Invariants 1 and 2: being first gives nothing.
    function test_register_preempted_succeeds() external {
        bytes32[8] memory header = headerOf(SIGNATURE, 1, COLUMNS + 32, 1);
        vm.prank(stranger);
        (bytes32 id, address theirs) = registry.register(header, SIGNATURE, type(uint64).max, "");
        (bytes32 same, address ours) = registry.register(header, SIGNATURE, 5, "");
        vm.assertEq(id, same);
        vm.assertNotEq(theirs, ours);
        vm.assertEq(registry.modelIdOf(theirs), registry.modelIdOf(ours));
        vm.assertEq(IModelContract(ours).fee(0), 5);
        (, address cheaper) = registry.register(header, SIGNATURE, 4, "");
        vm.assertNotEq(cheaper, ours);
        vm.prank(stranger);
        (, address sameFee) = registry.register(header, SIGNATURE, 5, "");
        vm.assertNotEq(sameFee, ours);
    }

    function test_register_signatureMismatch_reverts() external {
        bytes32[8] memory header = headerOf(SIGNATURE, 1, COLUMNS, 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IModelRegistry.SignatureMismatch.selector, keccak256("detect(string)->(bytes)"), header[6]
            )
        );
        registry.register(header, "detect(string)->(bytes)", 0, "");
    }

    function test_register_header_reverts() external {
        bytes32[8] memory header = headerOf(SIGNATURE, 1, COLUMNS, 1);
        uint256[9] memory words = [uint256(0), 1, 1, 1, 1, 5, 5, 4, 4];
        uint256[9] memory values = [
            uint256(0),
            2 ** 128,
            2 ** 12 + 1,
            (2 ** 12 + 1) << 32,
            (2 ** 12 + 1) << 64,
            0,
            2 ** 48 + 1,
            2 ** 72,
            type(uint256).max
        ];
        for (uint256 i = 0; i < words.length; ++i) {
            bytes32 before = header[words[i]];
            header[words[i]] = bytes32(values[i]);
            vm.expectRevert(abi.encodeWithSelector(IModelRegistry.InvalidHeader.selector, words[i]));
            registry.register(header, SIGNATURE, 0, "");
            header[words[i]] = before;
        }
        registry.register(header, SIGNATURE, 0, "");
    }

    function refuses(string memory signature, uint256 rows, uint256 columns, uint256 elementBytes) private {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.InputShapeMismatch.selector, rows, columns, elementBytes));
        registry.register(headerOf(signature, rows, columns, elementBytes), signature, 0, "");
    }

    function test_register_shape_reverts() external {
        refuses("f(string)->(string)", 2, 64, 1);
        refuses("f(string)->(string)", 1, 0, 1);
        refuses("f(string)->(string)", 1, 64, 4);
        refuses("f(string)->(string)", 1, 64, 255);
        refuses("f(uint8[784])->(int32)", 28, 27, 1);
        refuses("f(uint8[784])->(int32)", 28, 28, 4);
        refuses("f(int32[8])->(int32)", 1, 8, 1);
        refuses("f(uint8)->(int32)", 1, 2, 1);
        refuses("f(int32[])->(int32[])", 2, 8, 4);
        refuses("f(int32[])->(int32[])", 1, 8, 1);
        registry.register(headerOf("f(int32[])->(int32[])", 1, 8, 4), "f(int32[])->(int32[])", 0, "");
        registry.register(headerOf("f(uint8[784])->(int32)", 28, 28, 1), "f(uint8[784])->(int32)", 0, "");
        registry.register(headerOf("f(int32[6])->(int32)", 2, 3, 4), "f(int32[6])->(int32)", 0, "");
    }

    function test_register_inputTooLarge_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.InputTooLarge.selector, 2 ** 16 + 1, 2 ** 16));
        registry.register(headerOf(SIGNATURE, 1, 2 ** 21 + 1, 1), SIGNATURE, 0, "");
        registry.register(headerOf(SIGNATURE, 1, 2 ** 21, 1), SIGNATURE, 0, "");
        string memory numbers = "f(int32[524289])->(int8)";
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.InputTooLarge.selector, 2 ** 16 + 1, 2 ** 16));
        registry.register(headerOf(numbers, 1, 2 ** 19 + 1, 4), numbers, 0, "");
        numbers = "f(int32[524288])->(int8)";
        registry.register(headerOf(numbers, 1, 2 ** 19, 4), numbers, 0, "");
    }

    function test_register_feeTooHigh_reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.FeeTooHigh.selector, 2 ** 64));
        registry.register(headerOf(SIGNATURE, 1, COLUMNS, 1), SIGNATURE, 2 ** 64, "");
    }

    function test_register_leastHeader_succeeds() external {
        bytes32[8] memory header = headerOf(SIGNATURE, 1, 1, 1);
        header[1] = 0;
        header[5] = bytes32(uint256(1));
        (bytes32 id,) = registry.register(header, SIGNATURE, 0, "");
        vm.assertEq(registry.stepsOf(id), 1);
    }

    function test_register_greatestHeader_succeeds() external {
        bytes32[8] memory header = headerOf(SIGNATURE, 1, COLUMNS, 1);
        header[1] = bytes32(uint256(type(uint32).max) << 96 | 2 ** 12 << 64 | 2 ** 12 << 32 | 2 ** 12);
        header[5] = bytes32(uint256(2 ** 48));
        (bytes32 id,) = registry.register(header, SIGNATURE, 0, "");
        vm.assertEq(registry.stepsOf(id), 2 ** 48);
    }

    /// What the contract's own functions hide could never be called: by name, and by a name found by trying 300 million.
    function test_register_selectorTaken_reverts() external {
        string memory own = "decodeOutput(bytes)->(bytes)";
        vm.expectRevert(
            abi.encodeWithSelector(IModelRegistry.SelectorTaken.selector, bytes4(keccak256("decodeOutput(bytes)")))
        );
        registry.register(headerOf(own, 1, 8, 1), own, 0, "");
        string memory found = "f292024704(uint8)->(uint8)";
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.SelectorTaken.selector, bytes4(keccak256("modelId()"))));
        registry.register(headerOf(found, 1, 1, 1), found, 0, "");
    }

    function test_isReserved_ownFunctions_succeeds() external view {
        string[11] memory own = [
            "modelId()",
            "signature()",
            "fee(uint32)",
            "defaultFee()",
            "inputShape()",
            "inputCommitmentOf(bytes)",
            "decodeOutput(bytes)",
            "isReserved(bytes4)",
            "DEFAULT_CALLBACK_GAS()",
            "INBOX()",
            "CALLBACK_GAS_PRICE()"
        ];
        Reserving code = Reserving(implementation);
        for (uint256 i = 0; i < own.length; ++i) {
            vm.assertTrue(code.isReserved(bytes4(keccak256(bytes(own[i])))), own[i]);
        }
        vm.assertFalse(code.isReserved(bytes4(keccak256("detect(string)"))));
    }
}

interface Reserving {
    function isReserved(bytes4 selector) external view returns (bool);
}
