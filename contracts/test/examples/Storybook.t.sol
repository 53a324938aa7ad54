// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Storybook} from "../../src/examples/Storybook.sol";
import {IModelContract} from "../../src/interfaces/IModelContract.sol";
import {Suite} from "../base/Suite.sol";

contract Storybook_Begin is Suite {
    Storybook private book;
    Storybook private tokenBook;
    address private author = actor("author");

    function setUp() public override {
        super.setUp();
        book = new Storybook(modelOf("complete(string)->(string)", 1), inbox);
        tokenBook = new Storybook(modelOf("generate(int32[])->(int32[])", 4), inbox);
    }

    function modelOf(string memory signature, uint256 elementBytes) private returns (address at_) {
        (, at_) = registry.register(headerOf(signature, 1, COLUMNS, elementBytes), signature, MODEL_FEE, "");
    }

    function begin(string memory opening) private returns (bytes32) {
        uint256 price = book.price();
        vm.prank(author);
        return book.begin{value: price}(opening);
    }

    function test_begin_text_succeeds() external {
        bytes32 storyId = begin("Once upon a time");
        vm.assertEq(book.storyOf(storyId).author, author);
        vm.assertEq(inbox.requestOf(storyId).requester, address(book));
        bytes32 assertionId = finalAssertion(storyId);
        vm.expectEmit(true, true, true, true, address(book));
        emit Storybook.Continued(storyId, abi.encode("eng"));
        inbox.deliver(storyId, assertionId, 0, new bytes32[](0), rightWords);
        vm.assertEq(book.storyOf(storyId).continuation, keccak256(abi.encode("eng")));
    }

    function test_begin_tokens_succeeds() external {
        int32[] memory prompt = new int32[](6);
        prompt[4] = 2;
        prompt[5] = 404;
        uint256 price = tokenBook.price();
        bytes32 storyId = tokenBook.beginWithTokens{value: price}(prompt);
        bytes32 assertionId = finalAssertion(storyId);
        inbox.deliver(storyId, assertionId, 0, new bytes32[](0), rightWords);
        int32[] memory numbers = new int32[](1);
        numbers[0] =
            int32(uint32(uint8(bytes1("e"))) | uint32(uint8(bytes1("n"))) << 8 | uint32(uint8(bytes1("g"))) << 16);
        vm.assertEq(tokenBook.storyOf(storyId).continuation, keccak256(abi.encode(numbers)));
    }

    function test_begin_sameOpening_otherSeed() external {
        bytes32 first = begin("Once upon a time");
        bytes32 second = begin("Once upon a time");
        vm.assertTrue(inbox.requestOf(first).seed != inbox.requestOf(second).seed);
    }

    function test_onInferenceResult_stranger_reverts() external {
        bytes32 storyId = begin("Once upon a time");
        vm.expectRevert(abi.encodeWithSelector(Storybook.NotTheInbox.selector, stranger));
        vm.prank(stranger);
        book.onInferenceResult(storyId, abi.encode("eng"));
        vm.expectRevert(abi.encodeWithSelector(Storybook.NotAwaited.selector, keccak256("other")));
        vm.prank(address(inbox));
        book.onInferenceResult(keccak256("other"), abi.encode("eng"));
    }

    function test_expire_nobodyAnswered_succeeds() external {
        uint256 before = author.balance;
        bytes32 storyId = begin("Once upon a time");
        vm.warp(START + DEADLINE);
        book.expire(storyId);
        vm.assertEq(author.balance, before);
        vm.expectRevert(abi.encodeWithSelector(Storybook.NotAwaited.selector, storyId));
        book.expire(storyId);
    }

    function test_expire_refundedByAnother_succeeds() external {
        uint256 before = author.balance;
        bytes32 storyId = begin("Once upon a time");
        vm.warp(START + DEADLINE);
        inbox.refund(storyId);
        inbox.withdraw(address(book));
        book.expire(storyId);
        vm.assertEq(author.balance, before);
        vm.assertEq(address(book).balance, 0);
    }

    function test_expire_answered_reverts() external {
        bytes32 storyId = begin("Once upon a time");
        bytes32 assertionId = finalAssertion(storyId);
        inbox.deliver(storyId, assertionId, 0, new bytes32[](0), rightWords);
        vm.expectRevert(abi.encodeWithSelector(Storybook.NotAwaited.selector, storyId));
        book.expire(storyId);
    }
}
