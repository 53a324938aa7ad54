// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IBatch} from "../../src/interfaces/IBatch.sol";
import {GamePhase, GameTerms, IDissectionGame, Parties} from "../../src/interfaces/IDissectionGame.sol";
import {IOneStepVerifier} from "../../src/interfaces/IOneStepVerifier.sol";
import {Dissection} from "../../src/libraries/Dissection.sol";
import {Claims} from "../base/GamePlayer.sol";
import {DissectionGameTest} from "./DissectionGame.base.sol";

/// @notice A fake machine whose steps are so dear that the 64th of the gas, which a call keeps for what follows, is enough to end a game.
contract HungryMachine is IOneStepVerifier {
    uint256 private constant GAS = 4_000_000;

    IOneStepVerifier private immutable MACHINE;

    constructor(IOneStepVerifier machine) {
        MACHINE = machine;
    }

    function step(bytes32 preState, bytes calldata proof) external view returns (bytes32) {
        uint256 start = gasleft();
        while (start - gasleft() < GAS) {}
        return MACHINE.step(preState, proof);
    }
}

/// @notice Too little gas, encodings that say the same in other bytes, and openings of one segment shown for another.
contract DissectionGame_Audit is DissectionGameTest {
    uint256 private constant STEPS = 256;

    /// A game in which the challenger is to prove a step of that machine.
    function hungryGame() private returns (GameTerms memory terms, Claims memory answer) {
        HungryMachine hungry = new HungryMachine(IOneStepVerifier(address(machine)));
        game = IDissectionGame(deploy("DissectionGame", abi.encode(hungry, GAS_PRICE, arityBits)));
        (terms,, answer) = answeredGame(STEPS, 20);
    }

    /// Sends `data` as the challenger with more and more gas, until it ends the game; what came too short has changed nothing.
    function sendWithEveryGas(GameTerms memory terms, bytes memory data, GamePhase end, uint256 paid) private {
        uint256 tries = 0;
        for (uint256 given = 3_000_000; !isOver(terms); given += 20_011) {
            assertGamePhase(terms, GamePhase.ChallengerToMove);
            vm.assertEq(game.owed(challenger), 0);
            ++tries;
            vm.prank(challenger);
            (bool sent, bytes memory result) = address(game).call{gas: given}(data);
            bool succeeded = sent && (result.length == 0 || abi.decode(result, (bool[]))[0]);
            vm.assertTrue(isOver(terms) == succeeded);
        }
        vm.assertGt(tries, 50);
        assertGamePhase(terms, end);
        vm.assertEq(game.owed(challenger), paid);
    }

    function proofCall(GameTerms memory terms, Claims memory answer, uint256 j) private view returns (bytes memory) {
        return abi.encodeCall(IDissectionGame.prove, (terms, pickOf(answer, j), proofOf(answer, j)));
    }

    /// A step that runs out of gas while the call around it does not is not taken for a step with another result.
    function test_audit_proveWithAnyGas_succeeds() external {
        (GameTerms memory terms, Claims memory answer) = hungryGame();
        uint256 reward = worth(game.OPENING_GAS() + game.PROOF_GAS());
        sendWithEveryGas(terms, proofCall(terms, answer, 3), GamePhase.ChallengerWon, CHALLENGER_STAKE + reward);
    }

    /// The same of a right step, proved by whoever loses by it: no gas limit makes it a winner.
    function test_audit_concedeWithAnyGas_succeeds() external {
        (GameTerms memory terms, Claims memory answer) = hungryGame();
        sendWithEveryGas(terms, proofCall(terms, answer, 2), GamePhase.AsserterWon, 0);
    }

    /// In a batch, too: what there was not enough gas for has changed nothing, and is said to have failed.
    function test_audit_batchWithAnyGas_succeeds() external {
        (GameTerms memory terms, Claims memory answer) = hungryGame();
        bytes[] memory calls = new bytes[](1);
        calls[0] = proofCall(terms, answer, 3);
        uint256 reward = worth(game.OPENING_GAS() + game.PROOF_GAS());
        bytes memory data = abi.encodeCall(IBatch.batch, (calls));
        sendWithEveryGas(terms, data, GamePhase.ChallengerWon, CHALLENGER_STAKE + reward);
    }

    /// A field with bits above its width is no other spelling of the same terms: no second game comes of it.
    function test_audit_termsWithBitsAboveTheirWidth_reverts(uint8 above) external {
        (GameTerms memory terms, Claims memory opening) = openGame(STEPS, honest());
        uint16[9] memory widths = [160, 160, 160, 256, 256, 64, 32, 96, 96];
        for (uint256 i = 0; i < 9; ++i) {
            if (widths[i] == 256) continue;
            bytes memory data = abi.encodeCall(IDissectionGame.open, (terms, splitOf(opening)));
            uint256 bit = 1 << (widths[i] + above % (256 - widths[i]));
            assembly ("memory-safe") {
                let place := add(add(data, 0x24), shl(5, i))
                mstore(place, or(mload(place), bit))
            }
            (bool succeeded, bytes memory reason) = address(game).call{value: CHALLENGER_STAKE}(data);
            vm.assertFalse(succeeded, vm.toString(i));
            vm.assertEq(reason.length, 0, "refused by the decoder");
        }
        bytes memory longer = bytes.concat(abi.encodeCall(IDissectionGame.open, (terms, splitOf(opening))), bytes32(0));
        (bool again, bytes memory why) = address(game).call{value: CHALLENGER_STAKE}(longer);
        vm.assertFalse(again);
        vm.assertEq(why, abi.encodeWithSelector(IDissectionGame.GameExists.selector, idOf(terms)));
    }

    /// A move whose tails stand elsewhere than an encoder puts them, with something between and behind, means what its fields say; the
    /// log says it, too.
    function test_audit_moveWithGaps_succeeds(bytes32 between, bytes32 behind) external {
        (GameTerms memory terms,, Claims memory answer) = answeredGame(2 ** 20, 77);
        uint256 j = disputable(answer, honest());
        Claims memory own = within(answer, j, honest());
        bytes memory data = abi.encodeCall(
            IDissectionGame.move, (idOf(terms), Parties(asserter, challenger), pickOf(answer, j), splitOf(own))
        );
        bytes memory gapped = new bytes(data.length + 64);
        assembly ("memory-safe") {
            // Selector, id, parties, and where pick and split begin.
            let from := add(data, 0x20)
            let to := add(gapped, 0x20)
            mcopy(to, from, 0x64)
            mstore(add(to, 0x64), add(mload(add(from, 0x64)), 0x20))
            mstore(add(to, 0x84), add(mload(add(from, 0x84)), 0x20))
            mstore(add(to, 0xa4), between)
            mcopy(add(to, 0xc4), add(from, 0xa4), sub(mload(data), 0xa4))
            mstore(add(to, add(mload(data), 0x20)), behind)
        }
        vm.expectEmit(true, true, true, true, address(game));
        emit IDissectionGame.Moved(idOf(terms), j, answer.states[j], loggedOf(own), 0);
        vm.prank(challenger);
        (bool succeeded,) = address(game).call(gapped);
        vm.assertTrue(succeeded);
        assertStored(terms, own);
    }

    function rootOf(bytes32 start, bytes32 end, uint256 j, uint256 m, bytes calldata opening)
        external
        pure
        returns (bytes32)
    {
        return Dissection.rootOf(start, end, j, m, opening, 4);
    }

    /// The opening of a segment, and its states, are those of no other, in a split of any number of segments.
    function test_audit_openingOfAnotherSegment_reverts() external view {
        for (uint256 m = 1; m <= 32; ++m) {
            Claims memory claims = claimsOf(honest(), 0, m, trueState(0));
            bytes32 root = claimsRootOf(claims);
            for (uint256 j = 0; j < m; ++j) {
                bytes memory opening = pickOf(claims, j).opening;
                for (uint256 other = 0; other < m; ++other) {
                    try this.rootOf(claims.states[j], claims.states[j + 1], other, m, opening) returns (bytes32 found) {
                        vm.assertTrue((found == root) == (other == j), vm.toString(m));
                    } catch {
                        vm.assertTrue(other != j);
                    }
                }
            }
        }
    }
}
