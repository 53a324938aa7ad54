// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {ISpendableCredit} from "./interfaces/ISpendableCredit.sol";
import {PullPayments} from "./PullPayments.sol";

/// @title Credit that its owner may also spend here
/// @notice See `ISpendableCredit`.
abstract contract SpendableCredit is ISpendableCredit, PullPayments {
    /// @dev True in the calls of a batch whose value was credited. None of them calls a stranger, who could call here in turn with value
    /// that would not count: a function that isn't payable, as `withdraw`, reverts there.
    bool internal transient valueIsCredited;

    /// @inheritdoc ISpendableCredit
    function deposit(address account) external payable {
        credit(account, valueOfCall());
    }

    /// @dev Wei that came with the call and that nobody was credited yet.
    function valueOfCall() internal view returns (uint256) {
        return valueIsCredited ? 0 : msg.value;
    }

    /// @dev Takes `amount` from the caller: the value sent, which must not exceed it, and the rest from the caller's credit.
    function collect(uint256 amount) internal {
        uint256 value = valueOfCall();
        require(value <= amount, WrongValue(value, amount));
        uint256 rest = amount - value;
        if (rest == 0) return;
        uint256 available = owed[msg.sender];
        require(available >= rest, WrongValue(value + available, amount));
        owed[msg.sender] = available - rest;
    }
}
