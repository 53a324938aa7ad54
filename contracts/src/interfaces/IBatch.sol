// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @notice Several calls of one account in one transaction, none of which can spoil another.
interface IBatch {
    /// @notice The call with that index failed, and changed nothing.
    event BatchItemFailed(uint256 indexed index, bytes reason);

    /// @notice Makes the calls in order, each as if the caller had sent it without value; those that fail are passed over.
    /// @param calls encoded calls of this contract's functions.
    /// @return succeeded one flag a call.
    function batch(bytes[] calldata calls) external returns (bool[] memory succeeded);
}
