// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Vm} from "./Vm.sol";

/// @notice What a test contract inherits: the cheatcodes. forge runs every function named `test*` or `invariant*`.
abstract contract Test {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @notice forge takes a contract with this value as a test.
    bool public constant IS_TEST = true;

    /// @dev An address with a balance that is derived from a name.
    function actor(string memory name) internal returns (address account) {
        account = address(uint160(uint256(keccak256(bytes(name)))));
        vm.deal(account, 1_000_000 ether);
    }

    /// @dev Deploys `contracts/src/<name>.sol`, with ABI encoded constructor arguments, and reverts as its constructor does.
    function deploy(string memory name, bytes memory arguments) internal returns (address created) {
        bytes memory code = bytes.concat(vm.getCode(string.concat("contracts/src/", name, ".sol:", name)), arguments);
        assembly ("memory-safe") {
            created := create(0, add(code, 0x20), mload(code))
            if iszero(created) {
                let free := mload(0x40)
                returndatacopy(free, 0, returndatasize())
                revert(free, returndatasize())
            }
        }
    }

    /// @dev Maps a fuzzed value into [least, most], the ends over-represented.
    function bound(uint256 value, uint256 least, uint256 most) internal pure returns (uint256) {
        uint256 size = most - least + 1;
        if (value % 8 == 0) return value % 16 == 0 ? least : most;
        return least + (size == 0 ? value : value % size);
    }
}
