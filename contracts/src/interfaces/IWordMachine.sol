// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IOneStepVerifier} from "./IOneStepVerifier.sol";

/// @title The word machine
/// @notice Executes one instruction of an inference, and names the states at its ends; see docs/word-machine.md.
interface IWordMachine is IOneStepVerifier {
    /// @notice The proof ends before everything that the step needs.
    error ProofTruncated();
    /// @notice The proof holds more than what the step needs, or a fraction of a word.
    error ProofTooLong();
    /// @notice Header, input, seed and state words do not hash to the state before the step.
    error WrongPreState();
    /// @notice The state's words have unused bits set, or an unknown status.
    error MalformedState();
    /// @notice The descriptor is not the operator's.
    error WrongDescriptor();
    /// @notice The code word is not the operator's at the state's `pc`.
    error WrongCode();
    /// @notice The commitment is not what the slot holds.
    error WrongSlot();
    /// @notice Root and word count are not those of the tensor's commitment.
    error WrongTensor();
    /// @notice The word is not the tensor's at that index.
    error WrongWord();
    /// @notice The header is not the model's.
    error WrongModel();
    /// @notice The program is beyond the machine's limits: it has no finished state.
    error NoResult();

    /// @notice The state before the first step of an inference.
    /// @param modelId Hash of the program header.
    /// @param inputCommitment Commitment of the input tensor.
    /// @param seed The request's seed.
    function initialState(bytes32 modelId, bytes32 inputCommitment, bytes32 seed) external pure returns (bytes32);

    /// @notice Opens a state that may be an inference's last, and says what the result is in it.
    /// @param modelId Hash of the program header.
    /// @param inputCommitment Commitment of the input tensor.
    /// @param seed The request's seed.
    /// @param opening The status, a word. If it is 1, finished: the header's eight words, the root over the slots, the last slot's
    /// commitment, its path. Else words 1 to 10 of the state.
    /// @return stateHash The state.
    /// @return outputCommitment Commitment of the result, the tensor in the last slot; 0 if there is none.
    function finalState(bytes32 modelId, bytes32 inputCommitment, bytes32 seed, bytes calldata opening)
        external
        pure
        returns (bytes32 stateHash, bytes32 outputCommitment);
}
