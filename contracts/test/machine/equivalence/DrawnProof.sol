// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {DrawnStep} from "./DrawnStep.sol";
import {Draws} from "./Draws.sol";

/// @notice A proof under construction: words side by side, and the hash of the state before the step.
struct DrawnProof {
    bytes32[] words;
    uint256 count;
    bytes32 preState;
}

using DrawnProofLibrary for DrawnProof global;

/// @title Commitments and the proof around a random step, by docs/word-machine.md alone
library DrawnProofLibrary {
    /// @dev More than the deepest paths have together.
    uint256 private constant MOST_WORDS = 400;
    uint256 private constant MAX_WORDS = 2 ** 28;
    uint256 private constant NO_SLOT = type(uint256).max;
    bytes32 private constant MACHINE = keccak256("assay.machine.v1");
    bytes32 private constant TENSOR = keccak256("assay.tensor.v1");

    /// @dev What the parts of a proof have in common while it is built.
    struct Trees {
        bool reachesDescriptor;
        bool reachesCode;
        bool stores;
        /// @dev The slot that a load opens, or `NO_SLOT`.
        uint256 opened;
        bool opensTensor;
        uint256 tensorIndex;
        bool opensWord;
        uint256 operator;
        uint256 iteration;
        bytes32 codeWord;
        bytes32[] tensorPath;
        bytes32 tensorRoot;
        bytes32 commitment;
        bytes32[] codePath;
        bytes32[] operatorsPath;
        bytes32[] partialPath;
        bytes32 partialRoot;
        bytes32[] slotsPath;
    }

    /// @notice The proof of a drawn step.
    function build(DrawnStep memory step, Draws memory draws) internal pure returns (DrawnProof memory proof) {
        proof.words = new bytes32[](MOST_WORDS);
        Trees memory trees;
        explore(step, trees);
        drawTrees(step, draws, trees);
        bytes32[] memory descriptor = describe(step, trees);
        trees.operatorsPath = path(draws, depthOf(step.prologue + step.body + step.epilogue));
        bytes32 operatorsRoot = fold(hashWords(descriptor), trees.operator, trees.operatorsPath);
        bytes32 slotsRoot = drawSlots(step, draws, trees);
        proof.pushStart(step, operatorsRoot, trees.commitment, slotsRoot);
        if (!trees.reachesDescriptor) return proof;
        proof.append(descriptor);
        proof.append(trees.operatorsPath);
        if (!trees.reachesCode) return proof;
        proof.push(trees.codeWord);
        proof.append(trees.codePath);
        if (trees.opened != NO_SLOT) {
            proof.push(trees.commitment);
            proof.append(trees.slotsPath);
        }
        if (trees.opensTensor) {
            proof.push(trees.tensorRoot);
            proof.push(bytes32(step.tensorWords));
            if (trees.opensWord) {
                proof.push(step.tensorWord);
                proof.append(trees.tensorPath);
            }
        }
        if (trees.stores) {
            proof.append(trees.slotsPath);
            if (step.word > 0) proof.push(trees.partialRoot);
            proof.append(trees.partialPath);
        }
    }

    /// @dev What the step will ask for.
    function explore(DrawnStep memory step, Trees memory trees) private pure {
        trees.opened = NO_SLOT;
        bool admitted = step.prologue <= 4096 && step.body <= 4096 && step.epilogue <= 4096 && step.slots() <= 2 ** 32;
        trees.reachesDescriptor = step.status == 0 && admitted && step.slot < step.slots();
        if (!trees.reachesDescriptor) return;
        uint256 epilogueStart = step.prologue + step.maxIterations * step.body;
        if (step.slot < step.prologue) {
            trees.operator = step.slot;
        } else if (step.slot < epilogueStart) {
            trees.operator = step.prologue + (step.slot - step.prologue) % step.body;
            trees.iteration = (step.slot - step.prologue) / step.body;
        } else {
            trees.operator = step.prologue + step.body + step.slot - epilogueStart;
            trees.iteration = step.maxIterations;
        }
        trees.reachesCode = step.outputWords() <= MAX_WORDS && step.pc < step.codeLength;
        if (!trees.reachesCode) return;
        trees.stores = step.op == 0x1b && step.word < step.outputWords();
        if (step.isLoad()) exploreLoad(step, trees);
    }

    function exploreLoad(DrawnStep memory step, Trees memory trees) private pure {
        uint256 number = step.x & 0xff;
        uint256 operandCount = step.operandCount < 8 ? step.operandCount : 8;
        int256 position = source(step, trees, step.a);
        if (number >= operandCount || position < 0) return;
        uint256 kind = (step.operands >> (32 * number + 24)) & 0xff;
        if (kind == 6) return;
        bool written = step.written;
        if (kind == 1) {
            written = written && (step.present >> number) & 1 == 1;
        } else if (kind != 2) {
            uint256 index = (step.operands >> (32 * number)) & 0xffffff;
            trees.opened = operandSlot(step, kind, index, source(step, trees, step.b));
            if (trees.opened == NO_SLOT) return;
        }
        trees.opensTensor = written;
        uint256 word = uint256(position) / (step.op == 0x14 ? 32 : step.op == 0x15 ? 8 : 1);
        trees.opensWord = written && step.tensorWords <= MAX_WORDS && word < step.tensorWords;
        if (trees.opensWord) trees.tensorIndex = word;
    }

    /// @dev The slot before the current one that an operand names.
    function operandSlot(DrawnStep memory step, uint256 kind, uint256 index, int256 iteration)
        private
        pure
        returns (uint256 slot)
    {
        slot = NO_SLOT;
        if (kind == 3 && index < step.prologue) slot = index;
        if (kind == 4 && index < step.body && iteration >= 0 && iteration < int256(step.maxIterations)) {
            slot = step.prologue + uint256(iteration) * step.body + index;
        }
        if (kind == 5 && index < step.epilogue) slot = step.slots() - step.epilogue + index;
        if (slot >= step.slot) slot = NO_SLOT;
    }

    /// @dev The value of a source of a load.
    function source(DrawnStep memory step, Trees memory trees, uint256 number) private pure returns (int256) {
        if (number < 16) return step.scalars[number];
        if (number < 20) return int256(step.counters[number - 16]);
        if (number == 24) return int32(uint32(step.x));
        if (number == 20) return int256(trees.iteration);
        uint256 perRow = step.wordsPerRow();
        if (perRow == 0) return 0;
        uint256 column = (step.word % perRow) * step.lanes();
        if (number == 21) return int256(step.word / perRow);
        if (number == 22) return int256(column);
        uint256 rest = step.columns - column;
        return number == 23 ? int256(rest < step.lanes() ? rest : step.lanes()) : int256(0);
    }

    function drawTrees(DrawnStep memory step, Draws memory draws, Trees memory trees) private pure {
        uint256 instruction = step.op << 56 | step.d << 48 | step.a << 40 | step.b << 32 | step.x;
        uint256 shift = 192 - 64 * (step.pc % 4);
        trees.codeWord = bytes32((draws.word() & ~(uint256(type(uint64).max) << shift)) | (instruction << shift));
        trees.tensorPath = path(draws, depthOf(step.tensorWords < MAX_WORDS ? step.tensorWords : MAX_WORDS));
        trees.tensorRoot = fold(step.written ? step.tensorWord : bytes32(0), trees.tensorIndex, trees.tensorPath);
        if (step.written) trees.commitment = commit(trees.tensorRoot, step.tensorWords);
        trees.codePath = path(draws, depthOf((step.codeLength + 3) / 4));
    }

    function describe(DrawnStep memory step, Trees memory trees) private pure returns (bytes32[] memory words) {
        uint256 count = step.operandCount < 8 ? step.operandCount : 8;
        words = new bytes32[](3 + count);
        words[0] = fold(trees.codeWord, trees.reachesCode ? step.pc / 4 : 0, trees.codePath);
        words[1] = bytes32(
            step.columns | step.rows << 32 | step.elementBytes << 64 | step.operandCount << 72 | step.codeLength << 80
                | step.descriptorFiller << 96
        );
        words[2] = bytes32(step.operands);
        for (uint256 operand = 0; operand < count; ++operand) {
            if ((step.present >> operand) & 1 == 1) words[3 + operand] = trees.commitment;
        }
    }

    /// @dev The path of the slot that is opened or stored to, and the root over all slots.
    function drawSlots(DrawnStep memory step, Draws memory draws, Trees memory trees) private pure returns (bytes32) {
        bytes32 held = trees.commitment;
        uint256 slot = trees.opened == NO_SLOT ? 0 : trees.opened;
        if (trees.stores) {
            trees.partialPath = path(draws, depthOf(step.outputWords()));
            if (step.word == 0) trees.partialPath = new bytes32[](trees.partialPath.length);
            trees.partialRoot = fold(0, step.word, trees.partialPath);
            held = step.word == 0 ? bytes32(0) : commit(trees.partialRoot, step.outputWords());
            slot = step.slot;
        }
        trees.slotsPath = path(draws, depthOf(step.slots()));
        return fold(held, slot, trees.slotsPath);
    }

    /// @dev The header, the input, the seed, and the state.
    function pushStart(
        DrawnProof memory proof,
        DrawnStep memory step,
        bytes32 operatorsRoot,
        bytes32 inputCommitment,
        bytes32 slotsRoot
    ) internal pure {
        proof.push(bytes32(step.headerFiller));
        proof.push(
            bytes32(
                step.prologue | step.body << 32 | step.epilogue << 64 | step.maxIterations << 96 | step.headerFiller
                    << 128
            )
        );
        proof.push(operatorsRoot);
        for (uint256 index = 3; index < 8; ++index) {
            proof.push(bytes32(step.headerFiller));
        }
        bytes32 modelId = hashOf(proof.words, 0, 8);
        proof.push(inputCommitment);
        proof.push(step.seed);
        bytes32 context = keccak256(abi.encode(MACHINE, modelId, inputCommitment, step.seed));
        proof.push(slotsRoot);
        uint256 position = step.slot | step.word << 32 | step.pc << 64 | step.status << 208;
        for (uint256 index = 0; index < 4; ++index) {
            position |= step.counters[index] << (80 + 32 * index);
        }
        proof.push(bytes32(position));
        for (uint256 quad = 0; quad < 4; ++quad) {
            uint256 packed;
            for (uint256 index = 0; index < 4; ++index) {
                packed = packed << 64 | uint64(int64(step.scalars[4 * quad + index]));
            }
            proof.push(bytes32(packed));
        }
        for (uint256 index = 0; index < 4; ++index) {
            proof.push(step.vectors[index]);
        }
        // The state is the context and the ten words before: the seed's place lends itself to the context for a moment.
        proof.words[9] = context;
        // A state's number is the low 248 bits.
        proof.preState = bytes32(uint256(hashOf(proof.words, 9, 11)) % 2 ** 248);
        proof.words[9] = step.seed;
    }

    function push(DrawnProof memory proof, bytes32 word) internal pure {
        proof.words[proof.count++] = word;
    }

    function append(DrawnProof memory proof, bytes32[] memory words) internal pure {
        for (uint256 index = 0; index < words.length; ++index) {
            proof.push(words[index]);
        }
    }

    function path(Draws memory draws, uint256 depth) private pure returns (bytes32[] memory siblings) {
        siblings = new bytes32[](depth);
        for (uint256 height = 0; height < depth; ++height) {
            siblings[height] = draws.sibling();
        }
    }

    function depthOf(uint256 leaves) private pure returns (uint256 depth) {
        while (1 << depth < leaves) ++depth;
    }

    function fold(bytes32 leaf, uint256 index, bytes32[] memory siblings) private pure returns (bytes32 node) {
        node = leaf;
        for (uint256 height = 0; height < siblings.length; ++height) {
            bytes32 sibling = siblings[height];
            if (node == 0 && sibling == 0) continue;
            bool isRight = (index >> height) & 1 == 1;
            node = isRight ? hashPair(sibling, node) : hashPair(node, sibling);
        }
    }

    function hashPair(bytes32 left, bytes32 right) private pure returns (bytes32 result) {
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            result := keccak256(0x00, 0x40)
        }
    }

    function commit(bytes32 root, uint256 wordCount) private pure returns (bytes32) {
        return keccak256(abi.encode(TENSOR, root, wordCount));
    }

    function hashWords(bytes32[] memory words) private pure returns (bytes32) {
        return hashOf(words, 0, words.length);
    }

    /// @notice Hash of `count` words from number `first`.
    function hashOf(bytes32[] memory words, uint256 first, uint256 count) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            result := keccak256(add(add(words, 0x20), shl(5, first)), shl(5, count))
        }
    }
}
