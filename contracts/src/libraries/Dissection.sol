// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title Splits of a range of steps, and the root over claims that travel as calldata
/// @notice A split of [start, start + n) has m segments, bounded by start + ⌊j·n/m⌋; m = k, but m = n if n ≤ 2·k, so that no last split is
/// for a handful of steps. Its segments lie in blocks of g, of which the last may be shorter. A block's hash is that of the states at its
/// segments' bounds, and the **root** of c_0 … c_m that of all blocks' hashes:
/// keccak256(keccak256(c_0 ‖ … ‖ c_g) ‖ keccak256(c_g ‖ … ‖ c_2g) ‖ … ‖ 0x00). Its zero byte sets it apart from all hashes of whole words.
/// An **opening** of a segment is what is missing of them: its block's other states, and the other blocks' hashes, each in order.
library Dissection {
    /// The opening is not as long as the segment's takes.
    error WrongOpeningLength(uint256 given, uint256 expected);

    /// @notice Number of segments in a split of `n` steps.
    function segments(uint256 n, uint256 arity) internal pure returns (uint256) {
        return n <= 2 * arity ? n : arity;
    }

    /// @notice Bounds of segment `j` of a split of [start, end) into `m` segments; `j` must be below `m`.
    function segment(uint256 start, uint256 end, uint256 j, uint256 m)
        internal
        pure
        returns (uint256 from, uint256 to)
    {
        unchecked {
            uint256 n = end - start;
            from = start + (j * n) / m;
            to = start + ((j + 1) * n) / m;
        }
    }

    /// @notice Root of the split whose states c_0 … c_m are the words of memory at `states`, which are overwritten.
    function claimsRoot(uint256 states, uint256 m, uint256 g) internal pure returns (bytes32 root) {
        assembly ("memory-safe") {
            let end := add(states, shl(5, m))
            let span := shl(5, g)
            // The hashes take the places of states, none of which a later block has.
            let hashes := states
            for { let first := states } lt(first, end) { first := add(first, span) } {
                let size := sub(end, first)
                if gt(size, span) { size := span }
                mstore(hashes, keccak256(first, add(size, 0x20)))
                hashes := add(hashes, 0x20)
            }
            mstore8(hashes, 0)
            root := keccak256(states, add(sub(hashes, states), 1))
        }
    }

    /// @notice Root that an opening of segment `j` of `m`, with the states `start` and `end` at its bounds, leads to.
    function rootOf(bytes32 start, bytes32 end, uint256 j, uint256 m, bytes calldata opening, uint256 g)
        internal
        pure
        returns (bytes32 root)
    {
        unchecked {
            uint256 place = j % g;
            // States of the block that the opening has: of its segments' bounds, all but two.
            uint256 states = m - (j - place);
            states = (states < g ? states : g) - 1;
            uint256 expected = 32 * (states + (m - 1) / g);
            require(opening.length == expected, WrongOpeningLength(opening.length, expected));
            uint256 words = copy(opening, 0, 32 * place, 64, 32 * (states - place));
            assembly ("memory-safe") {
                let target := add(words, shl(5, place))
                mstore(target, start)
                mstore(add(target, 0x20), end)
                root := keccak256(words, add(shl(5, states), 0x40))
            }
            place = 32 * (j / g);
            copy(opening, 32 * states, place, 32, expected - 32 * states - place);
            assembly ("memory-safe") {
                mstore(add(words, place), root)
                let size := sub(add(expected, 0x20), shl(5, states))
                mstore8(add(words, size), 0)
                root := keccak256(words, add(size, 1))
            }
        }
    }

    /// @dev Copies `before` bytes of an opening, from `from` on, and `behind` bytes more, to free memory, with `gap` bytes between them.
    function copy(bytes calldata opening, uint256 from, uint256 before, uint256 gap, uint256 behind)
        private
        pure
        returns (uint256 target)
    {
        assembly ("memory-safe") {
            target := mload(0x40)
            let source := add(opening.offset, from)
            calldatacopy(target, source, before)
            calldatacopy(add(add(target, before), gap), add(source, before), behind)
        }
    }
}
