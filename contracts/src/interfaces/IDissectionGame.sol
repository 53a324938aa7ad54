// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

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
    None,
    /// The mover proved a step of which the other had claimed another result.
    Proof,
    /// The mover proved a step just as the other had claimed it, and so lost.
    Concession,
    Timeout
}

/// @notice What a client fixes when it opens a game.
struct OpenParameters {
    /// Its answer comes through the client; later it moves by itself, and it is paid if it wins.
    address asserter;
    /// The value sent with `open` is its stake.
    address challenger;
    /// State 0, on which both sides agree: the client computed it.
    bytes32 initialState;
    /// What tells the client's games apart, and what it repeats when the asserter answers; opaque to the game.
    bytes32 binding;
    /// Number of steps `N`, 1 to 2^48. The dispute is about the state after them.
    uint64 steps;
    /// Seconds that each side may spend in total, at least 1.
    uint32 allowance;
    /// Wei that the answer has to bring: the asserter's stake.
    uint96 asserterStake;
}

/// @notice Bounds, clocks and turn of a game: one storage slot.
struct Clock {
    /// The split segment is the steps [start, end).
    uint56 start;
    uint56 end;
    /// When the party to move got its turn, in seconds of block time.
    uint40 turnStartedAt;
    /// Seconds that each party has left, not counting the running turn.
    uint32 asserterRemaining;
    uint32 challengerRemaining;
    /// The last phase that a transaction recorded.
    GamePhase recorded;
    Ending ending;
    /// Moves made, the answer included.
    uint8 asserterMoves;
    uint8 challengerMoves;
    bool paidOut;
}

/// @notice A game as stored.
struct Game {
    /// Merkle root over the end pairs of the current split; 0 before the answer.
    bytes32 claims;
    Clock clock;
    address asserter;
    uint96 asserterStake;
    address challenger;
    uint96 challengerStake;
}

/// @title 16-ary dissection of a disagreement about the state after `N` steps of a machine, down to one step
/// @notice A **split** of the steps [a, b), n = b − a, has m = min(16, n) segments; segment j is
/// [a + ⌊j·n/m⌋, a + ⌊(j+1)·n/m⌋). Its author claims the m + 1 states c_0 … c_m at the bounds; c_0 is agreed. Storage keeps the
/// **claims root**: of the tree with 16 leaves (depth 4), leaf j = keccak256(c_j ‖ c_{j+1}) for j < m, else 0, and
/// nodes H(l, r) = keccak256(l ‖ r), H(0, 0) = 0.
///
/// The asserter answers with a split of [0, N) (through the client, which knows what the last state must be). From then on
/// the party to move names a segment j of the other's split, opens its two states with one path, and
/// - if the segment has more than one step, gives its own split of it: the inner states, then **its own end, which must differ
///   from the other's** (`move`);
/// - if it has one step, proves the step (`prove`): it wins if the computed state is not the one that the other claimed.
///
/// A party whose clock has run out (elapsed ≥ remaining) can no longer move, and has lost.
interface IDissectionGame {
    /// @notice A client opened a game; the asserter's clock runs.
    event Opened(
        bytes32 indexed gameId,
        address indexed client,
        address indexed challenger,
        bytes32 initialState,
        bytes32 binding,
        uint64 steps,
        uint32 allowance,
        uint96 asserterStake,
        uint96 challengerStake
    );
    /// @notice The asserter split [0, N). `states` are the m − 1 inner states; c_0 is the initial state.
    event Answered(
        bytes32 indexed gameId, address indexed asserter, bytes32 claims, bytes32 finalState, bytes32[] states
    );
    /// @notice The party to move split segment `segment` of the previous split. `states` are the inner states and, last, its own
    /// end; c_0 is the previous split's c_segment. The states are in the log, not only in calldata: a move may come through
    /// any contract, and its opponent must be able to answer from logs alone.
    event Moved(bytes32 indexed gameId, uint256 segment, bytes32 claims, bytes32[] states);
    /// @notice The end. `winner` is the winning party.
    event Settled(bytes32 indexed gameId, address indexed winner, bool asserterWon, Ending ending);
    /// @notice The stakes left the contract: `paid` to the winner, `burnt` to nobody.
    event PaidOut(bytes32 indexed gameId, address indexed winner, uint256 paid, uint256 burnt);
    /// @notice `account` lets `delegate` move in its games, or no longer.
    event DelegateSet(address indexed account, address indexed delegate, bool allowed);

