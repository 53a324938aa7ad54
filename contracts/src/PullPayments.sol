// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {IPullPayments} from "./interfaces/IPullPayments.sol";

/// @title Credits that their owners fetch
abstract contract PullPayments is IPullPayments {
    /// @dev An address for which nobody has a key: what is credited to it is burnt.
    address internal constant NOBODY = 0x000000000000000000000000000000000000dEaD;

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
