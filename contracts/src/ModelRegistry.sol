// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {LibClone} from "solady/utils/LibClone.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {ModelArguments, elementBytesOf, isDynamic} from "./libraries/ModelArguments.sol";
import {ModelSignature, Value} from "./libraries/ModelSignature.sol";
import {ModelContract} from "./ModelContract.sol";

/// @title Models by content
/// @notice See `IModelRegistry`. Invariants:
/// 1. What is kept for a model is a function of its header, so it does not matter who registers it first.
/// 2. A model's contract is a function of (model, registrant, fee): nobody can take another's place, nor change a fee.
contract ModelRegistry is IModelRegistry {
    /// @notice Words of the largest input that a model's contract takes.
    uint256 public constant MAX_INPUT_WORDS = 2 ** 16;

    bytes32 private constant PROGRAM_TAG = keccak256("assay.program.v1");
    uint256 private constant MAX_OPERATORS = 2 ** 12;
    uint256 private constant MAX_STEPS = 2 ** 48;

    /// @notice The code behind all models' contracts.
    ModelContract public immutable IMPLEMENTATION;

    /// @inheritdoc IModelRegistry
    mapping(bytes32 modelId => uint64) public stepsOf;
    /// @inheritdoc IModelRegistry
    mapping(address model => bytes32) public modelIdOf;
    /// @dev By keccak256(modelId, registrant, fee).
    mapping(bytes32 salt => address) private contracts;

    constructor(ModelContract implementation) {
        IMPLEMENTATION = implementation;
    }

    /// @inheritdoc IModelRegistry
    function register(bytes32[8] calldata header, string calldata signature, uint256 fee, string calldata uri)
        external
        returns (bytes32 modelId, address model)
    {
        checkHeader(header);
        require(keccak256(bytes(signature)) == header[6], SignatureMismatch(keccak256(bytes(signature)), header[6]));
        require(fee <= type(uint64).max, FeeTooHigh(fee));
        modelId = keccak256(abi.encode(header));
        bytes32 salt = saltOf(modelId, msg.sender, fee);
        model = contracts[salt];
        if (model == address(0)) {
            ModelArguments memory arguments = argumentsOf(header, modelId, signature, fee);
            model = LibClone.cloneDeterministic(address(IMPLEMENTATION), abi.encode(arguments), salt);
            contracts[salt] = model;
            modelIdOf[model] = modelId;
            stepsOf[modelId] = uint64(uint256(header[5]));
        }
        emit ModelRegistered(modelId, msg.sender, model, header, signature, fee, uri);
    }

    /// @inheritdoc IModelRegistry
    function modelContract(bytes32 modelId, address registrant, uint256 fee) external view returns (address) {
        return contracts[saltOf(modelId, registrant, fee)];
    }

    /// @dev What the word machine would refuse in every proof, and what is no program at all.
    function checkHeader(bytes32[8] calldata header) private pure {
        require(header[0] == PROGRAM_TAG, InvalidHeader(0));
        uint256 counts = uint256(header[1]);
        require(counts >> 128 == 0, InvalidHeader(1));
        for (uint256 i = 0; i < 3; ++i) {
            require(uint32(counts >> (32 * i)) <= MAX_OPERATORS, InvalidHeader(1));
        }
        uint256 steps = uint256(header[5]);
        require(steps > 0 && steps <= MAX_STEPS, InvalidHeader(5));
    }

    /// @dev The facts that go into the contract's code; refuses a signature that does not fit the input.
    function argumentsOf(bytes32[8] calldata header, bytes32 modelId, string calldata signature, uint256 fee)
        private
        view
        returns (ModelArguments memory arguments)
    {
        ModelSignature.Parsed memory parsed = ModelSignature.parse(signature);
        require(!IMPLEMENTATION.isReserved(parsed.plain), SelectorTaken(parsed.plain));
        require(
            !IMPLEMENTATION.isReserved(parsed.withOptions) && parsed.withOptions != parsed.plain,
            SelectorTaken(parsed.withOptions)
        );
        uint256 shape = uint256(header[4]);
        require(shape >> 72 == 0, InvalidHeader(4));
        arguments.modelId = modelId;
        arguments.fee = fee;
        arguments.columns = uint32(shape);
        arguments.rows = uint32(shape >> 32);
        arguments.elementBytes = uint8(shape >> 64);
        arguments.input = parsed.input;
        arguments.output = parsed.output;
        arguments.plain = parsed.plain;
        arguments.withOptions = parsed.withOptions;
        arguments.signature = signature;
        checkShape(parsed.input, arguments.rows, arguments.columns, arguments.elementBytes);
    }

    function checkShape(Value memory input, uint256 rows, uint256 columns, uint256 elementBytes) private pure {
        bool fits = isDynamic(input.kind) ? rows == 1 && columns > 0 : rows * columns == input.length;
        require(fits && elementBytes == elementBytesOf(input.kind), InputShapeMismatch(rows, columns, elementBytes));
        uint256 words = rows * ((columns * elementBytes + 31) / 32);
        require(words <= MAX_INPUT_WORDS, InputTooLarge(words, MAX_INPUT_WORDS));
    }

    function saltOf(bytes32 modelId, address registrant, uint256 fee) private pure returns (bytes32) {
        return keccak256(abi.encode(modelId, registrant, fee));
    }
}
