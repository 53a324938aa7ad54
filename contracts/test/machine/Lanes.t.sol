// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Lanes} from "../../src/machine/Lanes.sol";
import {Test} from "../base/Test.sol";

contract LanesTest is Test {
    bytes32 private constant LOWEST = 0x8080808080808080808080808080808080808080808080808080808080808080;
    bytes32 private constant HIGHEST = 0x7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f;

    /// @dev Lane by lane, as the specification says it.
    function plainDot(bytes32 left, bytes32 right) private pure returns (int256 sum) {
        for (uint256 lane = 0; lane < 32; ++lane) {
            sum += int256(int8(uint8(left[lane]))) * int256(int8(uint8(right[lane])));
        }
    }

    function testFuzz_dot_anyWords_equalsTheSumOfProducts(bytes32 left, bytes32 right) public pure {
        vm.assertEq(Lanes.dot(left, right), plainDot(left, right));
    }

    function test_dot_extremes_succeeds() public pure {
        vm.assertEq(Lanes.dot(LOWEST, LOWEST), int256(32 * 128 * 128));
        vm.assertEq(Lanes.dot(LOWEST, HIGHEST), -int256(32 * 128 * 127));
        vm.assertEq(Lanes.dot(HIGHEST, HIGHEST), int256(32 * 127 * 127));
        vm.assertEq(Lanes.dot(0, LOWEST), int256(0));
        vm.assertEq(Lanes.dot(bytes32(type(uint256).max), LOWEST), int256(32 * 128));
    }

    /// @dev One lane at a time, so that a lane that meets the wrong partner shows.
    function test_dot_singleLanes_meetTheirPartners() public pure {
        for (uint256 lane = 0; lane < 32; ++lane) {
            bytes32 left = bytes32(uint256(0x81) << (248 - 8 * lane));
            for (uint256 other = 0; other < 32; ++other) {
                bytes32 right = bytes32(uint256(0x03) << (248 - 8 * other));
                vm.assertEq(Lanes.dot(left, right), lane == other ? -int256(381) : int256(0));
            }
        }
    }

    /// @dev Its gas, with what reading `gasleft` takes.
    function dotGas(bytes32 left, bytes32 right) external view returns (int256 sum, uint256 spent) {
        uint256 before = gasleft();
        sum = Lanes.dot(left, right);
        spent = before - gasleft();
    }

    function test_dot_gas_benchmark() public {
        (int256 sum, uint256 spent) = this.dotGas(keccak256("left"), keccak256("right"));
        vm.assertEq(sum, plainDot(keccak256("left"), keccak256("right")));
        vm.snapshotValue("WordMachine", "dot product of two words", spent);
    }

    function testFuzz_byteLane_put_isRead(bytes32 word, uint8 which, int256 value) public pure {
        uint256 lane = which % 32;
        bytes32 put = Lanes.withByteLane(word, lane, value);
        for (uint256 other = 0; other < 32; ++other) {
            int256 expected = other == lane ? int256(int8(uint8(uint256(value)))) : int256(int8(uint8(word[other])));
            vm.assertEq(Lanes.byteLane(put, other), expected);
        }
    }

    function testFuzz_int32Lane_put_isReadLittleEndian(bytes32 word, uint8 which, int32 value) public pure {
        uint256 lane = which % 8;
        bytes32 put = Lanes.withInt32Lane(word, lane, value);
        vm.assertEq(Lanes.int32Lane(put, lane), value);
        for (uint256 index = 0; index < 4; ++index) {
            vm.assertEq(uint8(put[4 * lane + index]), uint8(uint32(value) >> (8 * index)));
        }
        for (uint256 other = 0; other < 8; ++other) {
            if (other != lane) vm.assertEq(Lanes.int32Lane(put, other), Lanes.int32Lane(word, other));
        }
    }

    function testFuzz_withFirstLanes_anyCount_keepsThatMany(bytes32 word, uint8 keep, bool wide) public pure {
        uint256 lanes = wide ? 8 : 32;
        uint256 count = keep % (lanes + 1);
        bytes32 masked = Lanes.withFirstLanes(word, count, lanes);
        for (uint256 index = 0; index < 32; ++index) {
            vm.assertEq(uint8(masked[index]), index * lanes < count * 32 ? uint8(word[index]) : 0);
        }
    }
}
