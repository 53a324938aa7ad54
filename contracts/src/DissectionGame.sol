// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {Clock, Ending, Game, GamePhase, IDissectionGame, OpenParameters} from "./interfaces/IDissectionGame.sol";
import {IOneStepVerifier} from "./interfaces/IOneStepVerifier.sol";
import {Burn} from "./libraries/Burn.sol";
import {Dissection} from "./libraries/Dissection.sol";
import {GameClock} from "./libraries/GameClock.sol";

/// @title The dissection game
/// @notice Knows no machine but `step`, and no client but the right to open and to answer. See `IDissectionGame`.
///
/// Invariants, beside `GameClock`'s 1 and 2:
/// 3. Whoever is to move disputes: the other claims that `step^(b−a)(c_j) = c_{j+1}` for a segment [a, b) that the mover chooses, and
///    a move claims another end for it. So of two parties of which one is honest, the honest one always has a segment whose start
///    is right and whose end is wrong.
/// 4. A game ends at most 2·allowance seconds after it was opened, whatever anybody does or omits.
/// 5. A move names the claims it answers, and a game's id names all that it was opened with: no transaction means anything else on
///    another branch of the chain.
/// 6. The contract's balance is the sum of the stakes of the games that are not paid out; what is paid and what is burnt adds up to them.
/// 7. What the winner's moves are worth depends on their number and constants alone, never on a gas price that a block's builder sets.
contract DissectionGame is IDissectionGame {
    /// @inheritdoc IDissectionGame
    uint256 public constant OPENING_GAS = 250_000;
    /// @inheritdoc IDissectionGame
    uint256 public constant MOVE_GAS = 60_000;
    /// @inheritdoc IDissectionGame
    uint256 public constant PROOF_GAS = 200_000;

    uint256 private constant MAX_STEPS = 2 ** 48;

    /// @notice Computes the one step that a game comes down to.
    IOneStepVerifier public immutable VERIFIER;
    /// @inheritdoc IDissectionGame
    uint256 public immutable GAS_PRICE;

    mapping(bytes32 gameId => Game) private games;
    mapping(address account => mapping(address delegate => bool)) private delegates;

    constructor(IOneStepVerifier verifier, uint256 gasPrice) {
        VERIFIER = verifier;
        GAS_PRICE = gasPrice;
    }

    /// @inheritdoc IDissectionGame
    function open(OpenParameters calldata parameters) external payable returns (bytes32 gameId) {
        require(parameters.asserter != address(0) && parameters.challenger != address(0), PartyMissing());
        require(parameters.steps > 0 && parameters.steps <= MAX_STEPS, StepsOutOfRange(parameters.steps));
        require(parameters.allowance > 0, AllowanceOutOfRange(parameters.allowance));
        require(msg.value <= type(uint96).max, WrongStake(msg.value, type(uint96).max));
        gameId = idOf(parameters, msg.value);
        Game storage opened = games[gameId];
        require(opened.clock.recorded == GamePhase.None, GameExists(gameId));
        GameClock.save(
            opened.clock,
            Clock({
                start: 0,
                end: uint56(parameters.steps),
                turnStartedAt: uint40(block.timestamp),
                asserterRemaining: parameters.allowance,
                challengerRemaining: parameters.allowance,
                recorded: GamePhase.AsserterToAnswer,
                ending: Ending.None,
                asserterMoves: 0,
                challengerMoves: 0,
                paidOut: false
            })
        );
        opened.asserter = parameters.asserter;
        opened.asserterStake = parameters.asserterStake;
        opened.challenger = parameters.challenger;
        opened.challengerStake = uint96(msg.value);
        emit Opened(
            gameId,
            msg.sender,
            parameters.challenger,
            parameters.initialState,
            parameters.binding,
            parameters.steps,
            parameters.allowance,
            parameters.asserterStake,
            uint96(msg.value)
        );
    }

    /// @inheritdoc IDissectionGame
    function answer(
        bytes32 gameId,
        bytes32 initialState,
        bytes32 binding,
        bytes32 finalState,
        bytes32[] calldata states
    ) external payable {
        Game storage current = games[gameId];
        Clock memory clock = current.clock;
        GamePhase now_ = GameClock.classify(clock, block.timestamp);
        require(now_ == GamePhase.AsserterToAnswer, WrongPhase(now_));
        requireOpened(gameId, current, clock, initialState, binding);
        require(msg.value == current.asserterStake, WrongStake(msg.value, current.asserterStake));
        uint256 expected = Dissection.segments(clock.end) - 1;
        require(states.length == expected, WrongNumberOfStates(states.length, expected));

        GameClock.handOver(clock, block.timestamp);
        GameClock.save(current.clock, clock);
        bytes32 claims = Dissection.claimsRoot(initialState, states, finalState);
        current.claims = claims;
        emit Answered(gameId, current.asserter, claims, finalState, states);
    }

    /// @inheritdoc IDissectionGame
    function move(
        bytes32 gameId,
        bytes32 expectedClaims,
        uint256 segment,
        bytes32 start,
        bytes32 end,
        bytes32[4] calldata path,
        bytes32[] calldata states
    ) external {
        Game storage current = games[gameId];
        Clock memory clock = takeTurn(current, expectedClaims, segment, start, end, path);
        uint256 steps = clock.end - clock.start;
        require(steps > 1, SingleStep());
        uint256 expected = Dissection.segments(steps);
        require(states.length == expected, WrongNumberOfStates(states.length, expected));
        bytes32 ownEnd = states[expected - 1];
        require(ownEnd != end, EndNotDisputed());

        GameClock.handOver(clock, block.timestamp);
        GameClock.save(current.clock, clock);
        bytes32 claims = Dissection.claimsRoot(start, states[:expected - 1], ownEnd);
        current.claims = claims;
        emit Moved(gameId, segment, claims, states);
    }

    /// @inheritdoc IDissectionGame
    function prove(
        bytes32 gameId,
        bytes32 expectedClaims,
        uint256 segment,
        bytes32 start,
        bytes32 end,
        bytes32[4] calldata path,
        bytes calldata proof
    ) external {
        Game storage current = games[gameId];
        Clock memory clock = takeTurn(current, expectedClaims, segment, start, end, path);
        uint256 steps = clock.end - clock.start;
        require(steps == 1, NotSingleStep(steps));

        bool moverWins = VERIFIER.step(start, proof) != end;
        bool asserterWins = moverWins == (clock.recorded == GamePhase.AsserterToMove);
        // A proof that loses is no part of the winner's work.
        finish(gameId, current, clock, asserterWins, moverWins ? Ending.Proof : Ending.Concession);
    }

    /// @inheritdoc IDissectionGame
    function claimTimeout(bytes32 gameId) external {
        Game storage current = games[gameId];
        Clock memory clock = current.clock;
        GamePhase now_ = GameClock.classify(clock, block.timestamp);
        require(clock.recorded != GamePhase.None, UnknownGame(gameId));
        require(isOver(now_) && !isOver(clock.recorded), WrongPhase(now_));
        finish(gameId, current, clock, now_ == GamePhase.AsserterWon, Ending.Timeout);
    }

    /// @inheritdoc IDissectionGame
    function payOut(bytes32 gameId) external {
        Game storage stored = games[gameId];
        Game memory over = stored;
        GamePhase now_ = GameClock.classify(over.clock, block.timestamp);
        require(isOver(now_), WrongPhase(now_));
        require(!over.clock.paidOut, AlreadyPaidOut(gameId));
        stored.clock.paidOut = true;

        bool asserterWon = now_ == GamePhase.AsserterWon;
        // An asserter that never answered has brought no stake.
        uint256 asserterStake = over.clock.asserterMoves > 0 ? over.asserterStake : 0;
        (address winner, uint256 own, uint256 other) = asserterWon
            ? (over.asserter, asserterStake, uint256(over.challengerStake))
            : (over.challenger, uint256(over.challengerStake), asserterStake);
        uint256 worth = GAS_PRICE * meteredGas(over.clock, asserterWon);
        uint256 reward = worth < other ? worth : other;
        emit PaidOut(gameId, winner, own + reward, other - reward);
        Burn.burn(other - reward);
        SafeTransferLib.safeTransferETH(winner, own + reward);
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
    function outcome(bytes32 gameId) external view returns (GamePhase, address challenger) {
        Game storage current = games[gameId];
        return (GameClock.classify(current.clock, block.timestamp), current.challenger);
    }

    /// @inheritdoc IDissectionGame
    function game(bytes32 gameId) external view returns (Game memory) {
        return games[gameId];
    }

    /// @dev The id of a game that the caller opens, or opened: nothing that it was opened with can be another in a game with this id.
    function idOf(OpenParameters memory parameters, uint256 challengerStake) private view returns (bytes32) {
        return keccak256(abi.encode(msg.sender, parameters, challengerStake));
    }

    /// @dev Reverts unless the caller opened this game with this initial state and binding. The game is still to be answered, so
    /// its clock is as it was opened.
    function requireOpened(
        bytes32 gameId,
        Game storage current,
        Clock memory clock,
        bytes32 initialState,
        bytes32 binding
    ) private view {
        OpenParameters memory parameters = OpenParameters({
            asserter: current.asserter,
            challenger: current.challenger,
            initialState: initialState,
            binding: binding,
            steps: clock.end,
            allowance: clock.asserterRemaining,
            asserterStake: current.asserterStake
        });
        require(idOf(parameters, current.challengerStake) == gameId, NotTheGameOpened(gameId));
    }

    /// @dev What `move` and `prove` have in common: the caller has the turn, the claims are the ones it means, and the segment is
    /// one of theirs. Returns the clock with the segment's bounds in place of the split's.
    function takeTurn(
        Game storage current,
        bytes32 expectedClaims,
        uint256 segment,
        bytes32 start,
        bytes32 end,
        bytes32[4] calldata path
    ) private view returns (Clock memory clock) {
        clock = current.clock;
        GamePhase now_ = GameClock.classify(clock, block.timestamp);
        address party;
        if (now_ == GamePhase.ChallengerToMove) party = current.challenger;
        else if (now_ == GamePhase.AsserterToMove) party = current.asserter;
        else revert WrongPhase(now_);
        require(msg.sender == party || delegates[party][msg.sender], NotThePartyToMove(msg.sender, party));
        bytes32 claims = current.claims;
        require(claims == expectedClaims, StaleClaims(expectedClaims, claims));

        uint256 segments = Dissection.segments(clock.end - clock.start);
        require(segment < segments, SegmentOutOfRange(segment, segments));
        require(Dissection.rootOf(start, end, segment, path) == claims, WrongOpening());
        (uint256 from, uint256 to) = Dissection.segment(clock.start, clock.end, segment);
        clock.start = uint56(from);
        clock.end = uint56(to);
    }

    /// @dev Records the end; nothing changes a game after it but `payOut`.
    function finish(bytes32 gameId, Game storage current, Clock memory clock, bool asserterWon, Ending ending) private {
        clock.recorded = asserterWon ? GamePhase.AsserterWon : GamePhase.ChallengerWon;
        clock.ending = ending;
        GameClock.save(current.clock, clock);
        emit Settled(gameId, asserterWon ? current.asserter : current.challenger, asserterWon, ending);
    }

    /// @dev Gas that the winner's part is taken to have cost.
    function meteredGas(Clock memory clock, bool asserterWon) private pure returns (uint256 total) {
        // The asserter's first move is its answer, which the opening constant covers.
        uint256 moves = asserterWon ? clock.asserterMoves - 1 : clock.challengerMoves;
        total = OPENING_GAS + moves * MOVE_GAS;
        if (clock.ending == Ending.Proof) total += PROOF_GAS;
    }

    function isOver(GamePhase phase_) private pure returns (bool) {
        return phase_ == GamePhase.AsserterWon || phase_ == GamePhase.ChallengerWon;
    }
}