    error UnknownGame(bytes32 gameId);
    /// The same client has opened a game with the same parameters before.
    error GameExists(bytes32 gameId);
    error StepsOutOfRange(uint256 steps);
    error AllowanceOutOfRange(uint256 allowance);
    error PartyMissing();
    /// The call is not legal in the phase at this moment.
    error WrongPhase(GamePhase phase);
    /// The caller is neither the party to move nor its delegate.
    error NotThePartyToMove(address caller, address party);
    /// The caller has opened no such game with this initial state and binding.
    error NotTheGameOpened(bytes32 gameId);
    /// The move answers claims that are not, or no longer, the game's: a replay, or the chain was reorganised.
    error StaleClaims(bytes32 expected, bytes32 actual);
    error SegmentOutOfRange(uint256 segment, uint256 segments);
    /// `start`, `end` and `path` do not open segment `segment` of the claims.
    error WrongOpening();
    error WrongNumberOfStates(uint256 given, uint256 expected);
    /// A move must end in a state other than the one it disputes.
    error EndNotDisputed();
    /// The segment has one step: `prove` it.
    error SingleStep();
    /// The segment has more than one step: `move`.
    error NotSingleStep(uint256 steps);
    error WrongStake(uint256 given, uint256 expected);
    error AlreadyPaidOut(bytes32 gameId);

    /// @notice Opens a game between two accounts that the caller, the client, names; the value sent is the challenger's stake.
    /// @return gameId keccak256 of the client and all parameters: the same on every branch of a reorganised chain.
    function open(OpenParameters calldata parameters) external payable returns (bytes32 gameId);

    /// @notice The asserter's split of [0, N), sent by the client that opened the game, with the asserter's stake as value.
    /// The client vouches for `finalState` being what the asserter has to defend.
    /// @param initialState repeated from `open`, as is `binding`: the id tells whether they and the caller are the right ones.
    /// @param states the states at the m − 1 inner bounds.
    function answer(
        bytes32 gameId,
        bytes32 initialState,
        bytes32 binding,
        bytes32 finalState,
        bytes32[] calldata states
    ) external payable;

    /// @notice Splits one segment of the other's split.
    /// @param expectedClaims claims root that this move answers.
    /// @param segment number j of the segment; more than one step long.
    /// @param start its first state c_j, and `end` c_{j+1}, as the other claimed them; `path` opens the pair.
    /// @param states the mover's states at the m' − 1 inner bounds, and its own end, which is not `end`.
    function move(
        bytes32 gameId,
        bytes32 expectedClaims,
        uint256 segment,
        bytes32 start,
        bytes32 end,
        bytes32[4] calldata path,
        bytes32[] calldata states
    ) external;

    /// @notice Ends the game: computes the state after the one step of a segment. The caller wins if it is not `end`, else loses.
    /// @param proof for the one-step verifier.
    function prove(
        bytes32 gameId,
        bytes32 expectedClaims,
        uint256 segment,
        bytes32 start,
        bytes32 end,
        bytes32[4] calldata path,
        bytes calldata proof
    ) external;

    /// @notice Records that a party's clock has run out. Anybody may.
    function claimTimeout(bytes32 gameId) external;

    /// @notice Pays the winner its stake and, out of the loser's, its moves at metered gas; burns the rest. Anybody may, once.
    function payOut(bytes32 gameId) external;

    /// @notice Lets `delegate` move for the caller in all of its games, or no longer.
    function setDelegate(address delegate, bool allowed) external;

    /// @notice True if `delegate` may move for `account`.
    function isDelegate(address account, address delegate) external view returns (bool);

    /// @notice The phase now; `AsserterWon` and `ChallengerWon` are for good.
    function phase(bytes32 gameId) external view returns (GamePhase);

    /// @notice The phase now, and the challenger.
    function outcome(bytes32 gameId) external view returns (GamePhase phase, address challenger);

    /// @notice The game as stored.
    function game(bytes32 gameId) external view returns (Game memory);

    /// @notice Gas at which the winner's part in a game is metered: for its opening or answer, each later move, and the proof.
    function OPENING_GAS() external view returns (uint256);
    function MOVE_GAS() external view returns (uint256);
    function PROOF_GAS() external view returns (uint256);

    /// @notice Wei at which a unit of metered gas is paid.
    function GAS_PRICE() external view returns (uint256);
}
