// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IOneStepVerifier} from "../interfaces/IOneStepVerifier.sol";
import {IWordMachine} from "../interfaces/IWordMachine.sol";
import {Arithmetic} from "./Arithmetic.sol";
import {DescriptorEncoding} from "./Descriptor.sol";
import {InstructionEncoding} from "./Instruction.sol";
import {Lanes} from "./Lanes.sol";
import {MerklePath} from "./MerklePath.sol";
import {Operands} from "./Operands.sol";
import {Program, ProgramEncoding} from "./Program.sol";
import {ProofReader, Reader} from "./ProofReader.sol";
import {Scope} from "./Scope.sol";
import {MachineState, StateEncoding} from "./StateEncoding.sol";

/// @title The word machine
/// @notice Replays one instruction. The specification is docs/word-machine.md; `fraud-proof/machine` is the same in TypeScript.
/// @dev A state has one successor whatever the program holds; a revert means that the proof is not one.
contract WordMachine is IWordMachine {
    uint256 private constant REGISTER_MASK = 15;
    uint256 private constant VECTOR_MASK = 3;
    uint256 private constant COUNTER_MASK = 3;
    uint256 private constant TARGET_BITS = 10;
    uint256 private constant LOOP_OVER_LANES = 1;

    /// @inheritdoc IOneStepVerifier
    function step(bytes32 preState, bytes calldata proof) external pure returns (bytes32) {
        Reader memory reader = ProofReader.open(proof);
        Scope memory scope;
        uint256 header = reader.skip(ProgramEncoding.HEADER_WORDS);
        scope.inputCommitment = reader.take();
        scope.seed = reader.take();
        bytes32 modelId = ProofReader.hash(header, ProgramEncoding.HEADER_WORDS);
        bytes32 context = StateEncoding.contextOf(modelId, scope.inputCommitment, scope.seed);
        MachineState memory state = StateEncoding.read(reader, context);
        require(state.hash() == preState, WrongPreState());
        state.requireWellFormed();
        scope.state = state;
        scope.program = ProgramEncoding.decode(header);
        if (state.status() == StateEncoding.RUNNING) run(scope, reader);
        reader.finish();
        return state.hash();
    }

    /// @inheritdoc IWordMachine
    function initialState(bytes32 modelId, bytes32 inputCommitment, bytes32 seed) external pure returns (bytes32) {
        MachineState memory state;
        state.context = StateEncoding.contextOf(modelId, inputCommitment, seed);
        return state.hash();
    }

    /// @inheritdoc IWordMachine
    function finalState(bytes32 modelId, bytes32 inputCommitment, bytes32 seed, bytes calldata opening)
        external
        pure
        returns (bytes32 stateHash, bytes32 outputCommitment)
    {
        Reader memory reader = ProofReader.open(opening);
        uint256 status = uint256(reader.take());
        bytes32 context = StateEncoding.contextOf(modelId, inputCommitment, seed);
        MachineState memory state;
        if (status == StateEncoding.FINISHED) {
            uint256 header = reader.skip(ProgramEncoding.HEADER_WORDS);
            require(ProofReader.hash(header, ProgramEncoding.HEADER_WORDS) == modelId, WrongModel());
            Program memory program = ProgramEncoding.decode(header);
            // Such programs fail; in particular, one without slots has no last one.
            require(program.withinLimits() && program.slots() > 0, NoResult());
            state.context = context;
            state.slotsRoot = reader.take();
            state.finish();
            outputCommitment = reader.take();
            bytes32 root = reader.rootOf(outputCommitment, program.slots() - 1, program.slotsDepth());
            require(root == state.slotsRoot, WrongSlot());
        } else {
            state = StateEncoding.read(reader, context);
            require(status <= StateEncoding.FAILED && state.status() == status, MalformedState());
        }
        reader.finish();
        stateHash = state.hash();
    }

    /// @dev Finds the operator and the instruction, and executes it.
    function run(Scope memory scope, Reader memory reader) private pure {
        MachineState memory state = scope.state;
        uint256 slot = state.slot();
        if (!scope.program.withinLimits() || slot >= scope.program.slots()) return state.fail();
        scope.place = scope.program.place(slot);
        scope.descriptor = DescriptorEncoding.read(reader);
        bytes32 operators = reader.rootOf(scope.descriptor.hash, scope.place.operator, scope.program.operatorsDepth());
        require(operators == scope.program.operatorsRoot, WrongDescriptor());
        uint256 pc = state.pc();
        uint256 codeLength = scope.descriptor.codeLength;
        if (scope.descriptor.wordCount > Operands.MAX_WORDS || pc >= codeLength) return state.fail();
        bytes32 codeWord = reader.take();
        bytes32 codeRoot = reader.rootOf(codeWord, pc / 4, MerklePath.depthOf((codeLength + 3) / 4));
        require(codeRoot == scope.descriptor.codeRoot, WrongCode());
        scope.instruction = InstructionEncoding.ofWord(codeWord, pc % 4);
        (scope.row, scope.column, scope.laneCount) = scope.descriptor.coordinates(state.word());
        execute(scope, reader);
    }

    /// @dev Executes the instruction; all but LOOP, STORE and failing ones go on to the next.
    function execute(Scope memory scope, Reader memory reader) private pure {
        uint256 op = scope.instruction.op();
        if (op == InstructionEncoding.LOOP) return loop(scope);
        if (op == InstructionEncoding.STORE) return store(scope, reader);
        if (op == InstructionEncoding.LOADWORD || op == InstructionEncoding.PUT8 || op == InstructionEncoding.PUT32) {
            scope.state.setVector(scope.instruction.d() & VECTOR_MASK, vectorResult(scope, reader, op));
        } else if (Arithmetic.isArithmetic(op) || (op >= InstructionEncoding.SELECT && op <= InstructionEncoding.DOT)) {
            scope.state.setScalar(scope.instruction.d() & REGISTER_MASK, scalarResult(scope, reader, op));
        } else {
            return scope.state.fail();
        }
        scope.state.setPc(scope.state.pc() + 1);
    }

    /// @dev What a scalar register gets.
    function scalarResult(Scope memory scope, Reader memory reader, uint256 op) private pure returns (int256) {
        MachineState memory state = scope.state;
        if (op == InstructionEncoding.DOT) {
            bytes32 left = state.vector(scope.instruction.a() & VECTOR_MASK);
            bytes32 right = state.vector(scope.instruction.b() & VECTOR_MASK);
            int256 sum = state.scalar(scope.instruction.d() & REGISTER_MASK);
            return Arithmetic.evaluate(Arithmetic.ADD, sum, Lanes.dot(left, right), 0);
        }
        if (op == InstructionEncoding.LOAD8) {
            (int256 position, int256 iteration) = scope.two();
            return Lanes.byteLane(Operands.load(scope, reader, position, iteration, 5), uint256(position) & 31);
        }
        if (op == InstructionEncoding.LOAD32) {
            (int256 position, int256 iteration) = scope.two();
            return Lanes.int32Lane(Operands.load(scope, reader, position, iteration, 3), uint256(position) & 7);
        }
        if (op == InstructionEncoding.SELECT) {
            (int256 condition, int256 whenTrue, int256 whenFalse) = scope.three();
            return condition != 0 ? whenTrue : whenFalse;
        }
        if (op == InstructionEncoding.REQUANTIZE) {
            (int256 accumulator, int256 multiplier, int256 shift) = scope.three();
            return Arithmetic.requantize(accumulator, multiplier, shift);
        }
        if (op & 0x1f == Arithmetic.MAD) {
            (int256 x, int256 y, int256 z) = scope.three();
            return Arithmetic.evaluate(op, x, y, z);
        }
        (int256 a, int256 b) = scope.two();
        return Arithmetic.evaluate(op, a, b, 0);
    }

    /// @dev What a vector register gets.
    function vectorResult(Scope memory scope, Reader memory reader, uint256 op) private pure returns (bytes32) {
        (int256 a, int256 b) = scope.two();
        if (op == InstructionEncoding.LOADWORD) return Operands.load(scope, reader, a, b, 0);
        bytes32 vector = scope.state.vector(scope.instruction.d() & VECTOR_MASK);
        if (op == InstructionEncoding.PUT8) return Lanes.withByteLane(vector, uint256(a) & 31, b);
        return Lanes.withInt32Lane(vector, uint256(a) & 7, b);
    }

    /// @dev The end of a counted loop's body.
    function loop(Scope memory scope) private pure {
        MachineState memory state = scope.state;
        uint256 x = scope.instruction.x();
        uint256 bound = scope.instruction.b() == LOOP_OVER_LANES
            ? scope.laneCount
            : (x >> TARGET_BITS) + scope.instruction.a() * scope.place.iteration;
        uint256 which = scope.instruction.d() & COUNTER_MASK;
        uint256 next = state.counter(which) + 1;
        if (next < bound) {
            state.setCounter(which, next);
            state.setPc(x & (2 ** TARGET_BITS - 1));
        } else {
            state.setCounter(which, 0);
            state.setPc(state.pc() + 1);
        }
    }

    /// @dev Stores the word and goes to the next word, operator, iteration, or the end.
    function store(Scope memory scope, Reader memory reader) private pure {
        MachineState memory state = scope.state;
        uint256 word = state.word();
        if (word >= scope.descriptor.wordCount) return state.fail();
        bytes32 vector = state.vector(scope.instruction.a() & VECTOR_MASK);
        bytes32 value = Lanes.withFirstLanes(vector, scope.laneCount, scope.descriptor.lanes);
        Operands.store(scope, reader, value);
        uint256 slot = state.slot();
        if (word + 1 < scope.descriptor.wordCount) return state.startWord(slot, word + 1);
        slot = scope.place.endsIteration && value != 0 ? scope.program.epilogueStart() : slot + 1;
        if (slot < scope.program.slots()) state.startWord(slot, 0);
        else state.finish();
    }
}
