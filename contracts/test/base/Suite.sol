// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {GameTerms, IDissectionGame} from "../../src/interfaces/IDissectionGame.sol";
import {Finality, IInbox, RequestOptions} from "../../src/interfaces/IInbox.sol";
import {IModelContract} from "../../src/interfaces/IModelContract.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {
    AssertionParameters,
    AssertionPhase,
    Entry,
    IResultAssertions
} from "../../src/interfaces/IResultAssertions.sol";
import {FakeConsumer} from "../fakes/FakeConsumer.sol";
import {finishedState} from "../fakes/FakeMachine.sol";
import {Belief, Claims, GamePlayer} from "./GamePlayer.sol";

interface Detector {
    function detect(string calldata text) external payable returns (bytes32);
    function detect(string calldata text, RequestOptions calldata options) external payable returns (bytes32);
}

/// @notice The whole suite around a fake machine, with one model, `detect(string)->(string)`, whose every answer is "eng".
abstract contract Suite is GamePlayer {
    uint256 internal constant START = 1_800_000_000;
    uint256 internal constant WINDOW = 1 days;
    uint256 internal constant BOND = 2 ether;
    uint256 internal constant BOUNTY = 0.25 ether;
    uint256 internal constant DEADLINE = 7 days;
    uint256 internal constant MODEL_FEE = 1000;
    uint256 internal constant COLUMNS = 64;
    string internal constant SIGNATURE = "detect(string)->(string)";

    IResultAssertions internal results;
    IInbox internal inbox;
    IModelRegistry internal registry;
    address internal implementation;
    IModelContract internal model;
    FakeConsumer internal consumer;

    bytes32 internal modelId;
    bytes internal rightWords = abi.encodePacked(bytes32("eng"));
    bytes32 internal rightOutput = commitmentOf(bytes32("eng"));
    bytes internal wrongWords = abi.encodePacked(bytes32("deu"));
    bytes32 internal wrongOutput = commitmentOf(bytes32("deu"));

    uint96 internal asserterStake;
    uint96 internal challengerStake;
    uint32 internal allowance;

    address internal sponsor = actor("sponsor");
    address internal challenger = actor("challenger");
    address internal stranger = actor("stranger");

    /// @dev Steps of an inference.
    function stepCount() internal pure virtual returns (uint256) {
        return 4096;
    }

    function setUp() public virtual {
        vm.warp(START);
        vm.deal(address(this), 1_000_000 ether);
        useMachine(stepCount(), rightOutput);
        game = IDissectionGame(deploy("DissectionGame", abi.encode(machine, 10 gwei, arityBits)));
        uint256 nonce = vm.getNonce(address(this));
        address inboxAddress = vm.computeCreateAddress(address(this), nonce + 2);
        address resultsAddress = vm.computeCreateAddress(address(this), nonce + 3);
        implementation = deploy("ModelContract", abi.encode(inboxAddress, 1 gwei));
        registry = IModelRegistry(deploy("ModelRegistry", abi.encode(implementation)));
        inbox = IInbox(deploy("Inbox", abi.encode(registry, resultsAddress, DEADLINE)));
        results = resultsWith(parameters());
        vm.assertEq(address(inbox), inboxAddress);
        vm.assertEq(address(results), resultsAddress);

        address at_;
        (modelId, at_) = registry.register(headerOf(SIGNATURE, 1, COLUMNS, 1), SIGNATURE, MODEL_FEE, "https://files");
        model = IModelContract(at_);
        consumer = new FakeConsumer();
        asserterStake = results.termsOf(stepCount()).asserterStake;
        challengerStake = results.termsOf(stepCount()).challengerStake;
        allowance = results.termsOf(stepCount()).allowance;
    }

    function resultsWith(AssertionParameters memory chosen) internal returns (IResultAssertions) {
        return IResultAssertions(deploy("ResultAssertions", abi.encode(inbox, registry, game, machine, chosen)));
    }

    function parameters() internal pure returns (AssertionParameters memory) {
        return AssertionParameters({
            window: WINDOW,
            bond: BOND,
            bounty: BOUNTY,
            baseStake: 0.02 ether,
            stakePerGigastep: 0.001 ether,
            challengerFactor: 10,
            baseAllowance: 1 days,
            stepsPerSecond: 1_000_000
        });
    }

    function headerOf(string memory signature, uint256 rows, uint256 columns, uint256 elementBytes)
        internal
        pure
        returns (bytes32[8] memory header)
    {
        header[0] = keccak256("assay.program.v1");
        header[1] = bytes32(uint256(3));
        header[2] = keccak256("operators");
        header[4] = bytes32(elementBytes << 64 | rows << 32 | columns);
        header[5] = bytes32(stepCount());
        header[6] = keccak256(bytes(signature));
    }

    /// @dev The commitment of a tensor of one word.
    function commitmentOf(bytes32 word) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256("assay.tensor.v1"), word, 1));
    }

    function ask(string memory text) internal returns (bytes32) {
        return ask(text, RequestOptions(Finality.Final, 200_000, 0, 0));
    }

    function ask(string memory text, RequestOptions memory options) internal returns (bytes32) {
        bytes memory call = abi.encodeWithSignature("detect(string,(uint8,uint32,uint64,bytes32))", text, options);
        return consumer.ask{value: model.fee(options.callbackGas)}(address(model), call);
    }

    function askEarly(string memory text, uint32 callbackGas) internal returns (bytes32) {
        return ask(text, RequestOptions(Finality.Asserted, callbackGas, 0, 0));
    }

    function one(bytes32 value) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = value;
    }

    /// @dev An assertion of one entry.
    function assertOutput(address by, bytes32 requestId, bytes32 output) internal returns (bytes32) {
        return assertOutput(by, 0, requestId, output);
    }

    function assertOutput(address by, bytes32 parent, bytes32 requestId, bytes32 output) internal returns (bytes32) {
        vm.prank(by);
        return results.assertResults{value: BOND}(parent, one(requestId), one(output));
    }

    /// @dev The entry of a list of one.
    function entryOf(bytes32 requestId, bytes32 output) internal pure returns (Entry memory) {
        return Entry(0, requestId, output, new bytes32[](0));
    }

    function useContextOf(bytes32 requestId) internal {
        (bytes32 id, bytes32 input, bytes32 seed) = inbox.facts(requestId);
        context = machine.contextOf(id, input, seed);
    }

    /// @dev What a challenger says that wants `output` to be the result; it lies from step `fault` on if that is not so.
    function saying(bytes32 output, uint256 fault) internal view returns (Belief memory belief) {
        if (output == rightOutput) return honest();
        belief = liar(fault);
        (belief.last, belief.end) = (stepCount(), finishedState(context, output));
    }

    /// @dev The terms of the game that `by` opens against an entry.
    function termsAgainst(address by, bytes32 assertionId, bytes32 requestId, bytes32 output)
        internal
        view
        returns (GameTerms memory)
    {
        (bytes32 id, bytes32 input, bytes32 seed) = inbox.facts(requestId);
        return GameTerms({
            client: address(results),
            asserter: results.assertion(assertionId).sponsor,
            challenger: by,
            initialState: machine.initialState(id, input, seed),
            binding: keccak256(abi.encode(assertionId, requestId, output)),
            steps: uint64(stepCount()),
            allowance: allowance,
            asserterStake: asserterStake,
            challengerStake: challengerStake
        });
    }

    /// @dev Challenges an entry: `by` wants the other output.
    function challengeBy(address by, bytes32 assertionId, bytes32 requestId, bytes32 output)
        internal
        returns (GameTerms memory terms, Claims memory opening)
    {
        useContextOf(requestId);
        terms = termsAgainst(by, assertionId, requestId, output);
        bytes32 wanted = output == rightOutput ? wrongOutput : rightOutput;
        opening = openingOf(wanted);
        sendChallenge(terms, assertionId, entryOf(requestId, output), wanted, opening);
    }

    /// @dev The challenger's claims in a game that it opens because it wants `output`.
    function openingOf(bytes32 output) internal view returns (Claims memory) {
        return claimsOf(saying(output, 77), 0, stepCount(), trueState(0));
    }

    function sendChallenge(
        GameTerms memory terms,
        bytes32 assertionId,
        Entry memory entry,
        bytes32 wanted,
        Claims memory opening
    ) internal {
        vm.prank(terms.challenger);
        bytes32 gameId =
            results.challenge{value: terms.challengerStake}(assertionId, entry, abi.encode(wanted), splitOf(opening));
        vm.assertEq(gameId, idOf(terms), "the game's id");
    }

    /// @dev The challenger opens, and the sponsor answers into the segment in which `belief` leaves the challenger's.
    function answeredChallenge(bytes32 assertionId, bytes32 requestId, bytes32 output, Belief memory belief)
        internal
        returns (GameTerms memory terms, Claims memory answer)
    {
        Claims memory opening;
        (terms, opening) = challengeBy(challenger, assertionId, requestId, output);
        (answer,) = playTurn(terms, terms.asserter, opening, belief);
    }

    function settle(GameTerms memory terms, bytes32 assertionId, bytes32 requestId, bytes32 output) internal {
        results.settle(assertionId, requestId, output, terms);
    }

    /// @dev A game about one wrong entry, played to the end: the challenger has won it, and it is not settled.
    function lostGame(bytes32 requestId) internal returns (bytes32 assertionId, GameTerms memory terms) {
        assertionId = assertOutput(sponsor, requestId, wrongOutput);
        Claims memory opening;
        (terms, opening) = challengeBy(challenger, assertionId, requestId, wrongOutput);
        playOut(terms, opening, liar(1234), honest());
    }

    /// @dev A final assertion of the right output.
    function finalAssertion(bytes32 requestId) internal returns (bytes32 assertionId) {
        assertionId = assertOutput(sponsor, requestId, rightOutput);
        vm.warp(block.timestamp + WINDOW);
    }

    function assertPhase(bytes32 assertionId, AssertionPhase expected) internal view {
        vm.assertEq(uint256(results.phase(assertionId)), uint256(expected));
    }
}
