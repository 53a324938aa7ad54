// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {GameTerms} from "../../src/interfaces/IDissectionGame.sol";
import {Assertion, AssertionPhase, IResultAssertions} from "../../src/interfaces/IResultAssertions.sol";
import {Claims} from "../base/GamePlayer.sol";
import {Suite} from "../base/Suite.sol";

/// @notice Lists that build on lists. Invariants 2 and 3.
contract ResultAssertions_Parents is Suite {
    bytes32 private first;
    bytes32 private second;
    bytes32 private parent;
    bytes32 private claim;
    bytes32 private child;

    function setUp() public override {
        super.setUp();
        (first, second) = (ask("first"), ask("second"));
        parent = assertOutput(sponsor, first, rightOutput);
        claim = results.claimOf(parent);
        child = assertOutput(stranger, claim, second, rightOutput);
    }

    function wrongPhaseOf(AssertionPhase phase) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IResultAssertions.WrongPhase.selector, phase);
    }

    /// @dev Lost on purpose, or by a dead machine: nobody answers.
    function sabotage(bytes32 assertionId, bytes32 requestId) private {
        (GameTerms memory terms,) = challengeBy(challenger, assertionId, requestId, rightOutput);
        vm.warp(block.timestamp + allowance);
        settle(terms, assertionId, requestId, rightOutput);
        assertPhase(assertionId, AssertionPhase.Defeated);
    }

    function test_parent_stored_succeeds() external view {
        Assertion memory stored = results.assertion(child);
        vm.assertEq(stored.parent, claim);
        vm.assertEq(claim, keccak256(abi.encode(bytes32(0), results.assertion(parent).root, 1)));
        vm.assertEq(results.claimOf(child), keccak256(abi.encode(claim, stored.root, 1)));
    }

    /// The child's window runs beside its parent's; only `confirm` is left to wait for.
    function test_parent_confirmed_succeeds() external {
        vm.warp(START + WINDOW - 1);
        assertPhase(child, AssertionPhase.Challengeable);
        vm.expectRevert(wrongPhaseOf(AssertionPhase.Challengeable));
        results.confirm(parent);
        vm.warp(START + WINDOW);
        assertPhase(parent, AssertionPhase.Final);
        assertPhase(child, AssertionPhase.Waiting);
        vm.expectRevert(wrongPhaseOf(AssertionPhase.Waiting));
        results.confirm(child);
        vm.assertFalse(results.confirmed(claim));
        vm.expectEmit(true, true, true, true, address(results));
        emit IResultAssertions.Confirmed(claim, parent);
        vm.prank(challenger);
        results.confirm(parent);
        vm.assertTrue(results.confirmed(claim));
        assertPhase(child, AssertionPhase.Final);
        results.confirm(child);
    }

    function test_confirm_twice_succeeds() external {
        bytes32 sibling = assertOutput(stranger, first, rightOutput);
        vm.warp(START + WINDOW);
        results.confirm(parent);
        vm.recordLogs();
        results.confirm(parent);
        results.confirm(sibling);
        vm.assertEq(vm.getRecordedLogs().length, 0, "the second calls do nothing");
        vm.assertTrue(results.confirmed(claim));
    }

    function test_confirm_unknown_reverts() external {
        vm.expectRevert(wrongPhaseOf(AssertionPhase.None));
        results.confirm(keccak256("no assertion"));
    }

    /// Whoever loses an instance of the parent on purpose harms no child: a sibling carries it, whoever's.
    function test_parent_sabotaged_succeeds() external {
        bytes32 sibling = assertOutput(stranger, first, rightOutput);
        vm.assertEq(results.claimOf(sibling), claim);
        vm.assertNotEq(sibling, parent);
        sabotage(parent, first);
        vm.warp(START + WINDOW + allowance);
        vm.expectRevert(wrongPhaseOf(AssertionPhase.Defeated));
        results.confirm(parent);
        assertPhase(child, AssertionPhase.Waiting);
        results.confirm(sibling);
        assertPhase(child, AssertionPhase.Final);
    }

    /// Even where nobody had sponsored one: the claim can be asserted again, and the child is final with it.
    function test_parent_assertedAgain_succeeds() external {
        sabotage(parent, first);
        bytes32 again = assertOutput(challenger, first, rightOutput);
        uint256 end = block.timestamp + WINDOW;
        vm.warp(end - 1);
        assertPhase(child, AssertionPhase.Waiting);
        vm.warp(end);
        results.confirm(again);
        assertPhase(child, AssertionPhase.Final);
    }

    /// The child comes first, and its parent later.
    function test_parent_notYetAsserted_succeeds() external {
        bytes32 grandchild = assertOutput(sponsor, results.claimOf(child), ask("third"), rightOutput);
        vm.warp(START + WINDOW);
        assertPhase(grandchild, AssertionPhase.Waiting);
        results.confirm(parent);
        assertPhase(grandchild, AssertionPhase.Waiting);
        results.confirm(child);
        assertPhase(grandchild, AssertionPhase.Final);
    }

    /// A parent that is false, or that nobody has ever asserted: the child never counts, and its sponsor gets its bond all the same.
    function test_parent_false_succeeds() external {
        bytes32 lie = assertOutput(sponsor, first, wrongOutput);
        bytes32[2] memory parents = [results.claimOf(lie), keccak256("never asserted")];
        (GameTerms memory terms, Claims memory opening) = challengeBy(challenger, lie, first, wrongOutput);
        playOut(terms, opening, liar(1234), honest());
        settle(terms, lie, first, wrongOutput);
        for (uint256 i = 0; i < 2; ++i) {
            bytes32 orphan = assertOutput(stranger, parents[i], second, rightOutput);
            vm.warp(block.timestamp + 100 * WINDOW);
            assertPhase(orphan, AssertionPhase.Waiting);
            vm.expectRevert(wrongPhaseOf(AssertionPhase.Waiting));
            results.confirm(orphan);
            uint256 before = results.owed(stranger);
            results.withdrawBond(orphan);
            vm.assertEq(results.owed(stranger) - before, BOND);
            vm.expectRevert(IResultAssertions.BondAlreadyReleased.selector);
            results.withdrawBond(orphan);
        }
        vm.expectRevert(wrongPhaseOf(AssertionPhase.Defeated));
        results.confirm(lie);
    }

    /// A bond that was taken back while the list waited is not paid again when it is final.
    function test_parent_bondOnce_succeeds() external {
        vm.warp(START + WINDOW);
        results.withdrawBond(child);
        results.confirm(parent);
        assertPhase(child, AssertionPhase.Final);
        vm.expectRevert(IResultAssertions.BondAlreadyReleased.selector);
        results.withdrawBond(child);
        vm.assertEq(results.owed(stranger), BOND);
    }

    function test_parent_childDefeated_succeeds() external {
        sabotage(child, second);
        vm.warp(START + 2 * WINDOW);
        results.confirm(parent);
        assertPhase(child, AssertionPhase.Defeated);
        // A sibling of the child is final with the same parent.
        bytes32 again = assertOutput(sponsor, claim, second, rightOutput);
        vm.warp(block.timestamp + WINDOW);
        assertPhase(again, AssertionPhase.Final);
    }

    function test_parent_childDisputed_succeeds() external {
        vm.warp(START + WINDOW - 1);
        (GameTerms memory terms, Claims memory opening) = challengeBy(challenger, child, second, rightOutput);
        vm.warp(START + WINDOW);
        results.confirm(parent);
        assertPhase(child, AssertionPhase.Disputed);
        playOut(terms, opening, honest(), saying(wrongOutput, 77));
        settle(terms, child, second, rightOutput);
        assertPhase(child, AssertionPhase.Final);
    }

    /// The parent is part of what is claimed: the same list on another list is another claim.
    function test_parent_inTheClaim_succeeds() external {
        bytes32 other = assertOutput(stranger, 0, second, rightOutput);
        vm.assertEq(results.assertion(other).root, results.assertion(child).root);
        vm.assertNotEq(results.claimOf(other), results.claimOf(child));
        vm.warp(START + WINDOW);
        results.confirm(other);
        assertPhase(child, AssertionPhase.Waiting);
    }

    /// Nothing is delivered out of a list that waits to those who want it final.
    function test_parent_delivery_succeeds() external {
        vm.warp(START + WINDOW);
        vm.expectRevert(abi.encodeWithSignature("AssertionNotFinal(bytes32)", child));
        inbox.deliver(second, child, 0, new bytes32[](0), rightWords);
        results.confirm(parent);
        inbox.deliver(second, child, 0, new bytes32[](0), rightWords);
        vm.assertEq(consumer.calls(), 1);
    }
}
