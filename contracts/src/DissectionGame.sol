// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Batch} from "./Batch.sol";
import {
    Clock,
    Ending,
    Game,
    GamePhase,
    GameTerms,
    IDissectionGame,
    Parties,
    Pick,
    Split
} from "./interfaces/IDissectionGame.sol";
import {IOneStepVerifier} from "./interfaces/IOneStepVerifier.sol";
import {BlobClaims} from "./libraries/BlobClaims.sol";
import {Dissection} from "./libraries/Dissection.sol";
import {GameClock} from "./libraries/GameClock.sol";

/// @title The dissection game
/// @notice Knows no machine but `step`, and no client but the right to open and to close. See `IDissectionGame`.
///
/// Invariants (docs/dispute.md), beside `GameClock`'s 1 and 2:
/// 3. Whoever is to move disputes: the other claims that `step^(b−a)(c_j) = c_{j+1}` for a segment [a, b) that the mover chooses, and
///    a move claims another end for it. So of two parties of which one is honest, the honest one always has a segment whose start
///    is right and whose end is wrong.
/// 4. A game ends at most 2·allowance seconds after it was opened, whatever anybody does or omits.
/// 5. A move names the game, the split that it answers, by its length and its root, and the two states that it expects there; a game's
///    id names all that it was opened with: no transaction means anything else on another branch of the chain.
/// 6. The contract's balance is the stakes of the games that run, what it owes, and what was burnt: wei that stays here and that nothing
///    can move. What is paid and what is burnt adds up to the stakes.
/// 7. What the winner's moves are worth depends on their number and constants alone, never on a gas price that a block's builder sets.
contract DissectionGame is IDissectionGame, Batch {
    /// @inheritdoc IDissectionGame
    uint256 public constant OPENING_GAS = 180_000;
    /// @inheritdoc IDissectionGame
    uint256 public constant ANSWER_GAS = 70_000;
    /// @inheritdoc IDissectionGame
    uint256 public constant MOVE_GAS = 62_000;
    /// @inheritdoc IDissectionGame
    uint256 public constant PROOF_GAS = 245_000;
    /// @inheritdoc IDissectionGame
    uint256 public constant BLOB_PICK_GAS = 112_000;
    /// @inheritdoc IDissectionGame
    uint256 public constant ENDING_GAS = 150_000;

    uint256 private constant MAX_STEPS = 2 ** 48;
    /// @dev Gas is metered in hundreds.
    uint256 private constant WORK = 100;

    /// @notice Computes the one step that a game comes down to.
    IOneStepVerifier public immutable VERIFIER;
    /// @inheritdoc IDissectionGame
    uint256 public immutable GAS_PRICE;
    /// @inheritdoc IDissectionGame
    uint256 public immutable ARITY;
    /// @dev Segments of a block of claims: see `Dissection`. About the root of the arity, so that openings are short.
    uint256 private immutable BLOCK;

    mapping(bytes32 gameId => Game) private games;
    mapping(address account => mapping(address delegate => bool)) private delegates;

    /// @notice Deploys a game over one machine, with one price for metered gas.
    /// @param arityBits log2 of the segments of a split that travels as calldata, 1 to 6.
    constructor(IOneStepVerifier verifier, uint256 gasPrice, uint256 arityBits) {
        require(arityBits > 0 && arityBits <= 6, ArityOutOfRange(arityBits));
        VERIFIER = verifier;
        GAS_PRICE = gasPrice;
        ARITY = 2 ** arityBits;
        BLOCK = 2 ** (arityBits / 2);
    }

    /// @inheritdoc IDissectionGame
    function open(GameTerms calldata terms, Split calldata split) external payable returns (bytes32 gameId) {
        require(msg.sender == terms.client, NotTheClient(msg.sender, terms.client));
        require(terms.asserter != address(0) && terms.challenger != address(0), PartyMissing());
        require(terms.steps > 0 && terms.steps <= MAX_STEPS, StepsOutOfRange(terms.steps));
        require(terms.allowance > 0, AllowanceOutOfRange(terms.allowance));
        uint256 value = valueOfCall();
        require(value == terms.challengerStake, WrongValue(value, terms.challengerStake));
        gameId = idOf(terms);
        Game storage opened = games[gameId];
        require(opened.clock.recorded == GamePhase.None, GameExists(gameId));
        GameClock.save(
            opened.clock,
            Clock({
                start: 0,
                end: uint56(terms.steps),
                turnStartedAt: uint40(block.timestamp),
                asserterRemaining: terms.allowance,
                challengerRemaining: terms.allowance,
                recorded: GamePhase.AsserterToAnswer,
                closed: false,
                asserterWork: 0,
                challengerWork: uint16(OPENING_GAS / WORK)
            })
        );
        (bytes32[] memory states, bytes32 blob) = checkSplit(terms.steps, split);
        emit Opened(gameId, terms.asserter, terms.challenger, terms, states, blob);
        opened.claims = claimsOf(rootOf(terms.initialState, states, blob), terms.asserter, terms.challenger);
    }

    /// @inheritdoc IDissectionGame
    function answer(GameTerms calldata terms, Pick calldata pick, Split calldata split) external payable {
        bytes32 gameId = idOf(terms);
        Game storage current = games[gameId];
        Clock memory clock = current.clock;
        GamePhase now_ = GameClock.classify(clock, block.timestamp);
        require(now_ == GamePhase.AsserterToAnswer, WrongPhase(now_));
        collect(terms.asserterStake);
        play(gameId, current, clock, Parties(terms.asserter, terms.challenger), pick, split, ANSWER_GAS);
    }

    /// @inheritdoc IDissectionGame
    function move(bytes32 gameId, Parties calldata parties, Pick calldata pick, Split calldata split) external {
        Game storage current = games[gameId];
        Clock memory clock = current.clock;
        GamePhase now_ = GameClock.classify(clock, block.timestamp);
        require(now_ == GamePhase.AsserterToMove || now_ == GamePhase.ChallengerToMove, WrongPhase(now_));
        play(gameId, current, clock, parties, pick, split, MOVE_GAS);
    }

    /// @inheritdoc IDissectionGame
    function prove(GameTerms calldata terms, Pick calldata pick, bytes calldata proof) external {
        bytes32 gameId = idOf(terms);
        Game storage current = games[gameId];
        Clock memory clock = current.clock;
        GamePhase now_ = GameClock.classify(clock, block.timestamp);
        require(now_ != GamePhase.None && !GameClock.isOver(now_), WrongPhase(now_));
        bool paid = now_ != GamePhase.AsserterToAnswer;
        uint256 pickGas = takeTurn(current, clock, Parties(terms.asserter, terms.challenger), pick);
        uint256 steps = clock.end - clock.start;
        require(steps == 1, NotSingleStep(steps));

        bool moverWins = VERIFIER.step(pick.start, proof) != pick.end;
        bool asserterWins = moverWins == (now_ != GamePhase.ChallengerToMove);
        uint256 work = asserterWins ? clock.asserterWork : clock.challengerWork;
        // A proof that loses is no part of the winner's work.
        if (moverWins) work += (PROOF_GAS + pickGas) / WORK;
        finish(
            gameId,
            current,
            clock,
            Settlement({
                asserterWon: asserterWins,
                ending: moverWins ? Ending.Proof : Ending.Concession,
                own: asserterWins ? (paid ? terms.asserterStake : 0) : terms.challengerStake,
                other: asserterWins ? terms.challengerStake : (paid ? terms.asserterStake : 0),
                winner: asserterWins ? terms.asserter : terms.challenger,
                work: work
            })
        );
    }

    /// @inheritdoc IDissectionGame
    function claimTimeout(GameTerms calldata terms) external {
        bytes32 gameId = idOf(terms);
        Game storage current = games[gameId];
        Clock memory clock = current.clock;
        GamePhase now_ = GameClock.classify(clock, block.timestamp);
        require(GameClock.isOver(now_) && !GameClock.isOver(clock.recorded), WrongPhase(now_));
        endByClock(gameId, current, clock, terms, now_);
    }

    /// @inheritdoc IDissectionGame
    function close(GameTerms calldata terms) external returns (bool first, bool asserterWon) {
        require(msg.sender == terms.client, NotTheClient(msg.sender, terms.client));
        bytes32 gameId = idOf(terms);
        Game storage current = games[gameId];
        Clock memory clock = current.clock;
        GamePhase now_ = GameClock.classify(clock, block.timestamp);
        require(GameClock.isOver(now_), WrongPhase(now_));
        asserterWon = now_ == GamePhase.AsserterWon;
        if (clock.closed) return (false, asserterWon);
        first = true;
        clock.closed = true;
        if (clock.recorded == now_) GameClock.save(current.clock, clock);
        else endByClock(gameId, current, clock, terms, now_);
    }

    /// @inheritdoc IDissectionGame
    function setDelegate(address delegate, bool allowed) external {
        delegates[msg.sender][delegate] = allowed;
        emit DelegateSet(msg.sender, delegate, allowed);
    }

    /// @inheritdoc IDissectionGame
    function isDelegate(address account, address delegate) external view returns (bool) {
        return delegates[account][delegate];
    }

    /// @inheritdoc IDissectionGame
    function phase(bytes32 gameId) external view returns (GamePhase) {
        return GameClock.classify(games[gameId].clock, block.timestamp);
    }

    /// @inheritdoc IDissectionGame
    function game(bytes32 gameId) external view returns (Game memory) {
        return games[gameId];
    }

    /// @dev What `answer` and `move` have in common: the party to move splits a segment of the other's split.
    function play(
        bytes32 gameId,
        Game storage current,
        Clock memory clock,
        Parties memory parties,
        Pick calldata pick,
        Split calldata split,
        uint256 moveGas
    ) private {
        uint256 pickGas = takeTurn(current, clock, parties, pick);
        uint256 steps = clock.end - clock.start;
        require(steps > 1, SingleStep());
        require(split.end != pick.end, EndNotDisputed());
        GameClock.handOver(clock, block.timestamp, (moveGas + pickGas) / WORK);
        GameClock.save(current.clock, clock);
        (bytes32[] memory states, bytes32 blob) = checkSplit(steps, split);
        logMove(gameId, pick.segment, pick.start, states, blob);
        current.claims = claimsOf(rootOf(pick.start, states, blob), parties.asserter, parties.challenger);
    }

    /// @dev Checks that the caller has the turn, and that the segment is one of the claims that it answers. Puts the segment's bounds in
    /// the place of the split's in `clock`; returns the gas that opening the claims is metered at.
    function takeTurn(Game storage current, Clock memory clock, Parties memory parties, Pick calldata pick)
        private
        view
        returns (uint256 pickGas)
    {
        address party = clock.recorded == GamePhase.ChallengerToMove ? parties.challenger : parties.asserter;
        require(msg.sender == party || delegates[party][msg.sender], NotThePartyToMove(msg.sender, party));
        uint256 steps = clock.end - clock.start;
        require(pick.steps == steps, StaleMove(pick.steps, steps));

        bool asCalldata = pick.opening.length % 32 == 0;
        uint256 segments = asCalldata ? Dissection.segments(steps, ARITY) : BlobClaims.segments(steps);
        require(pick.segment < segments, SegmentOutOfRange(pick.segment, segments));
        bytes32 root = asCalldata
            ? Dissection.rootOf(pick.start, pick.end, pick.segment, segments, pick.opening, BLOCK)
            : BlobClaims.rootOf(pick.start, pick.end, pick.segment, segments, pick.opening);
        require(claimsOf(root, parties.asserter, parties.challenger) == current.claims, WrongOpening());
        (uint256 from, uint256 to) = Dissection.segment(clock.start, clock.end, pick.segment, segments);
        clock.start = uint48(from);
        clock.end = uint56(to);
        pickGas = asCalldata ? 0 : BLOB_PICK_GAS;
    }

    /// @dev What the log says of a split of `steps` steps: the states that came as calldata, and the blob that has the others.
    function checkSplit(uint256 steps, Split calldata split)
        private
        view
        returns (bytes32[] memory states, bytes32 blob)
    {
        bytes32[] calldata inner = split.inner;
        uint256 count = inner.length;
        uint256 expected = split.blob == 0 ? Dissection.segments(steps, ARITY) - 1 : 0;
        require(count == expected, WrongNumberOfStates(count, expected));
        if (split.blob > 0) {
            blob = blobhash(split.blob - 1);
            require(blob != 0, BlobMissing(split.blob));
        }
        bytes32 end = split.end;
        assembly ("memory-safe") {
            states := mload(0x40)
            let bytesOfInner := shl(5, count)
            let last := add(add(states, 0x20), bytesOfInner)
            mstore(states, add(count, 1))
            calldatacopy(add(states, 0x20), inner.offset, bytesOfInner)
            mstore(last, end)
            mstore(0x40, add(last, 0x20))
        }
    }

    /// @dev The root of the claims that begin with `first`; overwrites `states`, of which `checkSplit` made place.
    function rootOf(bytes32 first, bytes32[] memory states, bytes32 blob) private view returns (bytes32) {
        uint256 length = states.length;
        if (blob != 0) return BlobClaims.claimsRoot(first, blob, states[0]);
        uint256 start;
        assembly ("memory-safe") {
            start := states
            // c_0 takes the place of the length, right before the others.
            mstore(start, first)
        }
        return Dissection.claimsRoot(start, length, BLOCK);
    }

    /// @dev `emit Moved(gameId, segment, start, states, blob)`, which would copy the states one by one.
    function logMove(bytes32 gameId, uint256 segment, bytes32 start, bytes32[] memory states, bytes32 blob) private {
        bytes32 topic = Moved.selector;
        assembly ("memory-safe") {
            let data := mload(0x40)
            let size := add(0x20, shl(5, mload(states)))
            mstore(data, segment)
            mstore(add(data, 0x20), start)
            mstore(add(data, 0x40), 0x80)
            mstore(add(data, 0x60), blob)
            mcopy(add(data, 0x80), states, size)
            log2(data, add(0x80, size), topic, gameId)
        }
    }

    /// @dev How a game ends, and whose the stakes are.
    struct Settlement {
        bool asserterWon;
        Ending ending;
        address winner;
        uint256 own;
        uint256 other;
        /// The winner's, in hundreds of gas.
        uint256 work;
    }

    function endByClock(
        bytes32 gameId,
        Game storage current,
        Clock memory clock,
        GameTerms calldata terms,
        GamePhase end
    ) private {
        bool asserterWon = end == GamePhase.AsserterWon;
        // An asserter that never answered has brought no stake.
        uint256 asserterStake = clock.recorded == GamePhase.AsserterToAnswer ? 0 : terms.asserterStake;
        finish(
            gameId,
            current,
            clock,
            Settlement({
                asserterWon: asserterWon,
                ending: Ending.Timeout,
                winner: asserterWon ? terms.asserter : terms.challenger,
                own: asserterWon ? asserterStake : terms.challengerStake,
                other: asserterWon ? terms.challengerStake : asserterStake,
                work: asserterWon ? clock.asserterWork : clock.challengerWork
            })
        );
    }

    /// @dev Records the end and deals out the stakes; nothing changes a game after it but `close`.
    function finish(bytes32 gameId, Game storage current, Clock memory clock, Settlement memory end) private {
        // No move will open them again; the refund is the winner's.
        delete current.claims;
        clock.recorded = end.asserterWon ? GamePhase.AsserterWon : GamePhase.ChallengerWon;
        GameClock.save(current.clock, clock);
        uint256 worth = GAS_PRICE * (WORK * end.work + ENDING_GAS);
        uint256 reward = worth < end.other ? worth : end.other;
        uint256 burnt = end.other - reward;
        credit(end.winner, end.own + reward);
        emit Settled(gameId, end.winner, end.asserterWon, end.ending, end.own + reward, burnt);
    }

    /// @dev What storage keeps of claims: with the parties, so that they need no storage of their own.
    function claimsOf(bytes32 root, address asserter, address challenger) private pure returns (bytes32) {
        return keccak256(abi.encode(root, asserter, challenger));
    }

    /// @dev The id of the game with these terms.
    function idOf(GameTerms calldata terms) private pure returns (bytes32) {
        return keccak256(abi.encode(terms));
    }
}
