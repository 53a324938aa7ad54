// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Finality, IInbox, RequestOptions} from "../../src/interfaces/IInbox.sol";
import {IModelContract} from "../../src/interfaces/IModelContract.sol";
import {Detector, Suite} from "../base/Suite.sol";

contract ModelContract_Call is Suite {
    function modelOf(string memory signature, uint256 rows, uint256 columns, uint256 elementBytes)
        private
        returns (IModelContract)
    {
        (, address at_) = registry.register(headerOf(signature, rows, columns, elementBytes), signature, 0, "");
        return IModelContract(at_);
    }

    /// @dev Calls the model with this calldata and the fee of a request without a callback.
    function call(IModelContract target, uint256 value, bytes memory data) private returns (bytes32 requestId) {
        (bool succeeded, bytes memory result) = address(target).call{value: value}(data);
        if (!succeeded) {
            assembly ("memory-safe") {
                revert(add(result, 0x20), mload(result))
            }
        }
        vm.assertEq(result.length, 32);
        return abi.decode(result, (bytes32));
    }

    function callExternally(IModelContract target, uint256 value, bytes memory data) external returns (bytes32) {
        return call(target, value, data);
    }

    function refuses(IModelContract target, bytes memory data, bytes memory why) private {
        uint256 value = target.defaultFee();
        vm.expectRevert(why);
        this.callExternally(target, value, data);
        vm.assertEq(address(inbox).balance, 0, "before anything is paid");
    }

    function test_fallback_text_succeeds(bytes memory text) external {
        if (text.length > COLUMNS) {
            assembly ("memory-safe") {
                mstore(text, COLUMNS)
            }
        }
        bytes32 requestId = Detector(address(model)).detect{value: model.defaultFee()}(string(text));
        (, bytes32 input,) = inbox.facts(requestId);
        bytes memory padded = bytes.concat(text, new bytes(COLUMNS - text.length));
        (bytes32 left, bytes32 right) = abi.decode(padded, (bytes32, bytes32));
        bytes32 root = left == 0 && right == 0 ? bytes32(0) : keccak256(padded);
        vm.assertEq(input, keccak256(abi.encode(keccak256("assay.tensor.v1"), root, 2)));
    }

    function test_fallback_textTooLong_reverts() external {
        string memory longest = string(new bytes(COLUMNS));
        Detector(address(model)).detect{value: model.defaultFee()}(longest);
        uint256 fee = model.defaultFee();
        vm.expectRevert(abi.encodeWithSelector(IModelContract.InputTooLong.selector, COLUMNS + 1, COLUMNS));
        Detector(address(model)).detect{value: fee}(string.concat(longest, "x"));
    }

    function test_fallback_otherFunctions_reverts() external {
        refuses(model, "", abi.encodeWithSelector(IModelContract.UnknownFunction.selector, bytes4(0)));
        refuses(model, hex"0102", abi.encodeWithSelector(IModelContract.UnknownFunction.selector, bytes4(0x01020000)));
        refuses(
            model,
            abi.encodeWithSignature("detect(bytes)", "x"),
            abi.encodeWithSelector(IModelContract.UnknownFunction.selector, bytes4(keccak256("detect(bytes)")))
        );
    }

    function test_fallback_notCanonical_reverts() external {
        bytes memory malformed = abi.encodeWithSelector(IModelContract.MalformedCalldata.selector);
        bytes memory canonical = abi.encodeWithSignature("detect(string)", "hello");
        refuses(model, bytes.concat(canonical, hex"00"), malformed);
        refuses(model, bytes.concat(canonical, bytes32(0)), malformed);
        bytes4 s = bytes4(canonical);
        refuses(model, abi.encodePacked(s), malformed);
        refuses(model, abi.encodePacked(s, uint256(0x20)), malformed);
        refuses(model, abi.encodePacked(s, uint256(0x40), uint256(0), uint256(0)), malformed);
        refuses(model, abi.encodePacked(s, uint256(0x20), uint256(5), "hello"), malformed);
        refuses(model, abi.encodePacked(s, uint256(0x20), uint256(5), bytes32("hello!")), malformed);
        refuses(
            model,
            abi.encodePacked(s, uint256(0x20), type(uint256).max, bytes32(0)),
            abi.encodeWithSelector(IModelContract.InputTooLong.selector, type(uint256).max, COLUMNS)
        );
    }

    /// Every single-bit change of a canonical call is refused, or asks something else, or lets the text end in more zero bytes, which
    /// are the same as padding.
    function test_fallback_flippedBit_succeeds(uint256 bit) external {
        bytes memory data = abi.encodeWithSignature("detect(string)", "hello");
        bit = bit % (8 * data.length);
        data[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        (bool succeeded, bytes memory result) = address(model).call{value: model.defaultFee()}(data);
        bool isLength = bit / 8 == 67;
        bool isLetter = bit / 8 >= 68 && bit / 8 < 73;
        uint8 length = uint8(data[67]);
        vm.assertEq(succeeded, isLetter || (isLength && length > 5 && length <= 32));
        if (!succeeded) return;
        (, bytes32 input,) = inbox.facts(abi.decode(result, (bytes32)));
        vm.assertEq(input == model.inputCommitmentOf(abi.encode("hello")), isLength);
    }

    function test_fallback_options_succeeds() external {
        bytes32 seed = keccak256("seed");
        uint256 fee = model.fee(4242);
        bytes32 requestId =
            Detector(address(model)).detect{value: fee}("hello", RequestOptions(Finality.Asserted, 4242, 77, seed));
        vm.assertEq(inbox.requestOf(requestId).callbackGas, 4242);
        vm.assertEq(inbox.requestOf(requestId).deadline, START + 77);
        vm.assertEq(inbox.requestOf(requestId).seed, seed);
    }

    function test_fallback_optionsOutOfRange_reverts() external {
        string memory f = "detect(string,(uint8,uint32,uint64,bytes32))";
        bytes memory malformed = abi.encodeWithSelector(IModelContract.MalformedCalldata.selector);
        refuses(model, abi.encodeWithSignature(f, "hello", [uint256(2), 0, 0, 0]), malformed);
        refuses(model, abi.encodeWithSignature(f, "hello", [uint256(0), 2 ** 32, 0, 0]), malformed);
        refuses(model, abi.encodeWithSignature(f, "hello", [uint256(0), 0, 2 ** 64, 0]), malformed);
        bytes memory canonical = abi.encodeWithSignature(f, "hello", [uint256(1), 0, 0, 0]);
        refuses(model, bytes.concat(canonical, hex"00"), malformed);
        vm.assertNotEq(call(model, model.fee(0), canonical), 0);
    }

    /// Values that their types have, and that the inbox refuses.
    function test_fallback_greatestOptions_reverts() external {
        string memory f = "detect(string,(uint8,uint32,uint64,bytes32))";
        (uint32 most, uint64 latest) = (type(uint32).max, type(uint64).max);
        uint256 fee = model.fee(most);
        vm.expectRevert(abi.encodeWithSelector(IInbox.CallbackGasTooHigh.selector, most, 8_000_000));
        this.callExternally(model, fee, abi.encodeWithSignature(f, "", [uint256(0), most, 0, 0]));
        fee = model.fee(0);
        vm.expectRevert(abi.encodeWithSelector(IInbox.DeadlineOutOfRange.selector, latest, 3650 days));
        this.callExternally(model, fee, abi.encodeWithSignature(f, "", [uint256(0), 0, latest, 0]));
    }

    /// What stands behind the numbers is not taken for more of them.
    function test_fallback_numbersAndOptions_succeeds() external {
        IModelContract m = modelOf("f(uint8[2])->(int8)", 1, 2, 1);
        bytes memory data =
            abi.encodeWithSignature("f(uint8[2],(uint8,uint32,uint64,bytes32))", [7, 9], [1, 4242, 77, 5]);
        bytes32 requestId = call(m, m.fee(4242), data);
        (, bytes32 input, bytes32 seed) = inbox.facts(requestId);
        vm.assertEq(input, commitmentOf(bytes32(hex"0709")));
        vm.assertEq(seed, bytes32(uint256(5)));
        vm.assertEq(inbox.requestOf(requestId).callbackGas, 4242);
    }

    /// A selector that ends in a zero byte is not called by its first three.
    function test_fallback_shortSelector_reverts() external {
        bytes4 selector = bytes4(keccak256("f5(string)"));
        vm.assertEq(uint8(selector[3]), 0);
        IModelContract m = modelOf("f5(string)->(string)", 1, 8, 1);
        refuses(
            m,
            abi.encodePacked(bytes3(selector)),
            abi.encodeWithSelector(IModelContract.UnknownFunction.selector, selector)
        );
    }

    /// forge-config: default.fuzz.runs = 4
    function test_fallback_images_succeeds(uint256 seed) external {
        IModelContract m = modelOf("classify(uint8[784])->(int32)", 28, 28, 1);
        bytes memory words;
        bytes memory data = abi.encodeWithSignature("classify(uint8[784])");
        for (uint256 row = 0; row < 28; ++row) {
            bytes memory line;
            for (uint256 column = 0; column < 28; ++column) {
                uint8 pixel = uint8(uint256(keccak256(abi.encode(seed, row, column))));
                line = bytes.concat(line, bytes1(pixel));
                data = bytes.concat(data, abi.encode(pixel));
            }
            words = bytes.concat(words, line, bytes4(0));
        }
        (, bytes32 input,) = inbox.facts(call(m, m.defaultFee(), data));
        vm.assertEq(input, keccak256(abi.encode(keccak256("assay.tensor.v1"), rootOf(words, 5, 0), 28)));
    }

    function rootOf(bytes memory words, uint256 height, uint256 i) private pure returns (bytes32 node) {
        if (height == 0) {
            assembly ("memory-safe") {
                if lt(shl(5, i), mload(words)) { node := mload(add(add(words, 0x20), shl(5, i))) }
            }
            return node;
        }
        bytes32 left = rootOf(words, height - 1, 2 * i);
        bytes32 right = rootOf(words, height - 1, 2 * i + 1);
        return left == 0 && right == 0 ? bytes32(0) : keccak256(abi.encode(left, right));
    }

    function test_fallback_int32_succeeds(int32[3] memory values) external {
        IModelContract m = modelOf("f(int32[3])->(int32)", 1, 3, 4);
        (, bytes32 input,) = inbox.facts(call(m, m.defaultFee(), abi.encodeWithSignature("f(int32[3])", values)));
        bytes memory lanes;
        for (uint256 i = 0; i < 3; ++i) {
            uint32 v = uint32(values[i]);
            lanes = abi.encodePacked(lanes, uint8(v), uint8(v >> 8), uint8(v >> 16), uint8(v >> 24));
        }
        vm.assertEq(input, commitmentOf(bytes32(bytes.concat(lanes, new bytes(20)))));
    }

    /// A list is the row that begins with it; zeros at its end make no difference, and what encodes it otherwise is refused.
    function test_fallback_list_succeeds(int32[] memory values) external {
        uint256 length = values.length % 9;
        assembly {
            mstore(values, length)
        }
        IModelContract m = modelOf("f(int32[])->(int32[])", 1, 8, 4);
        bytes memory data = abi.encodeWithSignature("f(int32[])", values);
        bytes memory malformed = abi.encodeWithSelector(IModelContract.MalformedCalldata.selector);
        refuses(m, bytes.concat(data, new bytes(32)), malformed);
        if (length > 0) {
            bytes memory shorter = bytes.concat(data);
            assembly {
                mstore(shorter, sub(mload(shorter), 0x20))
            }
            refuses(m, shorter, malformed);
        }
        (, bytes32 input,) = inbox.facts(call(m, m.defaultFee(), data));
        vm.assertEq(input, commitmentOf(bytes32(bytes.concat(lanesOf(values), new bytes(32 - 4 * length)))));
        string memory f = "f(int32[],(uint8,uint32,uint64,bytes32))";
        (, bytes32 same,) = inbox.facts(call(m, m.fee(0), abi.encodeWithSignature(f, values, [uint256(1), 0, 0, 0])));
        vm.assertEq(same, input);
    }

    function test_fallback_list_reverts() external {
        IModelContract m = modelOf("f(int32[])->(int32[])", 1, 8, 4);
        refuses(
            m,
            abi.encodeWithSignature("f(int32[])", new int32[](9)),
            abi.encodeWithSelector(IModelContract.InputTooLong.selector, 9, 8)
        );
        uint256[] memory wide = new uint256[](2);
        wide[1] = 2 ** 31;
        refuses(
            m,
            abi.encodeWithSignature("f(int32[])", wide),
            abi.encodeWithSelector(IModelContract.ElementOutOfRange.selector, 1, 2 ** 31)
        );
    }

    function lanesOf(int32[] memory values) private pure returns (bytes memory lanes) {
        for (uint256 i = 0; i < values.length; ++i) {
            uint32 v = uint32(values[i]);
            lanes = abi.encodePacked(lanes, uint8(v), uint8(v >> 8), uint8(v >> 16), uint8(v >> 24));
        }
    }

    function test_fallback_int8_succeeds(int8 value) external {
        IModelContract m = modelOf("f(int8)->(int8)", 1, 1, 1);
        (, bytes32 input,) = inbox.facts(call(m, m.defaultFee(), abi.encodeWithSignature("f(int8)", value)));
        vm.assertEq(input, commitmentOf(bytes32(bytes1(uint8(value)))));
    }

    function test_fallback_elementOutOfRange_reverts(uint256 value) external {
        value = bound(value, 128, type(uint256).max - 128);
        IModelContract bytesModel = modelOf("f(uint8[2])->(int8)", 1, 2, 1);
        if (value > 255) {
            refuses(
                bytesModel,
                abi.encodeWithSignature("f(uint8[2])", [uint256(1), value]),
                abi.encodeWithSelector(IModelContract.ElementOutOfRange.selector, 1, value)
            );
        }
        refuses(
            modelOf("f(int8[2])->(int8)", 1, 2, 1),
            abi.encodeWithSignature("f(int8[2])", [value, 0]),
            abi.encodeWithSelector(IModelContract.ElementOutOfRange.selector, 0, value)
        );
        if (value > 2 ** 31 - 1 && value < type(uint256).max - 2 ** 31 + 1) {
            refuses(
                modelOf("f(int32[2])->(int8)", 1, 2, 4),
                abi.encodeWithSignature("f(int32[2])", [0, value]),
                abi.encodeWithSelector(IModelContract.ElementOutOfRange.selector, 1, value)
            );
        }
        refuses(
            bytesModel,
            abi.encodeWithSignature("f(uint8[2])", [uint256(1), 2, 3]),
            abi.encodeWithSelector(IModelContract.MalformedCalldata.selector)
        );
    }

    function test_decodeOutput_text_succeeds(bytes memory text) external view {
        bytes memory words = bytes.concat(text, hex"01", new bytes(31 - text.length % 32));
        bytes memory decoded = abi.decode(model.decodeOutput(words), (bytes));
        vm.assertEq(decoded, bytes.concat(text, hex"01"));
        vm.assertEq(model.decodeOutput(new bytes(64)), abi.encode(""));
    }

    function test_decodeOutput_numbers_succeeds(int32[9] memory values, bytes32 noise) external {
        IModelContract m = modelOf("f(uint8)->(int32[9])", 1, 1, 1);
        bytes memory lanes;
        for (uint256 i = 0; i < 9; ++i) {
            uint32 v = uint32(values[i]);
            lanes = abi.encodePacked(lanes, uint8(v), uint8(v >> 8), uint8(v >> 16), uint8(v >> 24));
        }
        bytes memory words = bytes.concat(lanes, new bytes(28));
        vm.assertEq(m.decodeOutput(words), abi.encode(values));
        vm.assertEq(modelOf("f(uint8)->(uint8)", 1, 1, 1).decodeOutput(abi.encode(noise)), abi.encode(uint8(noise[0])));
        vm.assertEq(
            modelOf("f(uint8)->(int8)", 1, 1, 1).decodeOutput(abi.encode(noise)), abi.encode(int8(uint8(noise[0])))
        );
        vm.assertEq(
            modelOf("f(uint8)->(uint8[3])", 1, 1, 1).decodeOutput(abi.encode(noise)),
            abi.encode([uint8(noise[0]), uint8(noise[1]), uint8(noise[2])])
        );
    }

    /// A list ends before its trailing zeros; a last element whose high bytes alone are not zero belongs to it.
    function test_decodeOutput_list_succeeds(int32[] memory values) external {
        if (values.length > 0 && values[values.length - 1] == 0) values[values.length - 1] = 2 ** 24;
        IModelContract m = modelOf("f(int32[])->(int32[])", 1, 8, 4);
        bytes memory words = bytes.concat(lanesOf(values), new bytes(32 + (32 - values.length * 4 % 32)));
        vm.assertEq(m.decodeOutput(words), abi.encode(values));
        vm.assertEq(m.decodeOutput(new bytes(64)), abi.encode(new int32[](0)));
    }

    function test_decodeOutput_shape_reverts() external {
        IModelContract m = modelOf("f(uint8)->(int32[9])", 1, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IModelContract.OutputShapeMismatch.selector, 1, 2));
        m.decodeOutput(new bytes(32));
        vm.expectRevert(abi.encodeWithSelector(IModelContract.OutputShapeMismatch.selector, 3, 2));
        m.decodeOutput(new bytes(96));
        // Rows that fill a word, and that leave one byte of it.
        vm.assertEq(modelOf("f(uint8)->(int32[8])", 1, 1, 1).decodeOutput(new bytes(32)), new bytes(8 * 32));
        vm.assertEq(modelOf("f(uint8)->(uint8[64])", 1, 1, 1).decodeOutput(new bytes(64)), new bytes(64 * 32));
        vm.assertEq(modelOf("f(uint8)->(int8[31])", 1, 1, 1).decodeOutput(new bytes(32)), new bytes(31 * 32));
    }
}
