// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IPullPayments} from "./IPullPayments.sol";

/// @notice An account's credit also pays for what the account itself does here, so that calls without value can be batched.
interface ISpendableCredit is IPullPayments {
    /// The value sent and the caller's credit are less than what the call takes, or the value alone is more.
    error WrongValue(uint256 given, uint256 expected);

    /// @notice Credits the value sent to `account`.
    function deposit(address account) external payable;
}
