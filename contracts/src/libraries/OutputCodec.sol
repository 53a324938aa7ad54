// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IModelContract} from "../interfaces/IModelContract.sol";
import {elementBytesOf, isByteString} from "./ModelArguments.sol";
import {Value, ValueType} from "./ModelSignature.sol";

/// @title From a result's words to an ABI encoded value
/// @notice A model writes bytes or integers; its signature says what they mean.
library OutputCodec {
    uint256 private constant WORD = 32;

    /// @notice The value, ABI encoded by itself. A byte string or list ends before its trailing zeros; numbers stand in one row.
    function encode(Value memory output, bytes calldata words) internal pure returns (bytes memory) {
        if (isByteString(output.kind)) return abi.encode(withoutTrailingZeros(words));
        if (output.kind == ValueType.Int32List) {
            uint256 count = (withoutTrailingZeros(words).length + 3) / 4;
            return abi.encodePacked(WORD, count, numbers(words, count, 4, true));
        }
        uint256 size = elementBytesOf(output.kind);
        uint256 expected = (output.length * size + WORD - 1) / WORD;
        require(words.length == expected * WORD, IModelContract.OutputShapeMismatch(words.length / WORD, expected));
        bool signed = output.kind != ValueType.Uint8 && output.kind != ValueType.Uint8Array;
        return numbers(words, output.length, size, signed);
    }

    function withoutTrailingZeros(bytes calldata words) private pure returns (bytes calldata) {
        uint256 length = words.length;
        while (length > 0 && words[length - 1] == 0) --length;
        return words[:length];
    }

    /// @dev One ABI word for each of `count` little-endian elements of `size` bytes (1 or 4).
    function numbers(bytes calldata words, uint256 count, uint256 size, bool signed)
        private
        pure
        returns (bytes memory encoded)
    {
        encoded = new bytes(count * WORD);
        assembly ("memory-safe") {
            let to := add(encoded, 0x20)
            let from := words.offset
            for { let end := add(to, shl(5, count)) } lt(to, end) { to := add(to, 0x20) } {
                let raw := calldataload(from)
                let value := byte(0, raw)
                if eq(size, 4) {
                    value := or(value, shl(8, byte(1, raw)))
                    value := or(value, shl(16, byte(2, raw)))
                    value := or(value, shl(24, byte(3, raw)))
                }
                if signed { value := signextend(sub(size, 1), value) }
                mstore(to, value)
                from := add(from, size)
            }
        }
    }
}
