// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Batch} from "./Batch.sol";
import {GameTerms, IDissectionGame, Split} from "./interfaces/IDissectionGame.sol";
import {IInbox} from "./interfaces/IInbox.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {
    Assertion,
    AssertionParameters,
    AssertionPhase,
    Entry,
    IResultAssertions,
    Terms
} from "./interfaces/IResultAssertions.sol";
import {IWordMachine} from "./interfaces/IWordMachine.sol";
import {AssertionClock} from "./libraries/AssertionClock.sol";
import {MerklePath} from "./machine/MerklePath.sol";
import {Tensor} from "./machine/TensorCommitment.sol";

/// @title Assertions about results
/// @notice See `IResultAssertions`. Invariants, beside `AssertionClock`'s 1:
/// 2. A lost game defeats one instance. The only state keyed by a root is that it is final, so the truth can always be asserted again, by
///    anybody, whatever became of other assertions of it; and a list needs one final instance of what it builds on, anybody's.
/// 3. An assertion that loses no game is final at most 2·allowance after it can no longer be challenged, however many challengers
///    there are: all games run side by side, and none opens later; nor do a list's own wait for those of its parent. Until then it can be challenged for a window, and for as long
///    beside as running all of its inferences again takes: so checking it is possible, however much work is in it.
/// 4. Only a game that a challenge here opened can touch an assertion, and each one once.
/// 5. Of a defeated instance's bond at most half is paid, in equal bounties, to those who won; the rest is burnt.
/// 6. The contract's balance is the bonds not released, less the bounties credited out of them, what it owes, and what was burnt: wei that
///    stays here and that nothing can move.
/// 7. Nobody can be made to pay for another's choice: all amounts are constants of the deployment and of the number of steps.
contract ResultAssertions is IResultAssertions, Batch {
    /// @notice Entries that one assertion can have.
    uint256 public constant MAX_ENTRIES = type(uint16).max;

    uint256 private constant MAX_STEPS = 2 ** 48;
    uint256 private constant GIGASTEP_BITS = 30;

    /// @notice What the assertions are about: requests.
    IInbox public immutable INBOX;
    /// @notice Knows how many steps a model takes.
    IModelRegistry public immutable REGISTRY;
    /// @notice Where challenges are played.
    IDissectionGame public immutable GAME;
    /// @notice Knows a model's first and last states.
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
    mapping(bytes32 claim => bool) public confirmed;
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
    function assertResults(bytes32 parent, bytes32[] calldata requestIds, bytes32[] calldata outputCommitments)
        external
        payable
        returns (bytes32 assertionId)
    {
        uint256 count = requestIds.length;
        require(count > 0, EmptyAssertion());
        require(count <= MAX_ENTRIES, TooManyEntries(count, MAX_ENTRIES));
        require(count == outputCommitments.length, LengthMismatch(count, outputCommitments.length));
        collect(bond);
        uint256 challengeableUntil = block.timestamp + window + INBOX.stepsOf(requestIds) / STEPS_PER_SECOND;
        require(challengeableUntil <= type(uint40).max, TooMuchWork(challengeableUntil));

        bytes32 root = rootOf(requestIds, outputCommitments);
        uint256 nonce = nonceOf[msg.sender]++;
        assertionId = keccak256(abi.encode(claimOf(parent, root, count), msg.sender, nonce));
        assertions[assertionId] = Assertion({
            root: root,
            sponsor: msg.sender,
            challengeableUntil: uint40(challengeableUntil),
            count: uint16(count),
            openGames: 0,
            defeats: 0,
            bondReleased: false,
            parent: parent
        });
        emit Asserted(assertionId, msg.sender, parent, root, nonce, challengeableUntil, requestIds, outputCommitments);
    }

    /// @inheritdoc IResultAssertions
    function challenge(bytes32 assertionId, Entry calldata entry, bytes calldata opening, Split calldata split)
        external
        payable
        returns (bytes32 gameId)
    {
        (AssertionPhase current, address sponsor) =
            checkEntry(assertionId, entry.index, entry.requestId, entry.outputCommitment, entry.path);
        require(current == AssertionPhase.Challengeable, WrongPhase(current));
        GameTerms memory agreed = termsOfGame(entry, sponsor, opening, split.end);
        agreed.binding = bindingOf(assertionId, entry.requestId, entry.outputCommitment);
        collect(agreed.challengerStake);
        assertions[assertionId].openGames += 1;
        gameId = GAME.open{value: agreed.challengerStake}(agreed, split);
        emit Challenged(assertionId, gameId, msg.sender, entry.index, entry.requestId, entry.outputCommitment);
    }

    /// @inheritdoc IResultAssertions
    function settle(bytes32 assertionId, bytes32 requestId, bytes32 outputCommitment, GameTerms calldata terms_)
        external
    {
        require(terms_.binding == bindingOf(assertionId, requestId, outputCommitment), WrongGame());
        // The game knows these terms only if a challenge here opened it with them.
        (bool first, bool asserterWon) = GAME.close(terms_);
        if (!first) return;

        Assertion storage current = assertions[assertionId];
        current.openGames -= 1;
        bytes32 gameId = keccak256(abi.encode(terms_));
        uint256 reward = 0;
        if (!asserterWon) {
            uint8 defeats = current.defeats;
            if (defeats == 0) emit Defeated(assertionId, gameId);
            if (defeats < MAX_BOUNTIES) {
                reward = bounty;
                credit(terms_.challenger, reward);
            }
            if (defeats < type(uint8).max) current.defeats = defeats + 1;
        }
        emit GameSettled(assertionId, gameId, terms_.challenger, asserterWon, reward);
    }

    /// @inheritdoc IResultAssertions
    function confirm(bytes32 assertionId) external {
        AssertionPhase now_ = phase(assertionId);
        require(now_ == AssertionPhase.Final, WrongPhase(now_));
        bytes32 claim = claimOf(assertionId);
        if (confirmed[claim]) return;
        confirmed[claim] = true;
        emit Confirmed(claim, assertionId);
    }

    /// @inheritdoc IResultAssertions
    function withdrawBond(bytes32 assertionId) external {
        AssertionPhase now_ = phase(assertionId);
        bool standing = now_ == AssertionPhase.Final || now_ == AssertionPhase.Waiting;
        require(standing || now_ == AssertionPhase.Defeated, WrongPhase(now_));
        Assertion memory current = assertions[assertionId];
        require(current.openGames == 0, GamesOpen(current.openGames));
        require(!current.bondReleased, BondAlreadyReleased());
        assertions[assertionId].bondReleased = true;

        if (standing) {
            emit BondReleased(assertionId, bond, 0);
            credit(current.sponsor, bond);
        } else {
            uint256 bounties = current.defeats < MAX_BOUNTIES ? current.defeats : MAX_BOUNTIES;
            uint256 rest = bond - bounties * bounty;
            emit BondReleased(assertionId, 0, rest);
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
        return AssertionClock.classify(assertions[assertionId], confirmed, block.timestamp);
    }

    /// @inheritdoc IResultAssertions
    function claimOf(bytes32 assertionId) public view returns (bytes32) {
        Assertion storage stored = assertions[assertionId];
        return claimOf(stored.parent, stored.root, stored.count);
    }

    /// @inheritdoc IResultAssertions
    function checkEntry(
        bytes32 assertionId,
        uint256 index,
        bytes32 requestId,
        bytes32 outputCommitment,
        bytes32[] calldata path
    ) public view returns (AssertionPhase current, address sponsor) {
        Assertion storage stored = assertions[assertionId];
        sponsor = stored.sponsor;
        require(sponsor != address(0), UnknownAssertion(assertionId));
        uint256 count = stored.count;
        uint256 depth = MerklePath.depthOf(count);
        // The depth is the list's own, so a node cannot pass for an entry.
        require(index < count && path.length == depth, NotAnEntry(assertionId, index));
        uint256 offset;
        assembly ("memory-safe") {
            offset := path.offset
        }
        bytes32 leaf = MerklePath.hashPair(requestId, outputCommitment);
        require(MerklePath.root(leaf, index, offset, depth) == stored.root, NotAnEntry(assertionId, index));
        current = AssertionClock.classify(stored, confirmed, block.timestamp);
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

    /// @dev The terms of the caller's game about an entry, all but the binding. Reverts unless `opening` opens `end`, a state that does not
    /// hold the entry's output.
    function termsOfGame(Entry calldata entry, address sponsor, bytes calldata opening, bytes32 end)
        private
        view
        returns (GameTerms memory agreed)
    {
        (bytes32 modelId, bytes32 inputCommitment, bytes32 seed) = INBOX.facts(entry.requestId);
        (bytes32 opened, bytes32 output) = MACHINE.finalState(modelId, inputCommitment, seed, opening);
        require(output != entry.outputCommitment, NothingDisputed(output));
        require(opened == end, WrongFinalState(end, opened));
        agreed.client = address(this);
        agreed.asserter = sponsor;
        agreed.challenger = msg.sender;
        agreed.initialState = MACHINE.initialState(modelId, inputCommitment, seed);
        agreed.steps = REGISTRY.stepsOf(modelId);
        Terms memory stakes = termsOf(agreed.steps);
        agreed.allowance = stakes.allowance;
        agreed.asserterStake = stakes.asserterStake;
        agreed.challengerStake = stakes.challengerStake;
    }

    /// @dev What names a list and all that it builds on.
    function claimOf(bytes32 parent, bytes32 root, uint256 count) private pure returns (bytes32) {
        return keccak256(abi.encode(parent, root, count));
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
            bytes32 leaf = MerklePath.hashPair(requestIds[i], outputCommitments[i]);
            assembly ("memory-safe") {
                mstore(add(add(leaves, 0x20), shl(5, i)), leaf)
            }
        }
        return Tensor.treeRoot(leaves);
    }
}
