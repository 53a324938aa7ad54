// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {Test} from "../base/Test.sol";
import {Handler} from "./Handler.sol";

/// @notice Whatever anybody does, in any order. `Handler` looks after every call; see there for what has to hold.
/// forge-config: default.isolate = false
/// forge-config: nightly.isolate = false
contract Suite_Invariants is Test {
    Handler private handler;

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function setUp() public {
        vm.deal(address(this), 1_000_000 ether);
        handler = new Handler();
        handler.setUp();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev None of the actors: forge takes the balance of those that it sends from.
    function targetSenders() external pure returns (address[] memory senders) {
        senders = new address[](1);
        senders[0] = address(0xca11e4);
    }

    function selectors() private pure returns (bytes4[] memory all) {
        all = new bytes4[](17);
        all[0] = Handler.doAsk.selector;
        all[1] = Handler.doAssert.selector;
        all[2] = Handler.doChallenge.selector;
        all[3] = Handler.doPlay.selector;
        all[4] = Handler.doPlayOn.selector;
        all[5] = Handler.doBatch.selector;
        all[6] = Handler.doWarp.selector;
        all[7] = Handler.doClaimTimeout.selector;
        all[8] = Handler.doSettle.selector;
        all[9] = Handler.doConfirm.selector;
        all[10] = Handler.doWithdrawBond.selector;
        all[11] = Handler.doDelegate.selector;
        all[12] = Handler.doDeposit.selector;
        all[13] = Handler.doWithdraw.selector;
        all[14] = Handler.doDeliver.selector;
        all[15] = Handler.doClaimFee.selector;
        all[16] = Handler.doRefund.selector;
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), selectors());
    }

    /// Game 1, 2, 4 and 6, assertions 1, 3, 4 and 6, inbox 1, 3 and 4.
    function invariant_nothingIsViolated() external view {
        vm.assertEq(handler.violation(), "");
    }

    /// Game 3, assertions 2: from wherever a run has led, honest parties win what they still can, everything comes to an end, everybody
    /// gets what is owed, and what is true can become final.
    function afterInvariant() external {
        handler.finish();
        vm.assertEq(handler.violation(), "");
    }

    /// The handler does get everywhere: a run of random calls sees games ended and settled, and lists defeated.
    function test_handler_reachesEveryEnd_succeeds() external {
        bytes4[] memory all = selectors();
        bool[] memory succeeded = new bool[](all.length);
        for (uint256 i = 0; i < 500; ++i) {
            uint256 seed = uint256(keccak256(abi.encode(i)));
            uint256 which = seed % all.length;
            bytes memory arguments = abi.encode(seed >> 8, seed >> 16, (seed >> 24) % 2, (seed >> 32) % 2);
            if (all[which] == Handler.doAsk.selector || all[which] == Handler.doDelegate.selector) {
                arguments = abi.encode((seed >> 8) % 2, 1);
            }
            (bool good,) = address(handler).call(bytes.concat(all[which], arguments));
            if (good) succeeded[which] = true;
        }
        for (uint256 i = 0; i < all.length; ++i) {
            // No request's deadline passes in so short a time, and a fee may have gone.
            if (i < 9) vm.assertTrue(succeeded[i], vm.toString(i));
        }
        (uint256 ends, uint256 settlements,, uint256 defeats) = handler.reached();
        vm.assertTrue(ends > 1 && settlements > 1 && defeats > 0, "a run that gets nowhere");
        handler.finish();
        vm.assertEq(handler.violation(), "");
    }
}
