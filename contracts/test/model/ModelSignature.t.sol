// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {ModelSignature, Value, ValueType} from "../../src/libraries/ModelSignature.sol";
import {Test} from "../base/Test.sol";

contract ModelSignature_Parse is Test {
    function parse(string memory signature) external pure returns (ModelSignature.Parsed memory) {
        return ModelSignature.parse(signature);
    }

    function check(
        string memory signature,
        ValueType input,
        uint256 inputLength,
        ValueType output,
        uint256 outputLength
    ) private view returns (ModelSignature.Parsed memory parsed) {
        parsed = this.parse(signature);
        vm.assertTrue(parsed.input.kind == input && parsed.output.kind == output, signature);
        vm.assertEq(parsed.input.length, inputLength, signature);
        vm.assertEq(parsed.output.length, outputLength, signature);
    }

    function test_parse_types_succeeds() external view {
        ModelSignature.Parsed memory p = check("detect(string)->(string)", ValueType.Text, 0, ValueType.Text, 0);
        vm.assertEq(bytes32(p.plain), bytes32(bytes4(keccak256("detect(string)"))));
        vm.assertEq(bytes32(p.withOptions), bytes32(bytes4(keccak256("detect(string,(uint8,uint32,uint64,bytes32))"))));
        p = check("classify(uint8[784])->(int32)", ValueType.Uint8Array, 784, ValueType.Int32, 1);
        vm.assertEq(bytes32(p.plain), bytes32(bytes4(keccak256("classify(uint8[784])"))));
        check("a(bytes)->(uint8)", ValueType.Bytes, 0, ValueType.Uint8, 1);
        check("_$9z(int8)->(int8[3])", ValueType.Int8, 1, ValueType.Int8Array, 3);
        check("f(int32[1])->(int32[1048576])", ValueType.Int32Array, 1, ValueType.Int32Array, 1_048_576);
        check("generate(int32[])->(int32[])", ValueType.Int32List, 0, ValueType.Int32List, 0);
        check("f(int8[10])->(uint8[7])", ValueType.Int8Array, 10, ValueType.Uint8Array, 7);
    }

    /// Every byte, as the first and as the second of a name.
    function test_parse_names_succeeds() external {
        bytes memory first = "$ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
        bytes memory second = bytes.concat(first, "0123456789");
        for (uint256 c = 0; c < 256; ++c) {
            bytes1 letter = bytes1(uint8(c));
            bytes memory text = bytes.concat(letter, "(int8)->(int8)");
            if (!has(first, letter)) rejects(string(text), 0, "function name");
            else check(string(text), ValueType.Int8, 1, ValueType.Int8, 1);
            text = bytes.concat("f", letter, "(int8)->(int8)");
            if (has(second, letter)) check(string(text), ValueType.Int8, 1, ValueType.Int8, 1);
            else if (letter != "(") rejects(string(text), 1, "(");
        }
    }

    function has(bytes memory letters, bytes1 letter) private pure returns (bool found) {
        for (uint256 i = 0; i < letters.length; ++i) {
            if (letters[i] == letter) return true;
        }
    }

    function rejects(string memory signature, uint256 position, string memory expected) private {
        vm.expectRevert(abi.encodeWithSelector(ModelSignature.SignatureSyntax.selector, position, expected));
        this.parse(signature);
    }

    function test_parse_syntax_reverts() external {
        rejects("", 0, "function name");
        rejects("(string)->(string)", 0, "function name");
        rejects("9f(string)->(string)", 0, "function name");
        rejects("f", 1, "(");
        rejects("f g(string)->(string)", 1, "(");
        rejects("f(string", 8, ")->(");
        rejects("f(string)", 8, ")->(");
        rejects("f(string)(string)", 8, ")->(");
        rejects("f(string,string)->(string)", 8, ")->(");
        rejects("f(string) -> (string)", 8, ")->(");
        rejects("f(string)->(string", 18, ")");
        rejects("f(string)->(string,string)", 18, ")");
        rejects("f(string)->(string) ", 19, "end");
        rejects("f(uint8[0])->(string)", 8, "length without leading zero");
        rejects("f(uint8[07])->(string)", 8, "length without leading zero");
        rejects("f(uint8[1x])->(string)", 9, "digit");
        rejects("f(uint8[])->(string)", 7, "[length]");
        rejects("f(uint8[7)->(string)", 7, "[length]");
        rejects("f(uint8)->(uint8[1048577])", 17, "length of at most 1048576");
        rejects("f(uint8[99999999999999999999])->(string)", 8, "length of at most 1048576");
        rejects("f(uint8[2][2])->(string)", 9, "digit");
    }

    function test_parse_unsupportedType_reverts() external {
        string[6] memory types = ["uint256", "", "Uint8", "string[2]", "int16[4]", "bool"];
        for (uint256 i = 0; i < types.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ModelSignature.UnsupportedType.selector, 2, types[i]));
            this.parse(string.concat("f(", types[i], ")->(string)"));
        }
    }

    /// Whatever the bytes, the parser ends in a value or in one of its two errors.
    function test_parse_anything_succeeds(bytes memory noise, uint8 at_) external view {
        bytes memory text = "classify(uint8[784])->(int32)";
        for (uint256 i = 0; i < noise.length && at_ + i < text.length; ++i) {
            text[at_ + i] = noise[i];
        }
        try this.parse(string(text)) returns (ModelSignature.Parsed memory parsed) {
            vm.assertTrue(parsed.plain != parsed.withOptions);
        } catch (bytes memory why) {
            bytes4 selector = bytes4(why);
            vm.assertTrue(
                selector == ModelSignature.SignatureSyntax.selector
                    || selector == ModelSignature.UnsupportedType.selector
            );
        }
    }
}
