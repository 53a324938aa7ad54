// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IBatch} from "./IBatch.sol";
import {ISpendableCredit} from "./ISpendableCredit.sol";

/// @notice Where a game stands at a moment. The phase at a moment is computed from the clocks; a party whose time has run out
/// has lost, whether or not a transaction has recorded it.
enum GamePhase {
    None,
    AsserterToAnswer,
    AsserterToMove,
    ChallengerToMove,
    AsserterWon,
    ChallengerWon
}

/// @notice Why a game ended.
enum Ending {
    /// The mover proved a step of which the other had claimed another result.
    Proof,
    /// The mover proved a step just as the other had claimed it, and so lost.
    Concession,
    Timeout
}

/// @notice All that a game is opened with. Its hash is the game's id, so that nothing in it needs storage: calls repeat it.
struct GameTerms {
    /// The contract that opened the game, and that closes it.
    address client;
    address asserter;
    address challenger;
    /// State 0, on which both sides agree: the client computed it.
    bytes32 initialState;
    /// What tells the client's games apart; opaque to the game.
    bytes32 binding;
    /// Number of steps `N`, 1 to 2^48. The dispute is about the state after them.
    uint64 steps;
    /// Seconds that each side may spend in total, at least 1.
    uint32 allowance;
    /// Wei that the answer has to bring.
    uint96 asserterStake;
    /// Wei that came with `open`.
    uint96 challengerStake;
}

/// @notice The two who play, as the game's claims commit to them.
struct Parties {
    address asserter;
    address challenger;
}

/// @notice A claim of the states at the bounds of a split whose first state is agreed.
struct Split {
    /// The claimed state after the last step.
    bytes32 end;
    /// The m − 1 states at the inner bounds; empty if a blob carries them.
    bytes32[] inner;
    /// 0: `inner` has them; else the blob with number `blob − 1` of the transaction.
    uint256 blob;
}

/// @notice The segment of the other's split that a move disputes.
struct Pick {
    /// Number of steps of the split that is answered. It falls with every move, and so names the move's place in the game.
    uint256 steps;
    /// Number j of the segment.
    uint256 segment;
    /// Its first state c_j and its last c_{j+1}, as the other claimed them.
    bytes32 start;
    bytes32 end;
    /// Opens both: see `Dissection` for claims that came as calldata, `BlobClaims` for those in a blob.
    bytes opening;
}

/// @notice Bounds, clocks and turn of a game: one storage slot.
struct Clock {
    /// The split segment is the steps [start, end).
    uint48 start;
    uint56 end;
    /// When the party to move got its turn, in seconds of block time.
    uint40 turnStartedAt;
    /// Seconds that each party has left, not counting the running turn.
    uint32 asserterRemaining;
    uint32 challengerRemaining;
    /// The last phase that a transaction recorded.
    GamePhase recorded;
    /// The client has taken note of the end.
    bool closed;
    /// What each party's transactions are metered at, in hundreds of gas. The asserter's is 0 until it has answered.
    uint16 asserterWork;
    uint16 challengerWork;
}

/// @notice A game as stored: two slots.
struct Game {
    /// keccak256(root of the current claims ‖ asserter ‖ challenger).
    bytes32 claims;
    Clock clock;
}

/// @title Dissection of a disagreement about the state after `N` steps of a machine, down to one step
/// @notice A **split** of the steps [a, b), n = b − a, has m segments; segment j is [a + ⌊j·n/m⌋, a + ⌊(j+1)·n/m⌋). Its author claims
/// the m + 1 states c_0 … c_m at the bounds; c_0 is agreed. Claims travel as calldata (m = `ARITY`, or n if that is at most twice as
/// much) or, all but the last, in a blob (m = min(4096, n)), as the author likes at each move. Storage keeps one hash of them.
///
/// The challenger opens the game (through the client, which knows what the last state must not be) with a split of [0, N). From then
/// on the party to move, the asserter first, names a segment j of the other's split, opens its two states, and
/// - if the segment has more than one step, gives its own split of it, in which **the end must differ from the other's**
///   (`answer` for the asserter's first, which brings its stake; then `move`);
/// - if it has one step, proves the step (`prove`): it wins if the computed state is not the one that the other claimed.
///
/// A party whose clock has run out (elapsed ≥ remaining) can no longer move, and has lost. What a winner is owed is credited, and
/// fetched with `withdraw`; what is burnt stays in the contract for good.
interface IDissectionGame is ISpendableCredit, IBatch {
    /// @notice A client opened a game with the challenger's split; the asserter's clock runs. `states` are the inner states, unless
    /// `blob` (a versioned hash) has them, and the end; c_0 is the initial state. The states are in the log, not only in calldata: a move
    /// may come through any contract, and its opponent must be able to answer from logs alone.
    event Opened(
        bytes32 indexed gameId,
        address indexed asserter,
        address indexed challenger,
        GameTerms terms,
        bytes32[] states,
        bytes32 blob
    );
    /// @notice The party to move split segment `segment` of the previous split; c_0 is `start`; `states` and `blob` as in `Opened`.
    event Moved(bytes32 indexed gameId, uint256 segment, bytes32 start, bytes32[] states, bytes32 blob);
    /// @notice The end. `winner`, the winning party, was credited `paid` wei; `burnt` is nobody's.
    event Settled(
        bytes32 indexed gameId, address indexed winner, bool asserterWon, Ending ending, uint256 paid, uint256 burnt
    );
    /// @notice `account` lets `delegate` move in its games, or no longer.
    event DelegateSet(address indexed account, address indexed delegate, bool allowed);

