// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Finality, IInbox, Request, RequestOptions, RequestStatus} from "./interfaces/IInbox.sol";
import {IInferenceConsumer} from "./interfaces/IInferenceConsumer.sol";
import {IModelContract} from "./interfaces/IModelContract.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {AssertionPhase, IResultAssertions} from "./interfaces/IResultAssertions.sol";
import {Tensor} from "./machine/TensorCommitment.sol";
import {PullPayments} from "./PullPayments.sol";

/// @title Requests, in order
/// @notice See `IInbox`. Invariants:
/// 1. A request is pending, then exactly one of delivered and refunded, for good: delivery is legal before its deadline, refund from it on.
/// 2. Its fee leaves escrow once: back to the requester, or to one sponsor.
/// 3. The contract's balance is the fees in escrow plus what it owes.
/// 4. A callback gets exactly the gas that was asked for, is made at most once, and can neither stop the delivery nor make anybody
///    else's call fail: state is written before it, its return data is not read, and gas is kept back for what follows.
/// 5. No output of a model decides who asked, who paid, or in which order.
contract Inbox is IInbox, PullPayments {
    /// @notice Longest time until a deadline, in seconds.
    uint256 public constant MAX_DEADLINE = 3650 days;
    /// @notice Most gas that a callback can ask for: it has to fit a transaction beside the delivery.
    uint256 public constant MAX_CALLBACK_GAS = 8_000_000;
    /// @notice Seconds after the deadline in which the fee of a delivered request can be claimed and not be taken back.
    uint256 public constant CLAIM_PERIOD = 90 days;

    /// @dev Gas for a call to a cold account, and for the log after the callback; and for each byte of the result in that log.
    uint256 private constant CALLBACK_RESERVE = 20_000;
    uint256 private constant CALLBACK_RESERVE_PER_BYTE = 16;

    /// @notice Says which contracts are models.
    IModelRegistry public immutable REGISTRY;
    /// @notice Says which results stand.
    IResultAssertions public immutable RESULTS;
    /// @notice Seconds until the deadline of a request that names none.
    uint256 public immutable DEFAULT_DEADLINE;

    /// @inheritdoc IInbox
    uint256 public count;
    mapping(bytes32 requestId => Request) private requests;

    constructor(IModelRegistry registry, IResultAssertions results, uint256 defaultDeadline) {
        require(
            defaultDeadline > 0 && defaultDeadline <= MAX_DEADLINE, DeadlineOutOfRange(defaultDeadline, MAX_DEADLINE)
        );
        REGISTRY = registry;
        RESULTS = results;
        DEFAULT_DEADLINE = defaultDeadline;
    }

    /// @inheritdoc IInbox
    function request(
        address requester,
        bytes32 modelId,
        bytes32 inputCommitment,
        bytes calldata input,
        RequestOptions calldata options
    ) external payable returns (bytes32 requestId) {
        require(modelId != 0 && REGISTRY.modelIdOf(msg.sender) == modelId, NotAModelContract(msg.sender));
        require(options.deadlineSeconds <= MAX_DEADLINE, DeadlineOutOfRange(options.deadlineSeconds, MAX_DEADLINE));
        require(options.callbackGas <= MAX_CALLBACK_GAS, CallbackGasTooHigh(options.callbackGas, MAX_CALLBACK_GAS));
        require(msg.value <= type(uint96).max, FeeOutOfRange(msg.value));
        uint256 index = count++;
        uint256 deadline = block.timestamp + (options.deadlineSeconds == 0 ? DEFAULT_DEADLINE : options.deadlineSeconds);
        requestId = keccak256(
            abi.encode(
                block.chainid,
                address(this),
                index,
                msg.sender,
                requester,
                inputCommitment,
                options,
                deadline,
                msg.value
            )
        );
        requests[requestId] = Request({
            model: msg.sender,
            deadline: uint40(deadline),
            callbackGas: options.callbackGas,
            finality: options.finality,
            status: RequestStatus.Pending,
            feeSpent: false,
            requester: requester,
            fee: uint96(msg.value),
            inputCommitment: inputCommitment,
            seed: options.seed
        });
        emit Requested(
            requestId,
            modelId,
            requester,
            index,
            msg.sender,
            input,
            inputCommitment,
            options.seed,
            options.finality,
            options.callbackGas,
            deadline,
            msg.value
        );
    }

    /// @inheritdoc IInbox
    function deliver(
        bytes32 requestId,
        bytes32 assertionId,
        uint256 index,
        bytes32[] calldata path,
        bytes calldata outputWords
    ) external {
        Request storage pending = stored(requestId);
        require(pending.status == RequestStatus.Pending, WrongStatus(requestId, pending.status));
        require(block.timestamp < pending.deadline, DeadlinePassed(requestId, pending.deadline));
        (AssertionPhase phase,) = RESULTS.checkEntry(assertionId, index, requestId, Tensor.commit(outputWords), path);
        require(phase != AssertionPhase.Defeated, AssertionDefeated(assertionId));
        require(phase == AssertionPhase.Final || pending.finality == Finality.Asserted, AssertionNotFinal(assertionId));
        pending.status = RequestStatus.Delivered;
        bytes memory result = IModelContract(pending.model).decodeOutput(outputWords);
        bool succeeded = callBack(pending.requester, pending.callbackGas, requestId, result);
        emit Delivered(requestId, assertionId, result, succeeded);
    }

    /// @inheritdoc IInbox
    function refund(bytes32 requestId) external {
        Request storage pending = stored(requestId);
        require(pending.status == RequestStatus.Pending, WrongStatus(requestId, pending.status));
        require(block.timestamp >= pending.deadline, DeadlineNotReached(requestId, pending.deadline));
        pending.status = RequestStatus.Refunded;
        emit Refunded(requestId, pending.requester, spendFee(requestId, pending, pending.requester));
    }

    /// @inheritdoc IInbox
    function claimFee(
        bytes32 requestId,
        bytes32 assertionId,
        uint256 index,
        bytes32 outputCommitment,
        bytes32[] calldata path
    ) external {
        Request storage delivered = stored(requestId);
        require(delivered.status == RequestStatus.Delivered, WrongStatus(requestId, delivered.status));
        (AssertionPhase phase, address sponsor) =
            RESULTS.checkEntry(assertionId, index, requestId, outputCommitment, path);
        require(phase == AssertionPhase.Final, AssertionNotFinal(assertionId));
        emit FeeClaimed(requestId, assertionId, sponsor, spendFee(requestId, delivered, sponsor));
    }

    /// @inheritdoc IInbox
    function reclaimFee(bytes32 requestId) external {
        Request storage delivered = stored(requestId);
        require(delivered.status == RequestStatus.Delivered, WrongStatus(requestId, delivered.status));
        uint256 from = delivered.deadline + CLAIM_PERIOD;
        require(block.timestamp >= from, DeadlineNotReached(requestId, from));
        emit FeeReclaimed(requestId, delivered.requester, spendFee(requestId, delivered, delivered.requester));
    }

    /// @inheritdoc IInbox
    function facts(bytes32 requestId) external view returns (bytes32 modelId, bytes32 inputCommitment, bytes32 seed) {
        Request storage asked = stored(requestId);
        return (REGISTRY.modelIdOf(asked.model), asked.inputCommitment, asked.seed);
    }

    /// @inheritdoc IInbox
    function stepsOf(bytes32[] calldata requestIds) external view returns (uint256 steps) {
        address model;
        uint256 stepsEach;
        for (uint256 i = 0; i < requestIds.length; ++i) {
            address asked = stored(requestIds[i]).model;
            // Requests for one model often stand side by side.
            if (asked != model) (model, stepsEach) = (asked, REGISTRY.stepsOf(REGISTRY.modelIdOf(asked)));
            steps += stepsEach;
        }
    }

    /// @inheritdoc IInbox
    function requestOf(bytes32 requestId) external view returns (Request memory) {
        return requests[requestId];
    }

    /// @dev The request; reverts if there is none.
    function stored(bytes32 requestId) private view returns (Request storage found) {
        found = requests[requestId];
        require(found.status != RequestStatus.None, UnknownRequest(requestId));
    }

    /// @dev Moves the fee from escrow to `account`'s credit.
    function spendFee(bytes32 requestId, Request storage from, address account) private returns (uint256 fee) {
        require(!from.feeSpent, FeeAlreadySpent(requestId));
        from.feeSpent = true;
        fee = from.fee;
        credit(account, fee);
    }

    /// @dev Calls the requester with exactly `callbackGas`, and reverts if that much is not there. True if the callback succeeded.
    function callBack(address requester, uint256 callbackGas, bytes32 requestId, bytes memory result)
        private
        returns (bool succeeded)
    {
        if (callbackGas == 0 || requester.code.length == 0) return false;
        bytes memory data = abi.encodeCall(IInferenceConsumer.onInferenceResult, (requestId, result));
        // A call gets at most 63/64 of what is left (EIP-150).
        uint256 required = callbackGas * 64 / 63 + CALLBACK_RESERVE + CALLBACK_RESERVE_PER_BYTE * data.length;
        require(gasleft() >= required, InsufficientGas(gasleft(), required));
        assembly ("memory-safe") {
            succeeded := call(callbackGas, requester, 0, add(data, 0x20), mload(data), 0, 0)
        }
    }
}
