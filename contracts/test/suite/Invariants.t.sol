// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Game, GamePhase} from "../../src/interfaces/IDissectionGame.sol";
import {Request, RequestStatus} from "../../src/interfaces/IInbox.sol";
import {Assertion, AssertionPhase} from "../../src/interfaces/IResultAssertions.sol";
import {Split} from "../base/GamePlayer.sol";
import {Suite} from "../base/Suite.sol";

/// @notice What the fuzzer calls, in any order: everything that anybody can do with requests, assertions and games. Each action takes
/// the object it acts on from what there is; calls that are not legal at that moment revert, and change nothing.
contract Handler is Suite {
    bytes32[] public requestIds;
    bytes32[] public assertionIds;
    bytes32[] public gameIds;

    mapping(bytes32 assertionId => bytes32) private requestOfAssertion;
    mapping(bytes32 assertionId => bytes32) private outputOfAssertion;
    mapping(bytes32 gameId => bytes32) public assertionOfGame;
    mapping(bytes32 gameId => Split) private lastSplit;

    mapping(bytes32 id => uint256) public finalSeen;
    mapping(bytes32 id => uint256) public settledTimes;
    mapping(bytes32 id => RequestStatus) public statusSeen;
    uint256 public violations;

    /// @dev Every action ends with a look at what is for good by now.
    modifier looking() {
        _;
        look();
    }

    function counts() external view returns (uint256, uint256, uint256) {
        return (requestIds.length, assertionIds.length, gameIds.length);
    }

    function addresses() external view returns (address, address, address) {
        return (address(inbox), address(results), address(game));
    }

    function pick(bytes32[] storage list, uint256 seed) private view returns (bytes32) {
        return list[seed % list.length];
    }

    function doAsk(bool early) external looking {
        requestIds.push(early ? askEarly("hello", 50_000) : ask("hello"));
    }

    function doAssert(uint256 seed, bool right) external looking {
        bytes32 requestId = pick(requestIds, seed);
        bytes32 output = right ? rightOutput : wrongOutput;
        bytes32 assertionId = assertOutput(sponsor, requestId, output);
        assertionIds.push(assertionId);
        (requestOfAssertion[assertionId], outputOfAssertion[assertionId]) = (requestId, output);
    }

    function doChallenge(uint256 seed, uint256 who) external looking {
        bytes32 assertionId = pick(assertionIds, seed);
        bytes32 gameId = challengeBy(
            actor(vm.toString(who % 3)), assertionId, requestOfAssertion[assertionId], outputOfAssertion[assertionId]
        );
        gameIds.push(gameId);
        assertionOfGame[gameId] = assertionId;
    }

    function doAnswer(uint256 seed) external looking {
        bytes32 gameId = pick(gameIds, seed);
        bytes32 assertionId = assertionOfGame[gameId];
        bytes32 output = outputOfAssertion[assertionId];
        lastSplit[gameId] = answerBy(
            sponsor, gameId, requestOfAssertion[assertionId], output, output == rightOutput ? honest() : liar(1234)
        );
    }

    /// The party whose turn it is plays: the one with the right states disputes what is wrong, the other something at random.
    function doPlay(uint256 seed) external looking {
        bytes32 gameId = pick(gameIds, seed);
        bytes32 assertionId = assertionOfGame[gameId];
        useContextOf(requestOfAssertion[assertionId]);
        Game memory current = game.game(gameId);
        bool challengerToMove = current.clock.recorded == GamePhase.ChallengerToMove;
        bool asserterHonest = outputOfAssertion[assertionId] == rightOutput;
        Split memory last = lastSplit[gameId];
        (Split memory own, bool over) = playTurn(
            gameId,
            challengerToMove ? current.challenger : current.asserter,
            last,
            challengerToMove == asserterHonest ? liar(1234) : honest()
        );
        if (!over) lastSplit[gameId] = own;
    }

    function doWarp(uint256 seconds_) external looking {
        vm.warp(block.timestamp + 1 + seconds_ % (WINDOW / 2));
    }

    function doClaimTimeout(uint256 seed) external looking {
        game.claimTimeout(pick(gameIds, seed));
    }

    function doPayOut(uint256 seed) external looking {
        game.payOut(pick(gameIds, seed));
    }

    function doSettle(uint256 seed) external looking {
        bytes32 gameId = pick(gameIds, seed);
        bool open = results.assertionOf(gameId) != 0;
        results.settle(gameId);
        if (open) settledTimes[gameId] += 1;
        if (settledTimes[gameId] > 1) violations += 1;
    }

    function doWithdrawBond(uint256 seed) external looking {
        results.withdrawBond(pick(assertionIds, seed));
    }

    function doDeliver(uint256 seed) external looking {
        bytes32 assertionId = pick(assertionIds, seed);
        bytes32 requestId = requestOfAssertion[assertionId];
        bool right = outputOfAssertion[assertionId] == rightOutput;
        uint256 calls = consumer.calls();
        inbox.deliver(requestId, assertionId, 0, new bytes32[](0), right ? rightWords : wrongWords);
        if (consumer.calls() > calls + 1 || statusSeen[requestId] != RequestStatus.None) violations += 1;
        statusSeen[requestId] = RequestStatus.Delivered;
    }

    function doRefund(uint256 seed) external looking {
        bytes32 requestId = pick(requestIds, seed);
        inbox.refund(requestId);
        if (statusSeen[requestId] != RequestStatus.None) violations += 1;
        statusSeen[requestId] = RequestStatus.Refunded;
    }

    function doClaimFee(uint256 seed) external looking {
        bytes32 assertionId = pick(assertionIds, seed);
        inbox.claimFee(
            requestOfAssertion[assertionId], assertionId, 0, outputOfAssertion[assertionId], new bytes32[](0)
        );
    }

    function doWithdraw(uint256 who) external looking {
        address account = [sponsor, address(consumer), actor("0"), actor("1"), actor("2")][who % 5];
        inbox.withdraw(account);
        results.withdraw(account);
    }

    /// @dev What all contracts must hold now, from what is stored: (inbox, results, game).
    function liabilities() external view returns (uint256 inInbox, uint256 inResults, uint256 inGame) {
        address[5] memory accounts = [sponsor, address(consumer), nameless("0"), nameless("1"), nameless("2")];
        for (uint256 i = 0; i < accounts.length; ++i) {
            inInbox += inbox.owed(accounts[i]);
            inResults += results.owed(accounts[i]);
        }
        for (uint256 i = 0; i < requestIds.length; ++i) {
            Request memory request = inbox.requestOf(requestIds[i]);
            if (!request.feeSpent) inInbox += request.fee;
        }
        for (uint256 i = 0; i < assertionIds.length; ++i) {
            Assertion memory assertion = results.assertion(assertionIds[i]);
            if (assertion.bondReleased) continue;
            inResults += BOND - BOUNTY * (assertion.defeats < 4 ? assertion.defeats : 4);
        }
        for (uint256 i = 0; i < gameIds.length; ++i) {
            Game memory current = game.game(gameIds[i]);
            if (current.clock.paidOut) continue;
            inGame += current.challengerStake;
            if (current.clock.asserterMoves > 0) inGame += current.asserterStake;
        }
    }

    function nameless(string memory name) private pure returns (address) {
        return address(uint160(uint256(keccak256(bytes(name)))));
    }

    /// @dev Notes which ends have been seen, and counts those that changed afterwards.
    function look() private {
        for (uint256 i = 0; i < assertionIds.length; ++i) {
            bytes32 id = assertionIds[i];
            AssertionPhase now_ = results.phase(id);
            if (finalSeen[id] != 0 && finalSeen[id] != uint256(now_)) violations += 1;
            if (now_ == AssertionPhase.Final || now_ == AssertionPhase.Defeated) finalSeen[id] = uint256(now_);
        }
        for (uint256 i = 0; i < gameIds.length; ++i) {
            bytes32 id = gameIds[i];
            GamePhase now_ = game.phase(id);
            if (finalSeen[id] != 0 && finalSeen[id] != uint256(now_)) violations += 1;
            if (now_ == GamePhase.AsserterWon || now_ == GamePhase.ChallengerWon) finalSeen[id] = uint256(now_);
        }
    }
}

