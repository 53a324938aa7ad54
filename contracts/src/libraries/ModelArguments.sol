// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Value, ValueType} from "./ModelSignature.sol";

/// @notice What is written into the code of a model's contract.
struct ModelArguments {
    bytes32 modelId;
    /// Wei for an inference, without the callback.
    uint256 fee;
    /// Shape of the input.
    uint32 rows;
    uint32 columns;
    uint8 elementBytes;
    Value input;
    Value output;
    /// Selector of the model's function, and of the same with options.
    bytes4 plain;
    bytes4 withOptions;
    string signature;
}

/// @notice Bytes of one element of a type.
function elementBytesOf(ValueType kind) pure returns (uint256) {
    return kind == ValueType.Int32 || kind == ValueType.Int32Array || kind == ValueType.Int32List ? 4 : 1;
}

/// @notice True for `string` and `bytes`.
function isByteString(ValueType kind) pure returns (bool) {
    return kind == ValueType.Text || kind == ValueType.Bytes;
}

/// @notice True for `string`, `bytes` and `int32[]`: of any length up to the input's columns, in one row.
function isDynamic(ValueType kind) pure returns (bool) {
    return isByteString(kind) || kind == ValueType.Int32List;
}
