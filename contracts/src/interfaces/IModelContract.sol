// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title A model as a contract function
/// @notice Beside these functions, a model's contract has the one that its signature names, twice. For `detect(string)->(string)`:
/// - `detect(string) payable returns (bytes32 requestId)`: final results only, default callback gas and deadline, seed 0;
/// - `detect(string,(uint8 finality,uint32 callbackGas,uint64 deadlineSeconds,bytes32 seed)) payable returns (bytes32 requestId)`.
/// The value sent must be the fee, exactly. The result comes to the caller's `onInferenceResult` (see `IInferenceConsumer`).
interface IModelContract {
    /// Calldata is not the canonical ABI encoding of the function's arguments.
    error MalformedCalldata();
    /// The contract has no such function.
    error UnknownFunction(bytes4 selector);
    error InputTooLong(uint256 length, uint256 maximum);
    /// Element `index` of the input is not a value of its type.
    error ElementOutOfRange(uint256 index, uint256 value);
    error WrongFee(uint256 given, uint256 expected);
    /// The result's words do not fit the signature's output type.
    error OutputShapeMismatch(uint256 words, uint256 expected);

    /// @notice Keccak256 of the program's header.
    function modelId() external view returns (bytes32);

    /// @notice E.g. `detect(string)->(string)`.
    function signature() external view returns (string memory);

    /// @notice Wei that a request with this callback gas costs.
    function fee(uint32 callbackGas) external view returns (uint256);

    /// @notice Wei that a request without options costs: `fee(DEFAULT_CALLBACK_GAS)`.
    function defaultFee() external view returns (uint256);

    /// @notice The input's shape; elements have 1 or 4 bytes.
    function inputShape() external view returns (uint32 rows, uint32 columns, uint8 elementBytes);

    /// @notice The commitment to an input that is given as the function's first argument, ABI encoded by itself.
    function inputCommitmentOf(bytes calldata argument) external view returns (bytes32);

    /// @notice The result's words as a value of the signature's output type, ABI encoded by itself. A `string` or `bytes` ends before
    /// its trailing zero bytes; arrays are one row.
    function decodeOutput(bytes calldata words) external view returns (bytes memory);
}