contract Suite_Invariants is Suite {
    Handler private handler;

    function setUp() public override {
        handler = new Handler();
        handler.setUp();
        handler.doAsk(true);
        handler.doAssert(0, false);
        handler.doChallenge(0, 0);
        handler.doAnswer(0);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        bytes4[] memory selectors = new bytes4[](14);
        selectors[0] = Handler.doAsk.selector;
        selectors[1] = Handler.doAssert.selector;
        selectors[2] = Handler.doChallenge.selector;
        selectors[3] = Handler.doAnswer.selector;
        selectors[4] = Handler.doPlay.selector;
        selectors[5] = Handler.doWarp.selector;
        selectors[6] = Handler.doClaimTimeout.selector;
        selectors[7] = Handler.doPayOut.selector;
        selectors[8] = Handler.doSettle.selector;
        selectors[9] = Handler.doWithdrawBond.selector;
        selectors[10] = Handler.doDeliver.selector;
        selectors[11] = Handler.doRefund.selector;
        selectors[12] = Handler.doClaimFee.selector;
        selectors[13] = Handler.doWithdraw.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors);
    }

    /// Game 6, assertions 6, inbox 3: each contract holds what it owes, to the wei.
    function invariant_solvency() external view {
        (uint256 inInbox, uint256 inResults, uint256 inGame) = handler.liabilities();
        (address inbox_, address results_, address game_) = handler.addresses();
        vm.assertEq(inbox_.balance, inInbox, "inbox");
        vm.assertEq(results_.balance, inResults, "assertions");
        vm.assertEq(game_.balance, inGame, "game");
    }

    /// Inbox 1 and 4, assertions 1 and 4, game 1: ends are for good, and come once.
    function invariant_endsAreForGood() external view {
        vm.assertEq(handler.violations(), 0);
    }

    /// Assertions 3 and 4: an assertion waits for its own unsettled games, and for no others.
    function invariant_openGamesAreCounted() external view {
        (, uint256 assertions, uint256 games) = handler.counts();
        (, address results_,) = handler.addresses();
        for (uint256 i = 0; i < assertions; ++i) {
            bytes32 assertionId = handler.assertionIds(i);
            uint256 open = 0;
            for (uint256 k = 0; k < games; ++k) {
                bytes32 gameId = handler.gameIds(k);
                if (handler.assertionOfGame(gameId) == assertionId && handler.settledTimes(gameId) == 0) ++open;
            }
            vm.assertEq(openGames(results_, assertionId), open);
        }
    }

    function openGames(address results_, bytes32 assertionId) private view returns (uint256) {
        return Reader(results_).assertion(assertionId).openGames;
    }
}

interface Reader {
    function assertion(bytes32 assertionId) external view returns (Assertion memory);
}
