// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IBatch} from "./IBatch.sol";
import {GameTerms, Split} from "./IDissectionGame.sol";
import {ISpendableCredit} from "./ISpendableCredit.sol";

/// @notice Where an assertion stands at a moment.
enum AssertionPhase {
    None,
    /// Anybody may challenge an entry.
    Challengeable,
    /// The window is over, a game is not.
    Disputed,
    /// Nobody can challenge it any more; the list that it builds on is not final.
    Waiting,
    /// For good.
    Final,
    /// For good: a game was lost.
    Defeated
}

/// @notice An assertion as stored; its list is in the log of `Asserted`.
struct Assertion {
    /// Tree over `count` leaves keccak256(requestId ‖ outputCommitment), depth the least d with 2^d ≥ count; missing leaves 0,
    /// H(l, r) = keccak256(l ‖ r), H(0, 0) = 0.
    bytes32 root;
    address sponsor;
    /// Challenges are legal before this moment.
    uint40 challengeableUntil;
    uint16 count;
    uint24 openGames;
    /// Challengers that won, saturating at 255.
    uint8 defeats;
    /// The bond has left: to the sponsor, or what was left of it to nobody.
    bool bondReleased;
    /// The claim that this one builds on; 0 for none.
    bytes32 parent;
}

/// @notice An entry of an assertion's list, with its path: siblings from the leaf upwards.
struct Entry {
    uint256 index;
    bytes32 requestId;
    bytes32 outputCommitment;
    bytes32[] path;
}

/// @notice What a game about an inference of some number of steps costs and lasts.
struct Terms {
    /// Seconds on each party's clock.
    uint32 allowance;
    /// Wei that the asserter brings with its answer.
    uint96 asserterStake;
    /// Wei that the challenger brings with its challenge.
    uint96 challengerStake;
}

/// @notice What a deployment fixes, for good.
struct AssertionParameters {
    /// Seconds in which an assertion can be challenged, beside the time that running its inferences again takes.
    uint256 window;
    /// Wei that an assertion locks.
    uint256 bond;
    /// Wei of it for each winning challenger, as long as half of the bond lasts.
    uint256 bounty;
    /// An asserter's stake in a game: `baseStake` wei plus `stakePerGigastep` for 2^30 steps; a challenger's is
    /// `challengerFactor` times that.
    uint256 baseStake;
    uint256 stakePerGigastep;
    uint256 challengerFactor;
    /// Seconds on each clock: `baseAllowance` plus one for `stepsPerSecond` steps.
    uint256 baseAllowance;
    uint256 stepsPerSecond;
}

/// @title Assertions about results: instances (root, sponsor, nonce), each standing or falling by itself
/// @notice A sponsor asserts "request r has output o" for a list of requests, with a bond. Anybody may challenge one entry within
/// the window, and so opens a dissection game of its own; one lost game defeats the instance, never the root: anybody
/// may sponsor the same list beside it. An assertion is final when its window has passed, it has lost no game, and none is open.
///
/// A list may build on another: `parent` is that other's **claim**, keccak256(its parent, root, count), whoever sponsors it. All windows and games
/// run side by side; the child is final once it is undefeated itself and some instance of its parent's claim is final and `confirm`ed. So
/// whoever loses an instance of the parent on purpose harms no child.
interface IResultAssertions is ISpendableCredit, IBatch {
    /// @notice A sponsor asserted these results, building on the claim `parent`, or on none.
    event Asserted(
        bytes32 indexed assertionId,
        address indexed sponsor,
        bytes32 parent,
        bytes32 root,
        uint256 nonce,
        uint256 challengeableUntil,
        bytes32[] requestIds,
        bytes32[] outputCommitments
    );
    /// @notice An entry was challenged; the sponsor, or its delegate, has to answer in the game.
    event Challenged(
        bytes32 indexed assertionId,
        bytes32 indexed gameId,
        address indexed challenger,
        uint256 index,
        bytes32 requestId,
        bytes32 outputCommitment
    );
    /// @notice A game ended; its challenger was credited `bounty` wei, or none.
    event GameSettled(
        bytes32 indexed assertionId,
        bytes32 indexed gameId,
        address indexed challenger,
        bool asserterWon,
        uint256 bounty
    );
    /// @notice A claim is final: lists that build on it may become final too.
    event Confirmed(bytes32 indexed claim, bytes32 indexed assertionId);
    /// @notice The instance lost its first game.
    event Defeated(bytes32 indexed assertionId, bytes32 indexed gameId);
    /// @notice The bond left: `paid` to the sponsor, `burnt` to nobody.
    event BondReleased(bytes32 indexed assertionId, uint256 paid, uint256 burnt);

