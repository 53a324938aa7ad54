// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {IInbox, RequestStatus} from "../interfaces/IInbox.sol";
import {IInferenceConsumer} from "../interfaces/IInferenceConsumer.sol";
import {IModelContract} from "../interfaces/IModelContract.sol";

/// @notice The model's own function, as its signature says: `detect(string)->(string)`.
interface ILanguageDetector is IModelContract {
    /// @notice Asks for the language of a text.
    function detect(string calldata text) external payable returns (bytes32 requestId);
}

/// @title A forum that admits posts in the languages its members chose
/// @notice Members join with a language they read. A post is shown once a language detector has said, finally, that it is in one of
/// them; its author pays for the detection, and gets the fee back if nobody answers in time.
contract Forum is IInferenceConsumer {
    enum PostStatus {
        None,
        Submitted,
        Published,
        Rejected,
        Expired
    }

    struct Post {
        address author;
        PostStatus status;
        string text;
        string language;
    }

    /// @notice Somebody reads posts in this language.
    event Joined(address indexed member, string language);
    /// @notice A post waits for the detector.
    event Submitted(bytes32 indexed postId, address indexed author, string text);
    /// @notice The post is in a language that somebody reads.
    event Published(bytes32 indexed postId, string language);
    /// @notice The post is in a language that nobody reads.
    event Rejected(bytes32 indexed postId, string language);
    /// @notice No answer came in time: the author has the fee back.
    event Expired(bytes32 indexed postId, address indexed author, uint256 fee);

    error NotTheInbox(address caller);
    error NotSubmitted(bytes32 postId);

    /// @notice The model that is asked.
    ILanguageDetector public immutable DETECTOR;
    /// @notice Brings the callbacks.
    IInbox public immutable INBOX;

    mapping(bytes32 language => uint256) private readers;
    mapping(address member => bytes32) private languageOf;
    mapping(bytes32 postId => Post) private posts;

    constructor(ILanguageDetector detector, IInbox inbox) {
        DETECTOR = detector;
        INBOX = inbox;
    }

    /// @notice Refunds arrive here.
    receive() external payable {}

    /// @notice Joins with the language that the caller reads, e.g. `deu`, or changes it.
    function join(string calldata language) external {
        bytes32 before = languageOf[msg.sender];
        if (before != 0) readers[before] -= 1;
        bytes32 chosen = keccak256(bytes(language));
        languageOf[msg.sender] = chosen;
        readers[chosen] += 1;
        emit Joined(msg.sender, language);
    }

    /// @notice Submits a post; the value sent must be `price()`.
    function post(string calldata text) external payable returns (bytes32 postId) {
        postId = DETECTOR.detect{value: msg.value}(text);
        posts[postId] = Post(msg.sender, PostStatus.Submitted, text, "");
        emit Submitted(postId, msg.sender, text);
    }

    /// @inheritdoc IInferenceConsumer
    function onInferenceResult(bytes32 requestId, bytes calldata result) external {
        require(msg.sender == address(INBOX), NotTheInbox(msg.sender));
        Post storage submitted = posts[requestId];
        require(submitted.status == PostStatus.Submitted, NotSubmitted(requestId));
        string memory language = abi.decode(result, (string));
        submitted.language = language;
        if (admits(language)) {
            submitted.status = PostStatus.Published;
            emit Published(requestId, language);
        } else {
            submitted.status = PostStatus.Rejected;
            emit Rejected(requestId, language);
        }
    }

    /// @notice Gives up a post that nobody answered before the deadline, and returns the fee to its author.
    function expire(bytes32 postId) external {
        Post storage submitted = posts[postId];
        require(submitted.status == PostStatus.Submitted, NotSubmitted(postId));
        submitted.status = PostStatus.Expired;
        // Anybody may have asked the inbox for the refund already.
        if (INBOX.requestOf(postId).status != RequestStatus.Refunded) INBOX.refund(postId);
        INBOX.withdraw(address(this));
        uint256 fee = INBOX.requestOf(postId).fee;
        emit Expired(postId, submitted.author, fee);
        SafeTransferLib.safeTransferETH(submitted.author, fee);
    }

    /// @notice Wei that a post costs.
    function price() external view returns (uint256) {
        return DETECTOR.defaultFee();
    }

    /// @notice A post, by the id that `post` returned.
    function postOf(bytes32 postId) external view returns (Post memory) {
        return posts[postId];
    }

    /// @notice True if a member reads this language.
    function admits(string memory language) public view returns (bool) {
        return readers[keccak256(bytes(language))] > 0;
    }
}
