// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @notice A fake account with code: makes the calls it is told to, and can refuse money or call back when it gets some.
contract ContractPlayer {
    bool private accepting = true;
    address private target;
    bytes private data;

    /// @notice True if the call made on receiving money succeeded.
    bool public reentered;

    error Refused();

    receive() external payable {
        require(accepting, Refused());
        if (target != address(0)) {
            (bool succeeded,) = target.call(data);
            if (succeeded) reentered = true;
        }
    }

    function setAccepting(bool value) external {
        accepting = value;
    }

    function setCallOnReceive(address target_, bytes calldata data_) external {
        (target, data) = (target_, data_);
    }

    /// @notice Makes calls to one contract in one transaction, call `i` with `values[i]` wei.
    function executeAll(address target_, bytes[] calldata calls, uint256[] calldata values) external payable {
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool succeeded,) = target_.call{value: values[i]}(calls[i]);
            require(succeeded, Refused());
        }
    }

    function execute(address target_, bytes calldata data_) external payable returns (bytes memory result) {
        bool succeeded;
        (succeeded, result) = target_.call{value: msg.value}(data_);
        if (!succeeded) {
            assembly ("memory-safe") {
                revert(add(result, 0x20), mload(result))
            }
        }
    }
}
