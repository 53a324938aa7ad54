// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IBatch} from "../../src/interfaces/IBatch.sol";
import {GamePhase, GameTerms, IDissectionGame, Parties} from "../../src/interfaces/IDissectionGame.sol";
import {RequestStatus} from "../../src/interfaces/IInbox.sol";
import {AssertionPhase} from "../../src/interfaces/IResultAssertions.sol";
import {Belief, Claims} from "../base/GamePlayer.sol";
import {Observer} from "./Observer.sol";

/// @notice What the fuzzer calls, in any order: everything that anybody can do with requests, assertions and games. Each action takes
/// the object it acts on from what there is; calls that are not legal at that moment revert, and change nothing. One side of every
/// game is honest and plays well, when it plays; the other lies in some way or other.
contract Handler is Observer {
    uint256 private constant FAULT = 1234;
    /// @dev Enough for all to meet, and few enough to look at after every call.
    uint256 private constant MOST_REQUESTS = 5;
    uint256 private constant MOST_ASSERTIONS = 12;
    uint256 private constant MOST_GAMES = 12;

    /// @dev A turn: who takes it, and what it sends.
    struct Turn {
        address player;
        bytes data;
        uint256 value;
        Claims own;
        bool over;
    }

    function setUp() public override {
        super.setUp();
        string[5] memory names = ["0", "1", "2", "another sponsor", "delegate"];
        for (uint256 i = 0; i < 5; ++i) {
            accounts.push(actor(names[i]));
        }
        accounts.push(sponsor);
        accounts.push(address(consumer));
        vm.recordLogs();
        doAsk(true);
        doAssert(0, 0, false, false);
        doAssert(0, 0, true, false);
        doChallenge(0, 0);
        doChallenge(1, 1);
    }

    // Actions.

    function doAsk(bool early) public looking {
        if (requestIds.length == MOST_REQUESTS) return;
        requestIds.push(early ? askEarly("hello", 50_000) : ask("hello"));
    }

    function doAssert(uint256 seed, uint256 who, bool right, bool child) public looking {
        if (items.length == MOST_ASSERTIONS) return;
        bytes32 requestId = requestIds[seed % requestIds.length];
        bytes32 parent = child ? results.claimOf(items[(seed >> 128) % items.length].id) : bytes32(0);
        bytes32 output = right ? rightOutput : wrongOutput;
        bytes32 id = assertOutput(who % 2 == 0 ? sponsor : accounts[3], parent, requestId, output);
        items.push(Item(id, requestId, output, parent));
    }

    function doChallenge(uint256 seed, uint256 who) public looking {
        if (matches.length == MOST_GAMES) return;
        uint256 number = seed % items.length;
        Item memory item = items[number];
        (GameTerms memory terms, Claims memory opening) =
            challengeBy(accounts[who % 3], item.id, item.requestId, item.output);
        numberOf[idOf(terms)] = matches.length + 1;
        Match storage added = matches.push();
        (added.terms, added.item, added.last) = (terms, number, opening);
        added.seen = game.game(idOf(terms)).clock;
    }

    function doPlay(uint256 seed) external looking {
        play(seed % matches.length, seed >> 128);
    }

    function doPlayOn(uint256 seed) external looking {
        for (uint256 i = 0; i < 3; ++i) {
            play(seed % matches.length, seed >> (64 + i));
        }
    }

    /// Turns of one account in all games, in one transaction, with credit or value for a part of them.
    function doBatch(uint256 seed) external looking {
        bytes[] memory calls = new bytes[](matches.length);
        Turn[] memory turns = new Turn[](matches.length);
        address player = accounts[seed % 6];
        uint256 wei_ = (seed >> 128) % (3 * uint256(asserterStake));
        bool asValue = seed >> 255 == 1;
        if (asValue) vm.deal(player, player.balance + wei_);
        else game.deposit{value: wei_}(player);
        for (uint256 i = 0; i < calls.length; ++i) {
            turns[i] = turnOf(i, seed);
            // What is not this account's turn fails, and so does what is no call at all.
            calls[i] = turns[i].data;
        }
        vm.prank(player);
        bool[] memory succeeded = IBatch(game).batch{value: asValue ? wei_ : 0}(calls);
        for (uint256 i = 0; i < calls.length; ++i) {
            if (succeeded[i]) {
                bool allowed = turns[i].player == player || game.isDelegate(turns[i].player, player);
                check(allowed, "a batch moved for another");
                if (!turns[i].over) matches[i].last = turns[i].own;
            }
        }
    }

    function doWarp(uint256 seconds_) external looking {
        vm.warp(block.timestamp + 1 + seconds_ % (WINDOW / 4));
    }

    function doClaimTimeout(uint256 seed) external looking {
        game.claimTimeout(matches[seed % matches.length].terms);
    }

    function doSettle(uint256 seed) external looking {
        settleMatch(seed % matches.length);
    }

    function doConfirm(uint256 seed) external looking {
        results.confirm(items[seed % items.length].id);
    }

    function doWithdrawBond(uint256 seed) external looking {
        results.withdrawBond(items[seed % items.length].id);
    }

    function doDelegate(uint256 who, bool allowed) external looking {
        vm.prank(accounts[who % 4]);
        game.setDelegate(accounts[4], allowed);
    }

    function doDeposit(uint256 who, uint256 value, bool inGame) external looking {
        value = value % 1 ether;
        address account = accounts[who % accounts.length];
        if (inGame) game.deposit{value: value}(account);
        else results.deposit{value: value}(account);
    }

    function doWithdraw(uint256 who) external looking {
        address account = accounts[who % accounts.length];
        inbox.withdraw(account);
        results.withdraw(account);
        game.withdraw(account);
    }

    function doDeliver(uint256 seed) external looking {
        Item memory item = items[seed % items.length];
        uint256 calls = consumer.calls();
        bytes memory words = item.output == rightOutput ? rightWords : wrongWords;
        inbox.deliver(item.requestId, item.id, 0, new bytes32[](0), words);
        check(consumer.calls() <= calls + 1, "more than one callback");
        check(statusSeen[item.requestId] == RequestStatus.None, "delivered after the end");
        statusSeen[item.requestId] = RequestStatus.Delivered;
    }

    function doRefund(uint256 seed) external looking {
        bytes32 requestId = requestIds[seed % requestIds.length];
        inbox.refund(requestId);
        check(statusSeen[requestId] == RequestStatus.None, "refunded after the end");
        statusSeen[requestId] = RequestStatus.Refunded;
    }

    function doClaimFee(uint256 seed) external looking {
        Item memory item = items[seed % items.length];
        inbox.claimFee(item.requestId, item.id, 0, item.output, new bytes32[](0));
    }

    // How the parties play.

    function beliefOf(uint256 number, bool challengerToMove) private view returns (Belief memory) {
        if (challengerToMove != asserterIsHonest(number)) return honest();
        return challengerToMove ? saying(wrongOutput, 77) : liar(FAULT);
    }

    /// @dev What the party to move in a game does next. A liar keeps to its lie, or does anything.
    function turnOf(uint256 number, uint256 seed) private returns (Turn memory turn) {
        Match memory current = matches[number];
        useContextOf(items[current.item].requestId);
        GamePhase recorded = game.game(idOf(current.terms)).clock.recorded;
        bool challengerToMove = recorded == GamePhase.ChallengerToMove;
        bool lying = challengerToMove == asserterIsHonest(number);
        turn.player = challengerToMove ? current.terms.challenger : current.terms.asserter;
        Belief memory belief = beliefOf(number, challengerToMove);
        uint256 j = disputable(current.last, belief);
        if (lying && (seed % 3 == 0 || j == segmentsOf(current.last))) {
            j = (seed >> 8) % segmentsOf(current.last);
            belief = liar(seed % stepCount());
        }
        turn.over = boundOf(current.last, j + 1) - boundOf(current.last, j) == 1;
        if (turn.over) {
            turn.data = abi.encodeCall(
                IDissectionGame.prove, (current.terms, pickOf(current.last, j), proofOf(current.last, j))
            );
            return turn;
        }
        turn.own = within(current.last, j, belief);
        if (recorded == GamePhase.AsserterToAnswer) {
            turn.value = asserterStake;
            turn.data =
                abi.encodeCall(IDissectionGame.answer, (current.terms, pickOf(current.last, j), splitOf(turn.own)));
        } else {
            turn.data = moveCall(current, j, turn.own);
        }
    }

    function moveCall(Match memory current, uint256 j, Claims memory own) private view returns (bytes memory) {
        Parties memory parties = Parties(current.terms.asserter, current.terms.challenger);
        return
            abi.encodeCall(IDissectionGame.move, (idOf(current.terms), parties, pickOf(current.last, j), splitOf(own)));
    }

    /// @dev One turn, by the party or by its delegate; reverts as the game does.
    function play(uint256 number, uint256 seed) private {
        Turn memory turn = turnOf(number, seed);
        GamePhase before = game.phase(idOf(matches[number].terms));
        bool byDelegate = seed % 2 == 0 && game.isDelegate(turn.player, accounts[4]);
        vm.prank(byDelegate ? accounts[4] : turn.player);
        (bool succeeded, bytes memory reason) = address(game).call{value: turn.value}(turn.data);
        if (!succeeded) {
            assembly ("memory-safe") {
                revert(add(reason, 0x20), mload(reason))
            }
        }
        check(before != GamePhase.AsserterWon && before != GamePhase.ChallengerWon, "a move after the end");
        if (!turn.over) matches[number].last = turn.own;
    }

    function settleMatch(uint256 number) private {
        Match storage current = matches[number];
        Item memory item = items[current.item];
        results.settle(item.id, item.requestId, item.output, current.terms);
    }

    // From whatever there is now to the end. Nothing here may revert: there is no state that can't go on.

    /// @notice Honest parties play on wherever they still can, and all comes to its end.
    function finish() external {
        vm.getRecordedLogs();
        bool[] memory live = new bool[](matches.length);
        for (uint256 i = 0; i < matches.length; ++i) {
            live[i] = !isOver(matches[i].terms);
            if (!live[i]) continue;
            bool challengerToMove = matches[i].seen.recorded == GamePhase.ChallengerToMove;
            // The honest side always has a turn to take.
            if (challengerToMove != asserterIsHonest(i)) play(i, 1);
        }
        vm.warp(block.timestamp + 2 * uint256(allowance));
        for (uint256 i = 0; i < matches.length; ++i) {
            if (matches[i].settlements == 0) settleMatch(i);
            bool won = game.phase(idOf(matches[i].terms)) == GamePhase.AsserterWon;
            check(!live[i] || won == asserterIsHonest(i), "the honest side lost a game in which it took all its turns");
        }
        vm.warp(block.timestamp + WINDOW);
        for (uint256 i = 0; i < items.length; ++i) {
            if (!results.assertion(items[i].id).bondReleased) results.withdrawBond(items[i].id);
        }
        look();
        for (uint256 i = 0; i < accounts.length; ++i) {
            results.withdraw(accounts[i]);
            game.withdraw(accounts[i]);
        }
        check(address(game).balance == burntInGame, "more or less than what was burnt is left in the game");
        check(address(results).balance == burntInResults, "more or less than what was burnt is left");
        for (uint256 i = 0; i < items.length; ++i) {
            establish(i);
        }
        for (uint256 i = 0; i < items.length; ++i) {
            AssertionPhase now_ = results.phase(items[i].id);
            check(
                now_ == AssertionPhase.Defeated || !isTrueList(i) || now_ == AssertionPhase.Final,
                "a true list is not final"
            );
            check(isTrueList(i) || !wasFought(i) || now_ != AssertionPhase.Final, "a fought lie is final");
        }
    }

    /// @dev A true list can be sponsored again by anybody, whatever became of it before, and is final after its window.
    function establish(uint256 number) private {
        if (!isTrueList(number)) return;
        Item memory item = items[number];
        if (item.parent != 0) establish(itemOf(item.parent));
        bytes32 again = assertOutput(sponsor, item.parent, item.requestId, item.output);
        vm.warp(block.timestamp + WINDOW);
        check(results.phase(again) == AssertionPhase.Final, "a true list can't become final");
        results.confirm(again);
    }

    /// @dev True if the list and all that it builds on are right.
    function isTrueList(uint256 number) private view returns (bool) {
        Item memory item = items[number];
        return item.output == rightOutput && (item.parent == 0 || isTrueList(itemOf(item.parent)));
    }

    /// @dev True if a challenger has won against this very instance.
    function wasFought(uint256 number) private view returns (bool) {
        return results.assertion(items[number].id).defeats > 0;
    }

    function itemOf(bytes32 claim) private view returns (uint256 number) {
        while (results.claimOf(items[number].id) != claim) {
            ++number;
        }
    }
}
