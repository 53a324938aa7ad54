// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IBatch} from "./interfaces/IBatch.sol";

/// @title Many calls in one transaction
/// @notice Not payable, so that no value can be counted twice.
abstract contract Batch is IBatch {
    /// @inheritdoc IBatch
    function batch(bytes[] calldata calls) external returns (bool[] memory succeeded) {
        succeeded = new bool[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            bytes memory reason;
            // The code is this contract's own, and `msg.sender` stays the caller.
            (succeeded[i], reason) = address(this).delegatecall(calls[i]);
            if (!succeeded[i]) emit BatchItemFailed(i, reason);
        }
    }
}
