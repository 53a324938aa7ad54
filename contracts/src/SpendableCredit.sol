// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {ISpendableCredit} from "./interfaces/ISpendableCredit.sol";
import {PullPayments} from "./PullPayments.sol";

/// @title Credit that its owner may also spend here
abstract contract SpendableCredit is ISpendableCredit, PullPayments {
    /// @inheritdoc ISpendableCredit
    function deposit(address account) external payable {
        credit(account, msg.value);
    }

    /// @dev Takes `amount` from the caller: the value sent, which must not exceed it, and the rest from the caller's credit.
    function collect(uint256 amount) internal {
        require(msg.value <= amount, WrongValue(msg.value, amount));
        uint256 rest = amount - msg.value;
        if (rest == 0) return;
        uint256 available = owed[msg.sender];
        require(available >= rest, WrongValue(msg.value + available, amount));
        owed[msg.sender] = available - rest;
    }
}
