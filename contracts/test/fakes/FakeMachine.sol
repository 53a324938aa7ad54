// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IWordMachine} from "../../src/interfaces/IWordMachine.sol";

/// @dev The low 248 bits: what states are made of.
function as248Bits(bytes32 hash) pure returns (bytes32) {
    return bytes32(uint256(hash) & type(uint248).max);
}

/// @dev The state that holds this output, 0 for none.
function finishedState(bytes32 context, bytes32 outputCommitment) pure returns (bytes32) {
    return as248Bits(keccak256(abi.encode("finished", context, outputCommitment)));
}

/// @dev The state after `i` steps of a machine that finishes after `steps`.
function countedState(bytes32 context, uint256 i, uint256 steps, bytes32 output) pure returns (bytes32) {
    return i < steps ? as248Bits(keccak256(abi.encode(context, i))) : finishedState(context, output);
}

/// @notice A fake: a machine that counts. State i of an inference is keccak256(context, i), so that a test can name any state of
/// the longest inference at once; state `steps` (at least 1) is finished and holds the one output that the machine knows.
contract FakeMachine is IWordMachine {
    error WrongProof();

    uint256 private immutable STEPS;
    bytes32 private immutable OUTPUT;

    constructor(uint256 steps, bytes32 outputCommitment) {
        STEPS = steps;
        OUTPUT = outputCommitment;
    }

    /// @notice The state after `i` steps.
    function stateAt(bytes32 context, uint256 i) external view returns (bytes32) {
        return stateOf(context, i);
    }

    /// @notice `proof` is the context and the number of the state.
    function step(bytes32 preState, bytes calldata proof) external view returns (bytes32) {
        require(proof.length == 64, WrongProof());
        (bytes32 context, uint256 i) = abi.decode(proof, (bytes32, uint256));
        require(stateOf(context, i) == preState, WrongProof());
        return stateOf(context, i + 1);
    }

    function contextOf(bytes32 modelId, bytes32 inputCommitment, bytes32 seed) public pure returns (bytes32) {
        return keccak256(abi.encode(modelId, inputCommitment, seed));
    }

    function initialState(bytes32 modelId, bytes32 inputCommitment, bytes32 seed) external pure returns (bytes32) {
        return as248Bits(keccak256(abi.encode(contextOf(modelId, inputCommitment, seed), 0)));
    }

    /// @notice `opening` is the output's commitment, 0 for a run that ended without one.
    function finalState(bytes32 modelId, bytes32 inputCommitment, bytes32 seed, bytes calldata opening)
        external
        pure
        returns (bytes32 stateHash, bytes32 outputCommitment)
    {
        outputCommitment = abi.decode(opening, (bytes32));
        stateHash = finished(contextOf(modelId, inputCommitment, seed), outputCommitment);
    }

    function finished(bytes32 context, bytes32 outputCommitment) public pure returns (bytes32) {
        return finishedState(context, outputCommitment);
    }

    function stateOf(bytes32 context, uint256 i) private view returns (bytes32) {
        return countedState(context, i, STEPS, OUTPUT);
    }
}
