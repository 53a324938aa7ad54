// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IWordMachine} from "../interfaces/IWordMachine.sol";
import {Reader} from "./ProofReader.sol";

/// @notice A state of the machine: eleven words in memory, in the order in which they are hashed.
struct MachineState {
    bytes32 context;
    /// @dev `A`: root of the tree over the slots' commitments.
    bytes32 slotsRoot;
    /// @dev Bits [0,32) slot, [32,64) word, [64,80) pc, [80,208) four counters of 32 bits, [208,216) status.
    uint256 position;
    /// @dev Sixteen scalar registers, four a word, the first in the most significant bits.
    uint256 scalars0;
    uint256 scalars1;
    uint256 scalars2;
    uint256 scalars3;
    bytes32 vector0;
    bytes32 vector1;
    bytes32 vector2;
    bytes32 vector3;
}

using StateEncoding for MachineState global;

/// @title The state's encoding
/// @notice docs/word-machine.md, "State".
library StateEncoding {
    uint256 internal constant STATE_WORDS = 11;
    bytes32 internal constant MACHINE_TAG = keccak256("assay.machine.v1");

    uint256 internal constant RUNNING = 0;
    uint256 internal constant FINISHED = 1;
    uint256 internal constant FAILED = 2;

    uint256 private constant WORD_SHIFT = 32;
    uint256 private constant PC_SHIFT = 64;
    uint256 private constant COUNTER_SHIFT = 80;
    uint256 private constant STATUS_SHIFT = 208;
    uint256 private constant PC_MASK = 0xffff;
    uint256 private constant MASK32 = 0xffffffff;

    /// @notice What binds the machine's version, the model, the input and the seed.
    function contextOf(bytes32 modelId, bytes32 inputCommitment, bytes32 seed) internal pure returns (bytes32) {
        return keccak256(abi.encode(MACHINE_TAG, modelId, inputCommitment, seed));
    }

    /// @notice Reads words 1 to 10 of a state.
    function read(Reader memory reader, bytes32 context) internal pure returns (MachineState memory state) {
        uint256 offset = reader.skip(STATE_WORDS - 1);
        state.context = context;
        assembly ("memory-safe") {
            calldatacopy(add(state, 0x20), offset, 0x140)
        }
    }

    /// @notice The number that names the state: the hash's low 248 bits, so that it is a field element of a blob too (EIP-4844).
    function hash(MachineState memory state) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            result := shr(8, shl(8, keccak256(state, 0x160)))
        }
    }

    /// @notice Reverts when the position's unused bits are set, or the status is unknown.
    function requireWellFormed(MachineState memory state) internal pure {
        require(state.position >> STATUS_SHIFT <= FAILED, IWordMachine.MalformedState());
    }

    function status(MachineState memory state) internal pure returns (uint256) {
        return state.position >> STATUS_SHIFT;
    }

    function slot(MachineState memory state) internal pure returns (uint256) {
        return state.position & MASK32;
    }

    function word(MachineState memory state) internal pure returns (uint256) {
        return (state.position >> WORD_SHIFT) & MASK32;
    }

    function pc(MachineState memory state) internal pure returns (uint256) {
        return (state.position >> PC_SHIFT) & PC_MASK;
    }

    /// @notice Replaces `pc`, which is below 2^16.
    function setPc(MachineState memory state, uint256 value) internal pure {
        state.position = (state.position & ~(PC_MASK << PC_SHIFT)) | (value << PC_SHIFT);
    }

    /// @notice Loop counter `index`, 0 to 3.
    function counter(MachineState memory state, uint256 index) internal pure returns (uint256) {
        return (state.position >> (COUNTER_SHIFT + 32 * index)) & MASK32;
    }

    /// @notice Replaces loop counter `index`; the value is taken modulo 2^32.
    function setCounter(MachineState memory state, uint256 index, uint256 value) internal pure {
        uint256 shift = COUNTER_SHIFT + 32 * index;
        state.position = (state.position & ~(MASK32 << shift)) | ((value & MASK32) << shift);
    }

    /// @notice Scalar register `index`, 0 to 15.
    function scalar(MachineState memory state, uint256 index) internal pure returns (int256 value) {
        assembly ("memory-safe") {
            let packed := mload(add(add(state, 0x60), shl(5, shr(2, index))))
            // Register index mod 4 stands in bits [192 - 64 (index mod 4), 256 - 64 (index mod 4)).
            value := signextend(7, shr(sub(192, shl(6, and(index, 3))), packed))
        }
    }

    /// @notice Replaces scalar register `index`, 0 to 15, by the value's low 64 bits.
    function setScalar(MachineState memory state, uint256 index, int256 value) internal pure {
        assembly ("memory-safe") {
            let place := add(add(state, 0x60), shl(5, shr(2, index)))
            let shift := sub(192, shl(6, and(index, 3)))
            let others := and(mload(place), not(shl(shift, 0xffffffffffffffff)))
            mstore(place, or(others, shl(shift, and(value, 0xffffffffffffffff))))
        }
    }

    /// @notice Vector register `index`, 0 to 3.
    function vector(MachineState memory state, uint256 index) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := mload(add(add(state, 0xe0), shl(5, index)))
        }
    }

    /// @notice Replaces vector register `index`, 0 to 3.
    function setVector(MachineState memory state, uint256 index, bytes32 value) internal pure {
        assembly ("memory-safe") {
            mstore(add(add(state, 0xe0), shl(5, index)), value)
        }
    }

    /// @notice Goes to the start of a word: registers, counters and `pc` are zero.
    function startWord(MachineState memory state, uint256 slot_, uint256 word_) internal pure {
        state.clear();
        state.position = slot_ | (word_ << WORD_SHIFT);
    }

    /// @notice Ends with what the slots hold.
    function finish(MachineState memory state) internal pure {
        state.clear();
        state.position = FINISHED << STATUS_SHIFT;
    }

    /// @notice Ends without a result.
    function fail(MachineState memory state) internal pure {
        state.clear();
        state.slotsRoot = 0;
        state.position = FAILED << STATUS_SHIFT;
    }

    /// @dev Zeroes everything but the context and the slots.
    function clear(MachineState memory state) internal pure {
        assembly ("memory-safe") {
            // Reading past the end of calldata gives zeros.
            calldatacopy(add(state, 0x40), calldatasize(), 0x120)
        }
    }
}
