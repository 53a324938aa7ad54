// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IPullPayments} from "./IPullPayments.sol";

/// @notice When a requester wants to be called back.
enum Finality {
    /// As soon as somebody has asserted a result, at the requester's own risk.
    Asserted,
    /// When the assertion is final.
    Final
}

/// @notice A request is exactly one of these (and None before it is made); Delivered and Refunded are for good.
enum RequestStatus {
    None,
    Pending,
    Delivered,
    Refunded
}

struct RequestOptions {
    Finality finality;
    /// Gas that the callback gets, exactly; 0 for no callback.
    uint32 callbackGas;
    /// Seconds until a refund; 0 for the inbox's default.
    uint64 deadlineSeconds;
    /// For models that draw random numbers.
    bytes32 seed;
}

/// @notice A request as stored.
struct Request {
    /// The model contract that was called.
    address model;
    /// Delivery is legal before this moment, a refund from it on.
    uint40 deadline;
    uint32 callbackGas;
    Finality finality;
    RequestStatus status;
    /// The fee is no longer in escrow.
    bool feeSpent;
    address requester;
    uint96 fee;
    bytes32 inputCommitment;
    bytes32 seed;
}

/// @title The order of all requests, their fees in escrow, and their delivery
/// @notice Nothing here depends on what a model computes: who asked, who paid and in which order is a matter of this contract alone.
interface IInbox is IPullPayments {
    /// @notice A model was asked; the fee is in escrow.
    /// @param index the request's place in the order, from 0.
    /// @param input the elements, row by row, little-endian, without padding; a text's bytes. Padded with zeros to whole
    /// words a row (and a text to the input's columns) it has the commitment `inputCommitment`.
    event Requested(
        bytes32 indexed requestId,
        bytes32 indexed modelId,
        address indexed requester,
        uint256 index,
        address model,
        bytes input,
        bytes32 inputCommitment,
        bytes32 seed,
        Finality finality,
        uint32 callbackGas,
        uint256 deadline,
        uint256 fee
    );
    /// @notice A result came, and the callback was made.
    /// @param result the value, ABI encoded by itself: `abi.decode(result, (string))`.
    /// @param callbackSucceeded false if the callback reverted, or there was none.
    event Delivered(bytes32 indexed requestId, bytes32 indexed assertionId, bytes result, bool callbackSucceeded);
    /// @notice The fee went back to the requester, as a credit.
    event Refunded(bytes32 indexed requestId, address indexed requester, uint256 fee);
    /// @notice The fee went to the sponsor of a final assertion, as a credit.
    event FeeClaimed(bytes32 indexed requestId, bytes32 indexed assertionId, address indexed sponsor, uint256 fee);
    /// @notice Nobody claimed the fee of a delivered request in time: it went back to the requester.
    event FeeReclaimed(bytes32 indexed requestId, address indexed requester, uint256 fee);

    error NotAModelContract(address caller);
    error UnknownRequest(bytes32 requestId);
    error DeadlineOutOfRange(uint256 seconds_, uint256 maximum);
    error CallbackGasTooHigh(uint256 callbackGas, uint256 maximum);
    error FeeOutOfRange(uint256 fee);
    error WrongStatus(bytes32 requestId, RequestStatus status);
    /// The deadline has passed: only a refund is possible.
    error DeadlinePassed(bytes32 requestId, uint256 deadline);
    error DeadlineNotReached(bytes32 requestId, uint256 deadline);
    error AssertionDefeated(bytes32 assertionId);
    error AssertionNotFinal(bytes32 assertionId);
    /// The transaction has too little gas left to give the callback all that it was promised.
    error InsufficientGas(uint256 available, uint256 required);
    error FeeAlreadySpent(bytes32 requestId);

    /// @notice Records a request. Only for model contracts of the registry; the value sent is the fee.
    function request(
        address requester,
        bytes32 modelId,
        bytes32 inputCommitment,
        bytes calldata input,
        RequestOptions calldata options
    ) external payable returns (bytes32 requestId);

    /// @notice Brings a result: anybody may, once, before the deadline. The entry (request, commitment to `outputWords`) must be
    /// in an assertion that is not defeated, and that is final if the request asks for it.
    /// @param index of the entry in the assertion's list; `path` its siblings from the leaf upwards.
    /// @param outputWords the result's tensor as padded words.
    function deliver(
        bytes32 requestId,
        bytes32 assertionId,
        uint256 index,
        bytes32[] calldata path,
        bytes calldata outputWords
    ) external;

    /// @notice Gives the fee of a request that is still pending back to its requester (see `withdraw`), from the deadline on.
    function refund(bytes32 requestId) external;

    /// @notice Credits the fee of a delivered request to the sponsor of a final assertion that contains it: the first one claimed for.
    function claimFee(
        bytes32 requestId,
        bytes32 assertionId,
        uint256 index,
        bytes32 outputCommitment,
        bytes32[] calldata path
    ) external;

    /// @notice Gives the fee of a delivered request back if nobody has claimed it `CLAIM_PERIOD` seconds after the deadline.
    function reclaimFee(bytes32 requestId) external;

    /// @notice What the request's result is a function of. @custom:reverts UnknownRequest
    function facts(bytes32 requestId) external view returns (bytes32 modelId, bytes32 inputCommitment, bytes32 seed);

    /// @notice What these requests take to answer; reverts with `UnknownRequest` unless all of them were made.
    /// @return steps machine steps of all of them together, when every iteration of their models runs.
    function stepsOf(bytes32[] calldata requestIds) external view returns (uint256 steps);

    /// @notice The request as stored.
    function requestOf(bytes32 requestId) external view returns (Request memory);

    /// @notice Number of requests so far.
    function count() external view returns (uint256);
}
