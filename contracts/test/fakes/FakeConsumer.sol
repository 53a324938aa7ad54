// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IInferenceConsumer} from "../../src/interfaces/IInferenceConsumer.sol";

/// @notice A fake dApp that takes its callbacks in several ways, most of them hostile.
contract FakeConsumer is IInferenceConsumer {
    enum Mode {
        Take,
        Revert,
        BurnGas,
        ReturnBomb,
        CallBack
    }

    Mode private mode;
    address private target;
    bytes private data;

    uint256 public calls;
    bytes32 public lastRequest;
    bytes public lastResult;
    address public lastCaller;
    /// @notice Gas that the callback began with.
    uint256 public gasGiven;
    /// @notice True if the call made from within the callback succeeded.
    bool public reentered;

    error Hostile();

    receive() external payable {}

    function setMode(Mode mode_) external {
        mode = mode_;
    }

    function setCall(address target_, bytes calldata data_) external {
        (mode, target, data) = (Mode.CallBack, target_, data_);
    }

    /// @notice Asks a model; `call` is the encoded call of its function.
    function ask(address model, bytes calldata call) external payable returns (bytes32 requestId) {
        (bool succeeded, bytes memory result) = model.call{value: msg.value}(call);
        if (!succeeded) {
            assembly ("memory-safe") {
                revert(add(result, 0x20), mload(result))
            }
        }
        requestId = abi.decode(result, (bytes32));
    }

    function onInferenceResult(bytes32 requestId, bytes calldata result) external {
        uint256 given = gasleft();
        if (mode == Mode.Revert) revert Hostile();
        if (mode == Mode.BurnGas) {
            while (true) {}
        }
        if (mode == Mode.ReturnBomb) {
            assembly ("memory-safe") {
                return(0, 100000)
            }
        }
        if (mode == Mode.CallBack) {
            (bool succeeded,) = target.call(data);
            reentered = succeeded;
        }
        calls += 1;
        (lastRequest, lastResult, lastCaller, gasGiven) = (requestId, result, msg.sender, given);
    }
}
