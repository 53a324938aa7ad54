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
        uint256 blockIndex = j / g;
        uint256 size = m - blockIndex * g;
        if (size > g) size = g;
        uint256 blocks = (m + g - 1) / g;
        uint256 expected = 32 * (size + blocks - 2);
        require(opening.length == expected, WrongOpeningLength(opening.length, expected));
        uint256 place = j % g;
        assembly ("memory-safe") {
            let words := mload(0x40)
            let source := opening.offset
            let bytesBefore := shl(5, place)
            let target := add(words, bytesBefore)
            calldatacopy(words, source, bytesBefore)
            mstore(target, start)
            mstore(add(target, 0x20), end)
            let others := shl(5, sub(size, 1))
            calldatacopy(add(target, 0x40), add(source, bytesBefore), sub(others, bytesBefore))
            let hash := keccak256(words, add(others, 0x40))

            source := add(source, others)
            bytesBefore := shl(5, blockIndex)
            others := shl(5, sub(blocks, 1))
            calldatacopy(words, source, bytesBefore)
            mstore(add(words, bytesBefore), hash)
            calldatacopy(add(add(words, bytesBefore), 0x20), add(source, bytesBefore), sub(others, bytesBefore))
            mstore8(add(add(words, others), 0x20), 0)
            root := keccak256(words, add(others, 0x21))
        }
    }
}
