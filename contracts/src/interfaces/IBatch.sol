// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @notice Several calls of one account in one transaction, none of which can spoil another.
interface IBatch {
    /// @notice The call with that index failed, and changed nothing.
    event BatchItemFailed(uint256 indexed index, bytes reason);

    /// @notice Makes the calls in order; those that fail are passed over. The value is credited to the caller before, so that they can spend
    /// it, and what they leave stays its credit; with value, calls of functions that take none fail.
    /// @param calls encoded calls of this contract's functions.
    /// @return succeeded one flag a call.
    function batch(bytes[] calldata calls) external payable returns (bool[] memory succeeded);
}
