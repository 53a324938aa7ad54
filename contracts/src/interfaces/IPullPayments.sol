// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @notice Money that a contract owes is credited, and fetched in a call of its own: nobody's refusal stops anybody else.
interface IPullPayments {
    /// @notice An account's credit was sent to it.
    event Withdrawn(address indexed account, uint256 amount);

    /// @notice Wei that `account` can fetch.
    function owed(address account) external view returns (uint256);

    /// @notice Sends `account` what it is owed. Anybody may call; the money only ever goes to `account`.
    function withdraw(address account) external returns (uint256 amount);
}
