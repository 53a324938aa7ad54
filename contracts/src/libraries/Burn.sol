// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";

/// @title Where burnt money goes
/// @notice An address for which nobody has a key: what is burnt leaves the contract, so that its balance is what it owes.
library Burn {
    address internal constant ADDRESS = 0x000000000000000000000000000000000000dEaD;

    function burn(uint256 amount) internal {
        if (amount > 0) SafeTransferLib.safeTransferETH(ADDRESS, amount);
    }
}
