// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {WordMachine} from "../../src/machine/WordMachine.sol";
import {Test} from "../base/Test.sol";

/// @notice Receipt gas of whole steps, with proofs that are built here from the specification alone.
contract WordMachineGasTest is Test {
    uint256 private constant OPERATORS_DEPTH = 10;
    uint256 private constant CODE_LENGTH = 47;
    uint256 private constant CODE_DEPTH = 4;
    uint256 private constant PC = 5;
    uint256 private constant OPERANDS = 3;
    uint256 private constant ZERO_SOURCE = 31;

    WordMachine private machine;
    bytes32[] private proof;
    uint256 private drawn;

    function setUp() public {
        machine = new WordMachine();
    }

    function test_step_load_benchmark() public {
        uint256[3] memory depths = [uint256(20), 25, 28];
        for (uint256 index = 0; index < depths.length; ++index) {
            (bytes32 preState, bytes32 postState) = buildLoad(depths[index]);
            vm.assertEq(send(preState), postState);
            vm.snapshotGasLastCall(
                "WordMachine", string.concat("step, load, two paths of depth ", vm.toString(depths[index]))
            );
        }
    }

    function test_step_store_benchmark() public {
        uint256[3] memory depths = [uint256(20), 25, 28];
        for (uint256 index = 0; index < depths.length; ++index) {
            (bytes32 preState, bytes32 postState) = buildStore(depths[index]);
            vm.assertEq(send(preState), postState);
            vm.snapshotGasLastCall(
                "WordMachine", string.concat("step, store, two paths of depth ", vm.toString(depths[index]))
            );
        }
    }

    function test_step_arithmetic_benchmark() public {
        bytes32[11] memory state = begin(20, encode(0x13, 2, 2, 3, 31 << 8 | 24), bytes32(uint256(1)), 0);
        bytes32 preState = end(state);
        // requantize(r2, r3, 31), of the numbers that `begin` puts there.
        state[3] = bytes32((uint256(state[3]) & ~(uint256(type(uint64).max) << 64)) | (uint256(500) << 64));
        state[2] = bytes32(uint256(state[2]) + (1 << 64));
        vm.assertEq(send(preState), numberOf(state));
        vm.snapshotGasLastCall("WordMachine", "step, requantize");
    }

    /// @dev Sends the step as a transaction; a call to a pure function would be a static one, which has no receipt.
    function send(bytes32 preState) private returns (bytes32) {
        (bool success, bytes memory result) =
            address(machine).call(abi.encodeCall(machine.step, (preState, abi.encodePacked(proof))));
        vm.assertTrue(success);
        return abi.decode(result, (bytes32));
    }

    /// @dev LOADWORD v0 of word 6 of what operator 0 wrote in iteration 0: slot 0, of 2^depth slots, of 2^depth words.
    function buildLoad(uint256 depth) private returns (bytes32 preState, bytes32 postState) {
        delete proof;
        bytes32 word = draw();
        bytes32[] memory wordPath = drawPath(depth);
        bytes32[] memory slotPath = drawPath(depth);
        bytes32 tensorRoot = fold(word, 6, wordPath);
        bytes32 commitment = commit(tensorRoot, 2 ** depth);
        bytes32[11] memory state = begin(depth, encode(0x16, 0, 1, ZERO_SOURCE, 0), fold(commitment, 0, slotPath), 0);
        preState = end(state);
        proof.push(commitment);
        append(slotPath);
        proof.push(tensorRoot);
        proof.push(bytes32(2 ** depth));
        proof.push(word);
        append(wordPath);
        state[7] = word;
        state[2] = bytes32(uint256(state[2]) + (1 << 64));
        postState = numberOf(state);
    }

    /// @dev STORE v1 as word 6 of the last slot.
    function buildStore(uint256 depth) private returns (bytes32 preState, bytes32 postState) {
        delete proof;
        bytes32[] memory wordPath = drawPath(depth);
        bytes32[] memory slotPath = drawPath(depth);
        uint256 slot = 2 ** depth - 1;
        bytes32 oldRoot = fold(0, 6, wordPath);
        bytes32 slotsRoot = fold(commit(oldRoot, 2 ** depth), slot, slotPath);
        bytes32[11] memory state = begin(depth, encode(0x1b, 0, 1, 0, 0), slotsRoot, 6);
        preState = end(state);
        append(slotPath);
        proof.push(oldRoot);
        append(wordPath);
        bytes32 commitment = commit(fold(state[8], 6, wordPath), 2 ** depth);
        bytes32[11] memory next;
        next[0] = state[0];
        next[1] = fold(commitment, slot, slotPath);
        next[2] = bytes32(slot | (7 << 32));
        postState = numberOf(next);
    }

    bytes32[] private code;
    bytes32[] private operators;

    /// @dev A state of the last slot's operator at `PC`, in a program of 2^depth slots whose outputs have 2^depth words. Leaves the
    /// proof's parts 1 and 2 in `proof`, and 3 and 4 in `operators` and `code`.
    function begin(uint256 depth, uint256 instruction, bytes32 slotsRoot, uint256 word)
        private
        returns (bytes32[11] memory state)
    {
        delete proof;
        delete code;
        delete operators;
        code.push(bytes32(instruction << 128 | uint256(draw()) & ~(uint256(type(uint64).max) << 128)));
        appendTo(code, drawPath(CODE_DEPTH));
        operators.push(fold(code[0], PC / 4, sliced(code)));
        operators.push(bytes32(uint256(32) | 2 ** depth << 32 | 1 << 64 | OPERANDS << 72 | CODE_LENGTH << 80));
        operators.push(bytes32(uint256(4) << 24));
        for (uint256 operand = 0; operand < OPERANDS; ++operand) {
            operators.push(0);
        }
        bytes32[] memory path = drawPath(OPERATORS_DEPTH);
        bytes32 operatorsRoot = fold(keccak256(abi.encodePacked(operators)), 2 ** OPERATORS_DEPTH - 1, path);
        appendTo(operators, path);
        proof.push(keccak256("assay.program.v1"));
        proof.push(bytes32(2 ** OPERATORS_DEPTH << 32 | 2 ** (depth - OPERATORS_DEPTH) << 96));
        proof.push(operatorsRoot);
        for (uint256 index = 3; index < 8; ++index) {
            proof.push(draw());
        }
        bytes32 modelId = keccak256(abi.encodePacked(proof));
        bytes32 input = draw();
        bytes32 seed = draw();
        proof.push(input);
        proof.push(seed);
        state[0] = keccak256(abi.encodePacked(keccak256("assay.machine.v1"), modelId, input, seed));
        state[1] = slotsRoot;
        state[2] = bytes32(2 ** depth - 1 | word << 32 | PC << 64);
        // r1 = 6, r2 = 1000, r3 = 2^30; the rest is what a busy word has.
        state[3] = bytes32(uint256(6) << 128 | 1000 << 64 | 2 ** 30);
        for (uint256 index = 4; index < 10; ++index) {
            state[index] = draw();
        }
    }

    /// @dev Puts the state's words, the descriptor and the code word after what `begin` left.
    function end(bytes32[11] memory state) private returns (bytes32 preState) {
        preState = numberOf(state);
        for (uint256 index = 1; index < 11; ++index) {
            proof.push(state[index]);
        }
        append(operators);
        append(code);
    }

    /// @dev A state's number: the low 248 bits of its hash.
    function numberOf(bytes32[11] memory state) private pure returns (bytes32) {
        return bytes32(uint256(keccak256(abi.encodePacked(state))) % 2 ** 248);
    }

    function encode(uint256 op, uint256 d, uint256 a, uint256 b, uint256 x) private pure returns (uint256) {
        return op << 56 | d << 48 | a << 40 | b << 32 | x;
    }

    function commit(bytes32 root, uint256 wordCount) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(keccak256("assay.tensor.v1"), root, wordCount));
    }

    function fold(bytes32 leaf, uint256 index, bytes32[] memory path) private pure returns (bytes32 node) {
        node = leaf;
        for (uint256 height = 0; height < path.length; ++height) {
            bool isRight = (index >> height) & 1 == 1;
            node = keccak256(isRight ? abi.encodePacked(path[height], node) : abi.encodePacked(node, path[height]));
        }
    }

    function draw() private returns (bytes32) {
        return keccak256(abi.encode(++drawn));
    }

    function drawPath(uint256 depth) private returns (bytes32[] memory path) {
        path = new bytes32[](depth);
        for (uint256 height = 0; height < depth; ++height) {
            path[height] = draw();
        }
    }

    /// @dev All but the first word.
    function sliced(bytes32[] memory words) private pure returns (bytes32[] memory rest) {
        rest = new bytes32[](words.length - 1);
        for (uint256 index = 0; index < rest.length; ++index) {
            rest[index] = words[index + 1];
        }
    }

    function append(bytes32[] memory words) private {
        appendTo(proof, words);
    }

    function appendTo(bytes32[] storage list, bytes32[] memory words) private {
        for (uint256 index = 0; index < words.length; ++index) {
            list.push(words[index]);
        }
    }
}
