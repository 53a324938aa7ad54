// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Clock, Ending, GamePhase, GameTerms, IDissectionGame} from "../../src/interfaces/IDissectionGame.sol";
import {Request, RequestStatus} from "../../src/interfaces/IInbox.sol";
import {Assertion, AssertionPhase, IResultAssertions} from "../../src/interfaces/IResultAssertions.sol";
import {Claims} from "../base/GamePlayer.sol";
import {Suite} from "../base/Suite.sol";
import {Vm} from "../base/Vm.sol";

/// @notice The requests, assertions and games that the fuzzer has made, and what has to hold of them after every call.
abstract contract Observer is Suite {
    struct Item {
        bytes32 id;
        bytes32 requestId;
        bytes32 output;
        bytes32 parent;
    }

    struct Match {
        GameTerms terms;
        uint256 item;
        Claims last;
        uint256 ends;
        uint256 settlements;
        Clock seen;
    }

    bytes32[] internal requestIds;
    Item[] internal items;
    Match[] internal matches;
    mapping(bytes32 gameId => uint256) internal numberOf;
    mapping(bytes32 assertionId => AssertionPhase) internal endSeen;
    mapping(bytes32 requestId => RequestStatus) internal statusSeen;
    address[] internal accounts;
    uint256 internal burntInGame;
    uint256 internal burntInResults;

    /// @notice What was wrong first; empty if all is well.
    string public violation;

    /// @dev Every action ends with a look at what has happened. What an earlier one logged and then reverted is still on record.
    modifier looking() {
        vm.getRecordedLogs();
        _;
        look();
    }

    function check(bool good, string memory what) internal {
        if (!good && bytes(violation).length == 0) violation = what;
    }

    /// @dev Reads what was logged, and compares all that is stored with what was seen before.
    function look() internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == IDissectionGame.Settled.selector) lookAtEnd(logs[i]);
            if (logs[i].topics[0] == IResultAssertions.GameSettled.selector) {
                uint256 settlements = ++matches[numberOf[logs[i].topics[2]] - 1].settlements;
                check(settlements == 1, "settled twice");
            }
            if (logs[i].topics[0] == IResultAssertions.BondReleased.selector) {
                (, uint256 burnt) = abi.decode(logs[i].data, (uint256, uint256));
                burntInResults += burnt;
            }
        }
        for (uint256 i = 0; i < matches.length; ++i) {
            lookAtClock(i);
        }
        for (uint256 i = 0; i < items.length; ++i) {
            bytes32 id = items[i].id;
            AssertionPhase now_ = results.phase(id);
            check(endSeen[id] == AssertionPhase.None || endSeen[id] == now_, "an assertion's end was not for good");
            if (now_ == AssertionPhase.Final || now_ == AssertionPhase.Defeated) endSeen[id] = now_;
        }
        lookAtMoney();
        lookAtOpenGames();
    }

    function lookAtEnd(Vm.Log memory log) internal {
        (bool asserterWon, Ending ending, uint256 paid, uint256 burnt) =
            abi.decode(log.data, (bool, Ending, uint256, uint256));
        uint256 number = numberOf[log.topics[1]] - 1;
        Match storage ended = matches[number];
        burntInGame += burnt;
        ended.ends += 1;
        check(ended.ends == 1, "a game ended twice");
        check(ending == Ending.Timeout || asserterWon == asserterIsHonest(number), "the honest side lost a proof");
        bool answered = game.game(log.topics[1]).clock.asserterWork > 0;
        check(paid + burnt == uint256(challengerStake) + (answered ? asserterStake : 0), "stakes made or lost");
    }

    function lookAtClock(uint256 number) internal {
        Match storage current = matches[number];
        Clock memory now_ = game.game(idOf(current.terms)).clock;
        Clock memory seen = current.seen;
        check(now_.asserterRemaining <= seen.asserterRemaining, "the asserter's clock rose");
        check(now_.challengerRemaining <= seen.challengerRemaining, "the challenger's clock rose");
        check(now_.asserterRemaining > 0 && now_.challengerRemaining > 0, "a clock below a second");
        check(now_.turnStartedAt >= seen.turnStartedAt, "a turn before the last");
        check(now_.end - now_.start <= seen.end - seen.start, "a longer split");
        if (seen.recorded == GamePhase.AsserterWon || seen.recorded == GamePhase.ChallengerWon) {
            bool closes = now_.closed && !seen.closed;
            now_.closed = seen.closed;
            check(keccak256(abi.encode(now_)) == keccak256(abi.encode(seen)), "a change after the end");
            now_.closed = seen.closed || closes;
        }
        current.seen = now_;
    }

    /// @dev Game 6, assertions 6, inbox 3: each contract holds what it owes, to the wei.
    function lookAtMoney() internal {
        uint256[3] memory sums = [uint256(0), burntInResults, burntInGame];
        for (uint256 i = 0; i < accounts.length; ++i) {
            sums[0] += inbox.owed(accounts[i]);
            sums[1] += results.owed(accounts[i]);
            sums[2] += game.owed(accounts[i]);
        }
        for (uint256 i = 0; i < requestIds.length; ++i) {
            Request memory request = inbox.requestOf(requestIds[i]);
            if (!request.feeSpent) sums[0] += request.fee;
        }
        for (uint256 i = 0; i < items.length; ++i) {
            Assertion memory assertion = results.assertion(items[i].id);
            if (!assertion.bondReleased) sums[1] += BOND - BOUNTY * (assertion.defeats < 4 ? assertion.defeats : 4);
        }
        for (uint256 i = 0; i < matches.length; ++i) {
            GamePhase recorded = matches[i].seen.recorded;
            if (recorded == GamePhase.AsserterWon || recorded == GamePhase.ChallengerWon) continue;
            sums[2] += challengerStake;
            if (recorded != GamePhase.AsserterToAnswer) sums[2] += asserterStake;
        }
        check(address(inbox).balance == sums[0], "the inbox holds something else than it owes");
        check(address(results).balance == sums[1], "the assertions hold something else than they owe");
        check(address(game).balance == sums[2], "the game holds something else than it owes");
    }

    /// @dev Assertions 3 and 4: an assertion waits for its own unsettled games, and for no others.
    function lookAtOpenGames() internal {
        for (uint256 i = 0; i < items.length; ++i) {
            uint256 open = 0;
            for (uint256 k = 0; k < matches.length; ++k) {
                if (matches[k].item == i && matches[k].settlements == 0) ++open;
            }
            check(results.assertion(items[i].id).openGames == open, "open games");
        }
    }

    function asserterIsHonest(uint256 number) internal view returns (bool) {
        return items[matches[number].item].output == rightOutput;
    }

    /// @notice Ends that were seen: games by proof or clock, settlements, final and defeated assertions.
    function reached() external view returns (uint256 ends, uint256 settlements, uint256 finals, uint256 defeats) {
        for (uint256 i = 0; i < matches.length; ++i) {
            ends += matches[i].ends;
            settlements += matches[i].settlements;
        }
        for (uint256 i = 0; i < items.length; ++i) {
            if (endSeen[items[i].id] == AssertionPhase.Final) ++finals;
            if (endSeen[items[i].id] == AssertionPhase.Defeated) ++defeats;
        }
    }
}
