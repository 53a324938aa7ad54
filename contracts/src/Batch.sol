// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IBatch} from "./interfaces/IBatch.sol";
import {SpendableCredit} from "./SpendableCredit.sol";

/// @title Many calls in one transaction
/// @notice The value becomes the caller's credit, once, and none of the calls counts it again.
abstract contract Batch is SpendableCredit, IBatch {
    /// @inheritdoc IBatch
    function batch(bytes[] calldata calls) external payable returns (bool[] memory succeeded) {
        bool takesValue = valueOfCall() > 0;
        if (takesValue) {
            credit(msg.sender, msg.value);
            valueIsCredited = true;
        }
        succeeded = new bool[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            bytes memory reason;
            // The code is this contract's own, and `msg.sender` and `msg.value` stay the caller's.
            // solhint-disable-next-line avoid-low-level-calls
            (succeeded[i], reason) = address(this).delegatecall(calls[i]);
            if (!succeeded[i]) emit BatchItemFailed(i, reason);
        }
        if (takesValue) valueIsCredited = false;
    }
}
