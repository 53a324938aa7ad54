// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Finality, RequestOptions} from "../interfaces/IInbox.sol";
import {IModelContract} from "../interfaces/IModelContract.sol";
import {ModelArguments, elementBytesOf, isByteString, isDynamic} from "./ModelArguments.sol";
import {ValueType} from "./ModelSignature.sol";

/// @title From calldata to a model's input
/// @notice Takes the canonical ABI encoding only: exact length, offsets as every encoder writes them, zero
/// padding, values within their types.
library InputCodec {
    uint256 private constant WORD = 32;
    uint256 private constant OPTIONS_BYTES = 4 * WORD;

    /// @notice The elements of the first argument, row by row, little-endian, without padding.
    /// @param arguments calldata after the selector: the argument, and if `withOptions` the tuple of the options.
    /// @return elements of the input. @return options where the tuple of the options begins.
    function decode(ModelArguments memory model, bytes calldata arguments, bool withOptions)
        internal
        pure
        returns (bytes memory elements, uint256 options)
    {
        if (isDynamic(model.input.kind)) {
            elements = decodeDynamic(model, arguments, withOptions ? WORD + OPTIONS_BYTES : WORD);
            return (elements, WORD);
        }
        options = WORD * model.input.length;
        uint256 size = withOptions ? options + OPTIONS_BYTES : options;
        require(arguments.length == size, IModelContract.MalformedCalldata());
        elements = decodeNumbers(model.input.kind, arguments[:options]);
    }

    /// @notice The options, whose tuple `encoded` begins with.
    function decodeOptions(bytes calldata encoded) internal pure returns (RequestOptions memory) {
        (uint256 finality, uint256 callbackGas, uint256 deadlineSeconds, bytes32 seed) =
            abi.decode(encoded, (uint256, uint256, uint256, bytes32));
        require(
            finality <= uint8(type(Finality).max) && callbackGas <= type(uint32).max
                && deadlineSeconds <= type(uint64).max,
            IModelContract.MalformedCalldata()
        );
        return RequestOptions(Finality(finality), uint32(callbackGas), uint64(deadlineSeconds), seed);
    }

    /// @notice Pads elements with zeros to whole words a row, and a byte string to the whole row.
    function pad(bytes memory elements, uint256 rows, uint256 columns, uint256 elementBytes)
        internal
        pure
        returns (bytes memory words)
    {
        uint256 rowBytes = columns * elementBytes;
        uint256 paddedRow = (rowBytes + WORD - 1) / WORD * WORD;
        words = new bytes(rows * paddedRow);
        if (rows == 1) rowBytes = elements.length;
        assembly ("memory-safe") {
            let from := add(elements, 0x20)
            let to := add(words, 0x20)
            for { let row := 0 } lt(row, rows) { row := add(row, 1) } {
                mcopy(to, from, rowBytes)
                from := add(from, rowBytes)
                to := add(to, paddedRow)
            }
        }
    }

    /// @dev A byte string or a list, whose length and elements stand behind `head` bytes.
    function decodeDynamic(ModelArguments memory model, bytes calldata arguments, uint256 head)
        private
        pure
        returns (bytes memory)
    {
        require(arguments.length >= head + WORD, IModelContract.MalformedCalldata());
        require(uint256(bytes32(arguments[:WORD])) == head, IModelContract.MalformedCalldata());
        uint256 length = uint256(bytes32(arguments[head:head + WORD]));
        require(length <= model.columns, IModelContract.InputTooLong(length, model.columns));
        bytes calldata tail = arguments[head + WORD:];
        if (isByteString(model.input.kind)) return decodeByteString(length, tail);
        require(tail.length == WORD * length, IModelContract.MalformedCalldata());
        return decodeNumbers(model.input.kind, tail);
    }

    function decodeByteString(uint256 length, bytes calldata tail) private pure returns (bytes memory) {
        uint256 padded = (length + WORD - 1) / WORD * WORD;
        require(tail.length == padded, IModelContract.MalformedCalldata());
        if (padded != length) {
            // The bytes of the last word that are not part of the string.
            uint256 last = uint256(bytes32(tail[padded - WORD:]));
            require(last << (8 * (length % WORD)) == 0, IModelContract.MalformedCalldata());
        }
        return tail[:length];
    }

    /// @dev One element for each word.
    function decodeNumbers(ValueType kind, bytes calldata arguments) private pure returns (bytes memory elements) {
        uint256 count = arguments.length / WORD;
        uint256 size = elementBytesOf(kind);
        bool signed = kind != ValueType.Uint8 && kind != ValueType.Uint8Array;
        elements = new bytes(count * size);
        // Index of the first element out of range, if any.
        uint256 wrong = count;
        assembly ("memory-safe") {
            let to := add(elements, 0x20)
            let from := arguments.offset
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                let value := calldataload(add(from, shl(5, i)))
                let canonical := and(value, 0xff)
                if signed { canonical := signextend(sub(size, 1), value) }
                if iszero(eq(value, canonical)) {
                    wrong := i
                    break
                }
                mstore8(to, value)
                if eq(size, 4) {
                    mstore8(add(to, 1), shr(8, value))
                    mstore8(add(to, 2), shr(16, value))
                    mstore8(add(to, 3), shr(24, value))
                }
                to := add(to, size)
            }
        }
        if (wrong < count) {
            revert IModelContract.ElementOutOfRange(wrong, uint256(bytes32(arguments[WORD * wrong:WORD * (wrong + 1)])));
        }
    }
}
