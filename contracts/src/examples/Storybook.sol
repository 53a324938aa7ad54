// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {Finality, IInbox, RequestOptions, RequestStatus} from "../interfaces/IInbox.sol";
import {IInferenceConsumer} from "../interfaces/IInferenceConsumer.sol";
import {IModelContract} from "../interfaces/IModelContract.sol";

/// @notice A language model of text, as its signature says: `complete(string)->(string)`.
interface ITextModel is IModelContract {
    /// @notice Asks for a continuation of a text.
    function complete(string calldata text, RequestOptions calldata options)
        external
        payable
        returns (bytes32 requestId);
}

/// @notice A language model of tokens: `generate(int32[])->(int32[])`.
interface ITokenModel is IModelContract {
    /// @notice Asks for tokens that go on from others.
    function generate(int32[] calldata prompt, RequestOptions calldata options)
        external
        payable
        returns (bytes32 requestId);
}

/// @title A book of stories that begin with somebody's words and go on with a language model's
/// @notice The model draws from the seed that the book gives it, so that the same opening leads to another story each time. The book
/// keeps the hash of a continuation, and tells the continuation in its log.
contract Storybook is IInferenceConsumer {
    struct Story {
        address author;
        /// Hash of the continuation as the callback brought it; 0 before.
        bytes32 continuation;
    }

    /// @notice A story has an opening, and waits for its continuation.
    event Begun(bytes32 indexed storyId, address indexed author);
    /// @notice The continuation came.
    /// @param continuation the model's result, ABI encoded: a string, or the numbers of tokens (each plus 1).
    event Continued(bytes32 indexed storyId, bytes continuation);
    /// @notice No continuation came in time: its author has the fee back.
    event Expired(bytes32 indexed storyId, address indexed author, uint256 fee);

    error NotTheInbox(address caller);
    error NotAwaited(bytes32 storyId);

    /// @notice Gas of the callback: enough for the longest answer in a log.
    uint32 public constant CALLBACK_GAS = 300_000;

    /// @notice The language model that is asked.
    address public immutable MODEL;
    /// @notice Brings the callbacks.
    IInbox public immutable INBOX;

    uint256 private begun;
    mapping(bytes32 storyId => Story) private stories;

    constructor(address model, IInbox inbox) {
        MODEL = model;
        INBOX = inbox;
    }

    /// @notice Refunds arrive here.
    receive() external payable {}

    /// @notice Begins a story with a text; the value sent must be `price()`.
    function begin(string calldata opening) external payable returns (bytes32 storyId) {
        storyId = ITextModel(MODEL).complete{value: msg.value}(opening, options());
        record(storyId);
    }

    /// @notice Begins a story with a prompt as a token model takes it; the value sent must be `price()`.
    function beginWithTokens(int32[] calldata prompt) external payable returns (bytes32 storyId) {
        storyId = ITokenModel(MODEL).generate{value: msg.value}(prompt, options());
        record(storyId);
    }

    /// @inheritdoc IInferenceConsumer
    function onInferenceResult(bytes32 requestId, bytes calldata result) external {
        require(msg.sender == address(INBOX), NotTheInbox(msg.sender));
        Story storage story = stories[requestId];
        require(isAwaited(story), NotAwaited(requestId));
        story.continuation = keccak256(result);
        emit Continued(requestId, result);
    }

    /// @notice Gives up a story that nobody continued before the deadline, and returns the fee to its author.
    function expire(bytes32 storyId) external {
        Story memory story = stories[storyId];
        require(isAwaited(story), NotAwaited(storyId));
        delete stories[storyId];
        // Anybody may have asked the inbox for the refund already.
        if (INBOX.requestOf(storyId).status != RequestStatus.Refunded) INBOX.refund(storyId);
        INBOX.withdraw(address(this));
        uint256 fee = INBOX.requestOf(storyId).fee;
        emit Expired(storyId, story.author, fee);
        SafeTransferLib.safeTransferETH(story.author, fee);
    }

    /// @notice Wei that a story costs.
    function price() external view returns (uint256) {
        return IModelContract(MODEL).fee(CALLBACK_GAS);
    }

    /// @notice A story, by the id that `begin` returned.
    function storyOf(bytes32 storyId) external view returns (Story memory) {
        return stories[storyId];
    }

    function isAwaited(Story memory story) private pure returns (bool) {
        return story.author != address(0) && story.continuation == 0;
    }

    function record(bytes32 storyId) private {
        stories[storyId].author = msg.sender;
        emit Begun(storyId, msg.sender);
    }

    function options() private returns (RequestOptions memory) {
        // Nobody gains by choosing the seed, so a block's own randomness is enough.
        bytes32 seed = keccak256(abi.encode(block.prevrandao, address(this), begun++));
        return RequestOptions(Finality.Final, CALLBACK_GAS, 0, seed);
    }
}
