// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {IPullPayments} from "./interfaces/IPullPayments.sol";

/// @title Credits that their owners fetch
/// @notice See `IPullPayments`.
abstract contract PullPayments is IPullPayments {
    /// @inheritdoc IPullPayments
    mapping(address account => uint256) public owed;

    /// @inheritdoc IPullPayments
    function withdraw(address account) external returns (uint256 amount) {
        amount = owed[account];
        owed[account] = 0;
        SafeTransferLib.safeTransferETH(account, amount);
        emit Withdrawn(account, amount);
    }

    function credit(address account, uint256 amount) internal {
        if (amount > 0) owed[account] += amount;
    }
}
