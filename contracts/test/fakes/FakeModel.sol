// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IInbox, RequestOptions} from "../../src/interfaces/IInbox.sol";

/// @notice A fake: one model, the contract that it is called by, and the registry that knows it.
contract FakeModel {
    bytes32 private constant MODEL_ID = keccak256("fake model");

    uint64 private immutable STEPS;

    constructor(uint64 steps) {
        STEPS = steps;
    }

    /// @notice Asks for an inference, for the caller, with the value sent as fee.
    function ask(IInbox inbox, RequestOptions calldata options) external payable returns (bytes32 requestId) {
        return inbox.request{value: msg.value}(msg.sender, MODEL_ID, bytes32(0), "", options);
    }

    function modelIdOf(address model) external view returns (bytes32) {
        return model == address(this) ? MODEL_ID : bytes32(0);
    }

    function stepsOf(bytes32 modelId) external view returns (uint64) {
        return modelId == MODEL_ID ? STEPS : 0;
    }

    function decodeOutput(bytes calldata words) external pure returns (bytes memory) {
        return words;
    }
}
