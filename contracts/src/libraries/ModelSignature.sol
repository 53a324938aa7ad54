// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @notice The types that a model's function can take and return.
enum ValueType {
    Text,
    Bytes,
    Uint8,
    Int8,
    Int32,
    Uint8Array,
    Int8Array,
    Int32Array,
    Int32List
}

/// @notice A type; `length` is that of an array, 1 for single numbers, 0 for `string`, `bytes` and `int32[]`.
struct Value {
    ValueType kind;
    uint32 length;
}

/// @title Signatures of models
/// @notice `name(type)->(type)`, with a Solidity identifier for a name, no spaces, and types string, bytes, uint8, int8, int32,
/// int32[], uint8[N], int8[N], int32[N], with 1 ≤ N ≤ 2^20 written without leading zeros.
library ModelSignature {
    /// Something else was expected at byte `position` of the signature.
    error SignatureSyntax(uint256 position, string expected);
    /// The type that begins at byte `position` is not one that a model can have.
    error UnsupportedType(uint256 position, string found);

    uint256 internal constant MAX_ARRAY_LENGTH = 2 ** 20;

    /// @dev The tuple of `RequestOptions`, as it appears in the signature of the function with options.
    string internal constant OPTIONS_TUPLE = "(uint8,uint32,uint64,bytes32)";

    /// @notice Types and selectors of a signature.
    struct Parsed {
        Value input;
        Value output;
        /// Selector of `name(type)`, and of the same with options.
        bytes4 plain;
        bytes4 withOptions;
    }

    /// @notice Parses a signature, or says where it is wrong.
    function parse(string memory signature) internal pure returns (Parsed memory parsed) {
        bytes memory text = bytes(signature);
        uint256 nameEnd = identifierEnd(text);
        uint256 at_ = expect(text, nameEnd, "(");
        uint256 inputEnd = typeEnd(text, at_);
        parsed.input = parseType(text, at_, inputEnd);
        bytes memory head = slice(text, 0, inputEnd);
        at_ = expect(text, inputEnd, ")->(");
        uint256 outputEnd = typeEnd(text, at_);
        parsed.output = parseType(text, at_, outputEnd);
        at_ = expect(text, outputEnd, ")");
        require(at_ == text.length, SignatureSyntax(at_, "end"));
        parsed.plain = bytes4(keccak256(abi.encodePacked(head, ")")));
        parsed.withOptions = bytes4(keccak256(abi.encodePacked(head, ",", OPTIONS_TUPLE, ")")));
    }

    /// @dev End of the identifier that the text begins with.
    function identifierEnd(bytes memory text) private pure returns (uint256 end) {
        while (end < text.length && isIdentifierPart(text[end], end > 0)) ++end;
        require(end > 0, SignatureSyntax(0, "function name"));
    }

    function isIdentifierPart(bytes1 c, bool digitAllowed) private pure returns (bool) {
        return (c >= "a" && c <= "z") || (c >= "A" && c <= "Z") || c == "_" || c == "$" || (digitAllowed && isDigit(c));
    }

    function isDigit(bytes1 c) private pure returns (bool) {
        return c >= "0" && c <= "9";
    }

    /// @dev Position after `expected`, which must be at `position`.
    function expect(bytes memory text, uint256 position, string memory expected) private pure returns (uint256 end) {
        bytes memory wanted = bytes(expected);
        end = position + wanted.length;
        require(end <= text.length, SignatureSyntax(position, expected));
        for (uint256 i = 0; i < wanted.length; ++i) {
            require(text[position + i] == wanted[i], SignatureSyntax(position, expected));
        }
    }

    /// @dev End of the type name that begins at `start`: everything up to a parenthesis or comma.
    function typeEnd(bytes memory text, uint256 start) private pure returns (uint256 end) {
        end = start;
        while (end < text.length && text[end] != ")" && text[end] != "(" && text[end] != ",") ++end;
    }

    function parseType(bytes memory text, uint256 start, uint256 end) private pure returns (Value memory) {
        bytes32 whole = keccak256(slice(text, start, end));
        if (whole == keccak256("string")) return Value(ValueType.Text, 0);
        if (whole == keccak256("bytes")) return Value(ValueType.Bytes, 0);
        if (whole == keccak256("uint8")) return Value(ValueType.Uint8, 1);
        if (whole == keccak256("int8")) return Value(ValueType.Int8, 1);
        if (whole == keccak256("int32")) return Value(ValueType.Int32, 1);
        if (whole == keccak256("int32[]")) return Value(ValueType.Int32List, 0);

        uint256 bracket = start;
        while (bracket < end && text[bracket] != "[") ++bracket;
        bytes32 element = keccak256(slice(text, start, bracket));
        ValueType kind;
        if (element == keccak256("uint8")) kind = ValueType.Uint8Array;
        else if (element == keccak256("int8")) kind = ValueType.Int8Array;
        else if (element == keccak256("int32")) kind = ValueType.Int32Array;
        else revert UnsupportedType(start, string(slice(text, start, end)));
        require(bracket + 2 < end && text[end - 1] == "]", SignatureSyntax(bracket, "[length]"));
        return Value(kind, parseLength(text, bracket + 1, end - 1));
    }

    function parseLength(bytes memory text, uint256 start, uint256 end) private pure returns (uint32) {
        uint256 length = 0;
        require(text[start] != "0", SignatureSyntax(start, "length without leading zero"));
        for (uint256 i = start; i < end; ++i) {
            require(isDigit(text[i]), SignatureSyntax(i, "digit"));
            length = length * 10 + (uint8(text[i]) - 48);
            require(length <= MAX_ARRAY_LENGTH, SignatureSyntax(start, "length of at most 1048576"));
        }
        return uint32(length);
    }

    function slice(bytes memory text, uint256 start, uint256 end) private pure returns (bytes memory part) {
        part = new bytes(end - start);
        assembly ("memory-safe") {
            mcopy(add(part, 0x20), add(add(text, 0x20), start), sub(end, start))
        }
    }
}
