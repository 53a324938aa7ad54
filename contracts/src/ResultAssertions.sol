// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {GamePhase, IDissectionGame, OpenParameters} from "./interfaces/IDissectionGame.sol";
import {IInbox} from "./interfaces/IInbox.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {
    Assertion,
    AssertionParameters,
    AssertionPhase,
    IResultAssertions,
    Terms
} from "./interfaces/IResultAssertions.sol";
import {IWordMachine} from "./interfaces/IWordMachine.sol";
import {AssertionClock} from "./libraries/AssertionClock.sol";
import {Burn} from "./libraries/Burn.sol";
import {Dissection} from "./libraries/Dissection.sol";
import {MerklePath} from "./machine/MerklePath.sol";
import {Tensor} from "./machine/TensorCommitment.sol";
import {PullPayments} from "./PullPayments.sol";

/// @title Assertions about results
/// @notice See `IResultAssertions`. Invariants, beside `AssertionClock`'s 1:
/// 2. A lost game defeats one instance. No state here is keyed by a root or by an output, so the truth can always be asserted again, by
///    anybody, whatever became of other assertions of it.
/// 3. An assertion that loses no game is final at most 2·allowance after it can no longer be challenged, however many challengers
///    there are: all games run side by side, and none opens later. Until then it can be challenged for a window, and for as long
///    beside as running all of its inferences again takes: so checking it is possible, however much work is in it.
/// 4. Only a game that a challenge here opened can touch an assertion, and each one once.
/// 5. Of a defeated instance's bond at most half is paid, in equal bounties, to those who won; the rest is burnt.
/// 6. The contract's balance is the bonds not released, less the bounties credited out of them, plus what it owes.
/// 7. Nobody can be made to pay for another's choice: all amounts are constants of the deployment and of the number of steps.
contract ResultAssertions is IResultAssertions, PullPayments {
    /// @notice Entries that one assertion can have.
    uint256 public constant MAX_ENTRIES = type(uint16).max;

    uint256 private constant MAX_STEPS = 2 ** 48;
    uint256 private constant GIGASTEP_BITS = 30;

    IInbox public immutable INBOX;
    IModelRegistry public immutable REGISTRY;
    IDissectionGame public immutable GAME;
    IWordMachine public immutable MACHINE;

    /// @inheritdoc IResultAssertions
    uint256 public immutable window;
    /// @inheritdoc IResultAssertions
    uint256 public immutable bond;
    /// @inheritdoc IResultAssertions
    uint256 public immutable bounty;
    /// @notice Challengers that get a bounty: as many as half of the bond pays.
    uint256 public immutable MAX_BOUNTIES;

    uint256 private immutable BASE_STAKE;
    uint256 private immutable STAKE_PER_GIGASTEP;
    uint256 private immutable CHALLENGER_FACTOR;
    uint256 private immutable BASE_ALLOWANCE;
    uint256 private immutable STEPS_PER_SECOND;

    mapping(bytes32 assertionId => Assertion) private assertions;
    /// @inheritdoc IResultAssertions
    mapping(bytes32 gameId => bytes32) public assertionOf;
    /// @notice Number of assertions that a sponsor has made.
    mapping(address sponsor => uint256) public nonceOf;

    constructor(
        IInbox inbox,
        IModelRegistry registry,
        IDissectionGame game,
        IWordMachine machine,
        AssertionParameters memory parameters
    ) {
        INBOX = inbox;
        REGISTRY = registry;
        GAME = game;
        MACHINE = machine;
        window = parameters.window;
        bond = parameters.bond;
        bounty = parameters.bounty;
        require(parameters.bounty > 0 && parameters.stepsPerSecond > 0, InvalidParameters());
        uint256 affordable = parameters.bond / (2 * parameters.bounty);
        // `Assertion.defeats` counts to 255.
        MAX_BOUNTIES = affordable < type(uint8).max ? affordable : type(uint8).max;
        BASE_STAKE = parameters.baseStake;
        STAKE_PER_GIGASTEP = parameters.stakePerGigastep;
        CHALLENGER_FACTOR = parameters.challengerFactor;
        BASE_ALLOWANCE = parameters.baseAllowance;
        STEPS_PER_SECOND = parameters.stepsPerSecond;
        // The longest game must fit the game's fields.
        require(
            parameters.baseAllowance > 0 && allowanceOf(MAX_STEPS) <= type(uint32).max
                && stakeOf(MAX_STEPS) * parameters.challengerFactor <= type(uint96).max
                && parameters.challengerFactor > 0,
            InvalidParameters()
        );
    }

    /// @inheritdoc IResultAssertions
    function assertResults(bytes32[] calldata requestIds, bytes32[] calldata outputCommitments)
        external
        payable
        returns (bytes32 assertionId)
    {
        uint256 count = requestIds.length;
        require(count > 0, EmptyAssertion());
        require(count <= MAX_ENTRIES, TooManyEntries(count, MAX_ENTRIES));
        require(count == outputCommitments.length, LengthMismatch(count, outputCommitments.length));
        require(msg.value == bond, WrongValue(msg.value, bond));
        uint256 challengeableUntil = block.timestamp + window + INBOX.stepsOf(requestIds) / STEPS_PER_SECOND;
        require(challengeableUntil <= type(uint40).max, TooMuchWork(challengeableUntil));

        bytes32 root = rootOf(requestIds, outputCommitments);
        uint256 nonce = nonceOf[msg.sender]++;
        assertionId = keccak256(abi.encode(root, count, msg.sender, nonce));
        assertions[assertionId] = Assertion({
            root: root,
            sponsor: msg.sender,
            challengeableUntil: uint40(challengeableUntil),
            count: uint16(count),
            openGames: 0,
            defeats: 0,
            bondReleased: false
        });
        emit Asserted(assertionId, msg.sender, root, nonce, challengeableUntil, requestIds, outputCommitments);
    }

    /// @inheritdoc IResultAssertions
    function challenge(
        bytes32 assertionId,
        uint256 index,
        bytes32 requestId,
        bytes32 outputCommitment,
        bytes32[] calldata path
    ) external payable returns (bytes32 gameId) {
        (AssertionPhase current, address sponsor) = checkEntry(assertionId, index, requestId, outputCommitment, path);
        require(current == AssertionPhase.Challengeable, WrongPhase(current));
        gameId = openGame(sponsor, requestId, bindingOf(assertionId, requestId, outputCommitment));
        assertionOf[gameId] = assertionId;
        assertions[assertionId].openGames += 1;
        emit Challenged(assertionId, gameId, msg.sender, index, requestId, outputCommitment);
    }

    /// @inheritdoc IResultAssertions
    function answer(
        bytes32 gameId,
        bytes32 requestId,
        bytes32 outputCommitment,
        bytes calldata opening,
        bytes32[] calldata states
    ) external payable {
        bytes32 binding = bindingOf(callersGame(gameId), requestId, outputCommitment);
        (bytes32 initialState, bytes32 finalState) = endsOf(requestId, outputCommitment, opening);
        // The game refuses if initial state and binding are not those of the challenge.
        GAME.answer{value: msg.value}(gameId, initialState, binding, finalState, states);
    }

    /// @inheritdoc IResultAssertions
    function settle(bytes32 gameId) external {
        bytes32 assertionId = assertionOf[gameId];
        if (assertionId == 0) return;
        (GamePhase end, address challenger) = GAME.outcome(gameId);
        require(end == GamePhase.AsserterWon || end == GamePhase.ChallengerWon, GameNotOver(gameId));
        delete assertionOf[gameId];

        Assertion storage current = assertions[assertionId];
        current.openGames -= 1;
        uint256 reward = 0;
        if (end == GamePhase.ChallengerWon) {
            uint8 defeats = current.defeats;
            if (defeats == 0) emit Defeated(assertionId, gameId);
            if (defeats < MAX_BOUNTIES) {
                reward = bounty;
                credit(challenger, reward);
            }
            if (defeats < type(uint8).max) current.defeats = defeats + 1;
        }
        emit GameSettled(assertionId, gameId, challenger, end == GamePhase.AsserterWon, reward);
    }

    /// @inheritdoc IResultAssertions
    function withdrawBond(bytes32 assertionId) external {
        Assertion memory current = assertions[assertionId];
        AssertionPhase now_ = AssertionClock.classify(current, block.timestamp);
        require(now_ == AssertionPhase.Final || now_ == AssertionPhase.Defeated, WrongPhase(now_));
        require(current.openGames == 0, GamesOpen(current.openGames));
        require(!current.bondReleased, BondAlreadyReleased());
        assertions[assertionId].bondReleased = true;

        if (now_ == AssertionPhase.Final) {
            emit BondReleased(assertionId, bond, 0);
            SafeTransferLib.safeTransferETH(current.sponsor, bond);
        } else {
            uint256 bounties = current.defeats < MAX_BOUNTIES ? current.defeats : MAX_BOUNTIES;
            uint256 rest = bond - bounties * bounty;
            emit BondReleased(assertionId, 0, rest);
            Burn.burn(rest);
        }
    }

    /// @inheritdoc IResultAssertions
    function isFinal(bytes32 assertionId) external view returns (bool) {
        return phase(assertionId) == AssertionPhase.Final;
    }

    /// @inheritdoc IResultAssertions
    function assertion(bytes32 assertionId) external view returns (Assertion memory) {
        return assertions[assertionId];
    }

    /// @inheritdoc IResultAssertions
    function terms(bytes32 requestId) external view returns (Terms memory) {
        (bytes32 modelId,,) = INBOX.facts(requestId);
        return termsOf(REGISTRY.stepsOf(modelId));
    }

    /// @inheritdoc IResultAssertions
    function phase(bytes32 assertionId) public view returns (AssertionPhase) {
        return AssertionClock.classify(assertions[assertionId], block.timestamp);
    }

    /// @inheritdoc IResultAssertions
    function checkEntry(
        bytes32 assertionId,
        uint256 index,
        bytes32 requestId,
        bytes32 outputCommitment,
        bytes32[] calldata path
    ) public view returns (AssertionPhase current, address sponsor) {
        Assertion memory stored = assertions[assertionId];
        sponsor = stored.sponsor;
        require(sponsor != address(0), UnknownAssertion(assertionId));
        uint256 depth = MerklePath.depthOf(stored.count);
        // The depth is the list's own, so a node cannot pass for an entry.
        require(index < stored.count && path.length == depth, NotAnEntry(assertionId, index));
        uint256 offset;
        assembly ("memory-safe") {
            offset := path.offset
        }
        bytes32 leaf = Dissection.hashPair(requestId, outputCommitment);
        require(MerklePath.root(leaf, index, offset, depth) == stored.root, NotAnEntry(assertionId, index));
        current = AssertionClock.classify(stored, block.timestamp);
    }

    /// @inheritdoc IResultAssertions
    function termsOf(uint256 steps) public view returns (Terms memory) {
        uint256 stake = stakeOf(steps);
        return Terms({
            allowance: uint32(allowanceOf(steps)),
            asserterStake: uint96(stake),
            challengerStake: uint96(stake * CHALLENGER_FACTOR)
        });
    }

    /// @dev Seconds on each clock: a base for getting transactions in, and the time of running the inference again.
    function allowanceOf(uint256 steps) private view returns (uint256) {
        return BASE_ALLOWANCE + (steps + STEPS_PER_SECOND - 1) / STEPS_PER_SECOND;
    }

    /// @dev Wei at stake for the asserter.
    function stakeOf(uint256 steps) private view returns (uint256) {
        return BASE_STAKE + ((steps * STAKE_PER_GIGASTEP) >> GIGASTEP_BITS);
    }

    /// @dev Opens the caller's game about an inference, with the value sent as its stake.
    function openGame(address sponsor, bytes32 requestId, bytes32 binding) private returns (bytes32) {
        (bytes32 modelId, bytes32 inputCommitment, bytes32 seed) = INBOX.facts(requestId);
        uint64 steps = REGISTRY.stepsOf(modelId);
        Terms memory agreed = termsOf(steps);
        require(msg.value == agreed.challengerStake, WrongValue(msg.value, agreed.challengerStake));
        return GAME.open{value: msg.value}(
            OpenParameters({
                asserter: sponsor,
                challenger: msg.sender,
                initialState: MACHINE.initialState(modelId, inputCommitment, seed),
                binding: binding,
                steps: steps,
                allowance: agreed.allowance,
                asserterStake: agreed.asserterStake
            })
        );
    }

    /// @dev The assertion that a game is about; reverts unless the caller may answer for its sponsor.
    function callersGame(bytes32 gameId) private view returns (bytes32 assertionId) {
        assertionId = assertionOf[gameId];
        require(assertionId != 0, UnknownGame(gameId));
        address sponsor = assertions[assertionId].sponsor;
        require(msg.sender == sponsor || GAME.isDelegate(sponsor, msg.sender), NotTheSponsor(msg.sender, sponsor));
    }

    /// @dev The first state of a request's inference, and the finished one that `opening` shows to hold this output.
    function endsOf(bytes32 requestId, bytes32 outputCommitment, bytes calldata opening)
        private
        view
        returns (bytes32 initialState, bytes32 finalState)
    {
        (bytes32 modelId, bytes32 inputCommitment, bytes32 seed) = INBOX.facts(requestId);
        bytes32 opened;
        (finalState, opened) = MACHINE.finishedOutput(modelId, inputCommitment, seed, opening);
        require(opened == outputCommitment, WrongOutput(opened, outputCommitment));
        initialState = MACHINE.initialState(modelId, inputCommitment, seed);
    }

    /// @dev What ties a game to the entry that it is about.
    function bindingOf(bytes32 assertionId, bytes32 requestId, bytes32 outputCommitment)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(assertionId, requestId, outputCommitment));
    }

    /// @dev Root over the entries; refuses commitments to nothing.
    function rootOf(bytes32[] calldata requestIds, bytes32[] calldata outputCommitments)
        private
        pure
        returns (bytes32)
    {
        bytes memory leaves = new bytes(32 * requestIds.length);
        for (uint256 i = 0; i < requestIds.length; ++i) {
            require(outputCommitments[i] != 0, MissingOutput(i));
            bytes32 leaf = Dissection.hashPair(requestIds[i], outputCommitments[i]);
            assembly ("memory-safe") {
                mstore(add(add(leaves, 0x20), shl(5, i)), leaf)
            }
        }
        return Tensor.treeRoot(leaves);
    }
}
