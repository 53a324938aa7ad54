// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Forum, ILanguageDetector} from "../../src/examples/Forum.sol";
import {Suite} from "../base/Suite.sol";

contract Forum_Post is Suite {
    Forum private forum;
    address private author = actor("author");

    function setUp() public override {
        super.setUp();
        forum = new Forum(ILanguageDetector(address(model)), inbox);
    }

    function post(string memory text) private returns (bytes32) {
        uint256 price = forum.price();
        vm.prank(author);
        return forum.post{value: price}(text);
    }

    function answered(string memory text) private returns (bytes32 postId) {
        postId = post(text);
        bytes32 assertionId = finalAssertion(postId);
        inbox.deliver(postId, assertionId, 0, new bytes32[](0), rightWords);
    }

    function test_post_chosenLanguage_succeeds() external {
        forum.join("eng");
        bytes32 postId = post("good morning");
        bytes32 assertionId = finalAssertion(postId);
        vm.expectEmit(true, true, true, true, address(forum));
        emit Forum.Published(postId, "eng");
        inbox.deliver(postId, assertionId, 0, new bytes32[](0), rightWords);
        Forum.Post memory shown = forum.postOf(postId);
        vm.assertTrue(shown.status == Forum.PostStatus.Published);
        vm.assertEq(shown.author, author);
        vm.assertEq(shown.text, "good morning");
        vm.assertEq(shown.language, "eng");
    }

    function test_post_otherLanguage_succeeds() external {
        forum.join("deu");
        bytes32 postId = answered("good morning");
        vm.assertTrue(forum.postOf(postId).status == Forum.PostStatus.Rejected);
    }

    function test_post_languageLeft_succeeds() external {
        forum.join("eng");
        vm.assertTrue(forum.admits("eng"));
        forum.join("deu");
        vm.assertFalse(forum.admits("eng"));
        vm.prank(author);
        forum.join("deu");
        vm.assertTrue(forum.admits("deu"));
    }

    function test_onInferenceResult_stranger_reverts() external {
        bytes32 postId = post("good morning");
        vm.expectRevert(abi.encodeWithSelector(Forum.NotTheInbox.selector, stranger));
        vm.prank(stranger);
        forum.onInferenceResult(postId, abi.encode("eng"));
        vm.expectRevert(abi.encodeWithSelector(Forum.NotSubmitted.selector, keccak256("other")));
        vm.prank(address(inbox));
        forum.onInferenceResult(keccak256("other"), abi.encode("eng"));
    }

    function test_expire_nobodyAnswered_succeeds() external {
        uint256 before = author.balance;
        bytes32 postId = post("good morning");
        vm.warp(START + DEADLINE);
        forum.expire(postId);
        vm.assertEq(author.balance, before);
        vm.assertTrue(forum.postOf(postId).status == Forum.PostStatus.Expired);
        vm.expectRevert(abi.encodeWithSelector(Forum.NotSubmitted.selector, postId));
        forum.expire(postId);
    }

    function test_expire_refundedByAnother_succeeds() external {
        uint256 before = author.balance;
        bytes32 postId = post("good morning");
        vm.warp(START + DEADLINE);
        inbox.refund(postId);
        inbox.withdraw(address(forum));
        forum.expire(postId);
        vm.assertEq(author.balance, before);
        vm.assertEq(address(forum).balance, 0);
    }

    function test_expire_answered_reverts() external {
        bytes32 postId = answered("good morning");
        vm.expectRevert(abi.encodeWithSelector(Forum.NotSubmitted.selector, postId));
        forum.expire(postId);
    }
}
