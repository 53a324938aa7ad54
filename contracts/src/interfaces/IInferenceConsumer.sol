// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @notice What a dApp implements to be called back.
interface IInferenceConsumer {
    /// @notice Called once by the inbox, with the gas that the request named. Check `msg.sender`, and that the request is yours.
    /// What happens here cannot stop the delivery: if it reverts, the result is in the inbox's log only.
    /// @param result the value, ABI encoded by itself: `abi.decode(result, (string))`.
    function onInferenceResult(bytes32 requestId, bytes calldata result) external;
}
