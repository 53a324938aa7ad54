// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title Models by content
/// @notice `modelId` is the keccak256 of a program's header (docs/word-machine.md). What a model is follows from its header alone,
/// so registering a model first gives no power over it: every registrant gets a contract of its own for each fee, at an address that
/// depends on (model, registrant, fee), and the results of all of them are the same facts.
interface IModelRegistry {
    /// @notice A registrant published a model's contract, or a new `uri` for it.
    /// @param uri where the model's files are served; the commitments tell whether they are the right ones.
    event ModelRegistered(
        bytes32 indexed modelId,
        address indexed registrant,
        address indexed model,
        bytes32[8] header,
        string signature,
        uint256 fee,
        string uri
    );

    /// The header is not one that the word machine takes; `word` is the offending one.
    error InvalidHeader(uint256 word);
    /// The signature's hash is not the header's.
    error SignatureMismatch(bytes32 hash, bytes32 expected);
    /// The input type of the signature and the input's shape in the header do not go together.
    error InputShapeMismatch(uint256 rows, uint256 columns, uint256 elementBytes);
    error InputTooLarge(uint256 words, uint256 maximum);
    /// The function's selector is one of the model contract's own functions: rename the function.
    error SelectorTaken(bytes4 selector);
    error FeeTooHigh(uint256 fee);

    /// @notice Publishes a model, and deploys the caller's contract for it unless it exists.
    /// @param header the program's header, eight words.
    /// @param signature e.g. `detect(string)->(string)`.
    /// @param fee wei for an inference, without the callback.
    function register(bytes32[8] calldata header, string calldata signature, uint256 fee, string calldata uri)
        external
        returns (bytes32 modelId, address model);

    /// @notice The contract of (model, registrant, fee); 0 if there is none.
    function modelContract(bytes32 modelId, address registrant, uint256 fee) external view returns (address);

    /// @notice The model that a model contract runs; 0 if it is no model contract of this registry.
    function modelIdOf(address model) external view returns (bytes32);

    /// @notice The bound `N` on a model's steps (h5); 0 if the model is not registered.
    function stepsOf(bytes32 modelId) external view returns (uint64);
}