    /// The same client has opened a game with the same terms before.
    error GameExists(bytes32 gameId);
    error StepsOutOfRange(uint256 steps);
    error AllowanceOutOfRange(uint256 allowance);
    error PartyMissing();
    /// The call is not legal in the phase at this moment.
    error WrongPhase(GamePhase phase);
    /// The caller is neither the party to move nor its delegate.
    error NotThePartyToMove(address caller, address party);
    /// Only the contract that opened a game does this.
    error NotTheClient(address caller, address client);
    /// The move is about a split of another length: a replay, or the chain was reorganised.
    error StaleMove(uint256 given, uint256 actual);
    error SegmentOutOfRange(uint256 segment, uint256 segments);
    /// The states, their opening and the parties are not those of the game's claims.
    error WrongOpening();
    error WrongNumberOfStates(uint256 given, uint256 expected);
    /// The transaction has no blob of that number.
    error BlobMissing(uint256 blob);
    /// A move must end in a state other than the one it disputes.
    error EndNotDisputed();
    /// The segment has one step: `prove` it.
    error SingleStep();
    /// The segment has more than one step: `move`.
    error NotSingleStep(uint256 steps);
    error ArityOutOfRange(uint256 arityBits);

    /// @notice Opens a game that the caller, the client, is asked for by the challenger; the value sent is the challenger's stake.
    /// The client vouches for `split.end` being a state that the asserter has to deny.
    /// @param terms with the caller as client and the value sent as the challenger's stake.
    /// @param split the challenger's, of [0, N).
    /// @return gameId keccak256 of the terms: the same on every branch of a reorganised chain.
    function open(GameTerms calldata terms, Split calldata split) external payable returns (bytes32 gameId);

    /// @notice The asserter's first move. Its stake is the value sent and, if that is less, credit of the caller's.
    function answer(GameTerms calldata terms, Pick calldata pick, Split calldata split) external payable;

    /// @notice Any later move: splits one segment of the other's split, more than one step long.
    function move(bytes32 gameId, Parties calldata parties, Pick calldata pick, Split calldata split) external;

    /// @notice Ends the game: computes the state after the one step of a segment. The caller wins if it is not `pick.end`, else loses.
    /// @param proof for the one-step verifier.
    function prove(GameTerms calldata terms, Pick calldata pick, bytes calldata proof) external;

    /// @notice Ends a game in which a party's clock has run out. Anybody may.
    function claimTimeout(GameTerms calldata terms) external;

    /// @notice The client takes note of the end; ends the game first if a clock has run out.
    /// @return first true for the first such call, which alone changes anything.
    /// @return asserterWon true if the asserter did.
    function close(GameTerms calldata terms) external returns (bool first, bool asserterWon);

    /// @notice Lets `delegate` move for the caller in all of its games, or no longer.
    function setDelegate(address delegate, bool allowed) external;

    /// @notice True if `delegate` may move for `account`.
    function isDelegate(address account, address delegate) external view returns (bool);

    /// @notice The phase now; `AsserterWon` and `ChallengerWon` are for good.
    function phase(bytes32 gameId) external view returns (GamePhase);

    /// @notice The game as stored.
    function game(bytes32 gameId) external view returns (Game memory);

    /// @notice Segments of a split that travels as calldata: a power of two; up to twice as many in the last one.
    function ARITY() external view returns (uint256);

    /// @notice Gas at which the winner's part in a game is metered: here for opening it.
    function OPENING_GAS() external view returns (uint256);
    /// @notice For the asserter's answer.
    function ANSWER_GAS() external view returns (uint256);
    /// @notice For each later move.
    function MOVE_GAS() external view returns (uint256);
    /// @notice For the proof.
    function PROOF_GAS() external view returns (uint256);
    /// @notice For opening claims that the other put into a blob.
    function BLOB_PICK_GAS() external view returns (uint256);
    /// @notice For the end: settling it, fetching what it brings, and a last split of more segments than others.
    function ENDING_GAS() external view returns (uint256);

    /// @notice Wei at which a unit of metered gas is paid.
    function GAS_PRICE() external view returns (uint256);
}
