// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {WordMachine} from "../../../src/machine/WordMachine.sol";
import {Test} from "../../base/Test.sol";
import {StepDigests} from "./StepDigests.sol";

/// @notice The cheatcodes that read what digests.ts wrote.
interface FileVm {
    function envOr(string calldata name, string calldata otherwise) external view returns (string memory);
    function parseJsonBytes32Array(string calldata json, string calldata key) external pure returns (bytes32[] memory);
    function parseJsonUint(string calldata json, string calldata key) external pure returns (uint256);
    function readFile(string calldata path) external view returns (string memory);
}

/// @notice Random steps of every instruction: the contract's answers have the digests that the interpreter's have.
/// @dev `npm run evidence:machine-forge` has a million cases here; the committed file has some thousands.
contract StepDigestsTest is Test {
    FileVm private constant FILES = FileVm(address(vm));

    function test_digests_randomSteps_equalTheInterpreters() public {
        string memory json =
            FILES.readFile(FILES.envOr("ASSAY_STEP_DIGESTS", "contracts/test/machine/equivalence/digests.json"));
        uint256 seed = FILES.parseJsonUint(json, ".seed");
        uint256 first = FILES.parseJsonUint(json, ".first");
        uint256 each = FILES.parseJsonUint(json, ".each");
        bytes32[] memory digests = FILES.parseJsonBytes32Array(json, ".digests");
        vm.assertGt(digests.length, 0);
        StepDigests steps = new StepDigests(new WordMachine());
        for (uint256 index = 0; index < digests.length; ++index) {
            uint256 start = first + index * each;
            vm.assertEq(
                steps.digest(seed, start, each), digests[index], string.concat("cases from ", vm.toString(start))
            );
        }
    }
}
