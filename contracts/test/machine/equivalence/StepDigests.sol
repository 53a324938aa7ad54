// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IOneStepVerifier} from "../../../src/interfaces/IOneStepVerifier.sol";
import {DrawnProof} from "./DrawnProof.sol";
import {DrawnProofLibrary} from "./DrawnProof.sol";
import {DrawnStep, DrawnStepLibrary} from "./DrawnStep.sol";
import {Draws, DrawsLibrary} from "./Draws.sol";

/// @title Digests of random steps
/// @notice Has a machine replay random steps and hashes what it answers; digests.ts does the same with the interpreter.
contract StepDigests {
    /// @dev Every so many cases, a spoilt proof is tried as well.
    uint256 private constant TAMPER_EVERY = 8;
    /// @dev In bytes: selector, state, offset and length.
    uint256 private constant CALL_HEAD = 100;

    IOneStepVerifier private immutable machine;

    /// @notice A spoilt proof was accepted.
    error TamperedProofAccepted(uint256 caseNumber);

    constructor(IOneStepVerifier machine_) {
        machine = machine_;
    }

    /// @notice The digest of `count` cases from number `first` on: each is hashed together with those before it.
    function digest(uint256 seed, uint256 first, uint256 count) external view returns (bytes32 result) {
        for (uint256 caseNumber = first; caseNumber < first + count; ++caseNumber) {
            uint256 mark;
            // Every case starts at the same place in memory, which would otherwise grow dear.
            assembly {
                mark := mload(0x40)
            }
            result = keccak256(abi.encode(result, outcome(seed, caseNumber)));
            assembly {
                mstore(0x40, mark)
            }
        }
    }

    /// @notice Hash of the state before, the proof, the state after, and how a spoilt proof is refused.
    function outcome(uint256 seed, uint256 caseNumber) public view returns (bytes32) {
        Draws memory draws = Draws({source: seed << 64 | caseNumber, drawn: 0});
        DrawnStep memory step = DrawnStepLibrary.draw(draws, caseNumber);
        DrawnProof memory proof = DrawnProofLibrary.build(step, draws);
        bytes32 proofHash = DrawnProofLibrary.hashOf(proof.words, 0, proof.count);
        (bool accepted, bytes32 postState) = send(proof.preState, proof.words, proof.count);
        bytes32 refusal;
        if (caseNumber % TAMPER_EVERY == 0) {
            tamper(draws, proof);
            bool wrong;
            (wrong, refusal) = send(proof.preState, proof.words, proof.count);
            require(!wrong, TamperedProofAccepted(caseNumber));
        }
        return keccak256(abi.encode(proof.preState, proofHash, accepted, postState, refusal));
    }

    /// @dev Flips a bit, drops the last word, or appends one.
    function tamper(Draws memory draws, DrawnProof memory proof) private pure {
        uint256 drawn = draws.word();
        uint256 kind = DrawsLibrary.number(drawn, 0) % 3;
        if (kind == 0) {
            uint256 bit = DrawsLibrary.number(drawn, 1) % (256 * proof.count);
            proof.words[bit / 256] ^= bytes32(1 << (bit % 256));
        } else if (kind == 1) {
            --proof.count;
        } else {
            proof.words[proof.count++] = DrawsLibrary.number(drawn, 1) % 2 == 0 ? bytes32(0) : bytes32(draws.word());
        }
    }

    /// @dev The state after the step; or false, and what the call reverted with, cut to a word.
    function send(bytes32 preState, bytes32[] memory words, uint256 count)
        private
        view
        returns (bool success, bytes32 result)
    {
        bytes4 selector = IOneStepVerifier.step.selector;
        address target = address(machine);
        assembly ("memory-safe") {
            let start := mload(0x40)
            mstore(start, selector)
            mstore(add(start, 4), preState)
            mstore(add(start, 36), 0x40)
            mstore(add(start, 68), shl(5, count))
            mcopy(add(start, CALL_HEAD), add(words, 0x20), shl(5, count))
            mstore(0x00, 0)
            success := staticcall(gas(), target, start, add(CALL_HEAD, shl(5, count)), 0x00, 0x20)
            result := mload(0x00)
        }
    }
}
