// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @notice All that the dissection game knows of a machine.
interface IOneStepVerifier {
    /// @notice The state after one step. Total: every provable state has exactly one successor, a halted one itself.
    /// @param preState hash of the state before the step.
    /// @param proof what the step reads, opened against `preState`; the verifier reverts if it is malformed.
    /// @return postState hash of the state after it.
    function step(bytes32 preState, bytes calldata proof) external view returns (bytes32 postState);
}