    error InvalidParameters();
    error UnknownAssertion(bytes32 assertionId);
    error WrongPhase(AssertionPhase phase);
    error EmptyAssertion();
    /// Running the list's inferences again would take until that moment: assert fewer at a time.
    error TooMuchWork(uint256 challengeableUntil);
    error TooManyEntries(uint256 count, uint256 maximum);
    error LengthMismatch(uint256 requestIds, uint256 outputCommitments);
    /// 0 commits to no output.
    error MissingOutput(uint256 index);
    /// The entry with its path is not in the assertion's list at that index.
    error NotAnEntry(bytes32 assertionId, uint256 index);
    /// The terms are not those of a game about this entry.
    error WrongGame();
    /// The final state that the challenger opened holds the asserted output: there is nothing to dispute.
    error NothingDisputed(bytes32 outputCommitment);
    /// The challenger's split does not end with the final state that it opened.
    error WrongFinalState(bytes32 given, bytes32 opened);
    error GamesOpen(uint256 openGames);
    error BondAlreadyReleased();

    /// @notice Asserts the output of each request. Takes `bond()`; every request must be in the inbox.
    /// @param parent the claim that this list builds on, 0 for none. It need not have been asserted yet.
    /// @return assertionId keccak256(claim, sponsor, the sponsor's nonce).
    function assertResults(bytes32 parent, bytes32[] calldata requestIds, bytes32[] calldata outputCommitments)
        external
        payable
        returns (bytes32 assertionId);

    /// @notice Challenges one entry, and opens the game about it. Takes the challenger's stake of `terms(requestId)`.
    /// @param opening of the final state that the challenger claims, for the word machine's `finalState`; it holds another output, or none.
    /// @param split the challenger's, of [0, N); `split.end` is that state.
    function challenge(bytes32 assertionId, Entry calldata entry, bytes calldata opening, Split calldata split)
        external
        payable
        returns (bytes32 gameId);

    /// @notice Takes note of a game's end, and ends it first if a clock has run out. Anybody may; a second call does nothing.
    /// @param requestId of the entry that the game is about, as is `outputCommitment`.
    /// @param terms that the game was opened with.
    function settle(bytes32 assertionId, bytes32 requestId, bytes32 outputCommitment, GameTerms calldata terms) external;

    /// @notice Notes that a final assertion's claim is final. Anybody may; a second call does nothing.
    function confirm(bytes32 assertionId) external;

    /// @notice Credits the bond to its sponsor once nobody can challenge the assertion any more; burns what is left of a defeated one's
    /// when no game is open. Once.
    function withdrawBond(bytes32 assertionId) external;

    /// @notice True if nothing can undo the assertion any more.
    function isFinal(bytes32 assertionId) external view returns (bool);

    /// @notice The phase now.
    function phase(bytes32 assertionId) external view returns (AssertionPhase);

    /// @notice The assertion as stored.
    function assertion(bytes32 assertionId) external view returns (Assertion memory);

    /// @notice Reverts unless the entry is in the list at that index.
    /// @return current phase of the assertion, and its sponsor.
    function checkEntry(
        bytes32 assertionId,
        uint256 index,
        bytes32 requestId,
        bytes32 outputCommitment,
        bytes32[] calldata path
    ) external view returns (AssertionPhase current, address sponsor);

    /// @notice Stakes and clock of a game about this request.
    function terms(bytes32 requestId) external view returns (Terms memory);

    /// @notice Stakes and clock of a game about an inference of `steps` steps.
    function termsOf(uint256 steps) external view returns (Terms memory);

    /// @notice What names a list and all that it builds on: keccak256(parent, root, count).
    function claimOf(bytes32 assertionId) external view returns (bytes32 claim);

    /// @notice True if some instance of the claim is final, and `confirm` has said so.
    function confirmed(bytes32 claim) external view returns (bool);

    /// @notice Wei that an assertion locks.
    function bond() external view returns (uint256);
    /// @notice Wei that a challenger gets for defeating an assertion, while half of the bond lasts.
    function bounty() external view returns (uint256);

    /// @notice Seconds in which an assertion can be challenged, beside those that running its inferences again takes: their steps
    /// together / the deployment's steps a second.
    function window() external view returns (uint256);
}
