// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @title Claims that travel in a blob
/// @notice A split into m ≤ 4096 segments, of which c_0 and c_m are known and element j − 1 of an EIP-4844 blob is c_j for 0 < j < m. Its
/// **root** is keccak256(c_0 ‖ versioned hash ‖ c_m): 96 bytes, so that none is a node of a tree. Opening a segment's two states
/// takes a KZG proof for each that is in the blob. A field element has less than 255 bits; states of the machine have 248.
library BlobClaims {
    /// @notice Segments of a split, at most.
    uint256 private constant ARITY = 4096;

    /// @dev Precompiled contracts: EIP-198, EIP-4844.
    address private constant MODULAR_EXPONENTIATION = address(0x05);
    address private constant POINT_EVALUATION = address(0x0a);

    /// @dev What the precompile costs; one that fails takes all that it is given.
    uint256 private constant POINT_EVALUATION_GAS = 50_000;

    /// @dev r, the order of BLS12-381's scalar field, and 7^((r − 1)/4096) mod r: a 4096th root of unity (EIP-4844).
    uint256 private constant MODULUS = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    uint256 private constant ROOT_OF_UNITY = 0x564c0a11a0f704f4fc3e8acfe0f8245f0ad1347b378fbf96e206da11a5d36306;

    /// @dev Where an opening's commitment and its two proofs begin, and its length: no multiple of 32, so that it is no path.
    uint256 private constant COMMITMENT = 96;
    uint256 private constant START_PROOF = 144;
    uint256 private constant END_PROOF = 192;
    uint256 private constant OPENING_BYTES = 240;

    /// The opening has another length than its segment takes.
    error WrongOpeningLength(uint256 given, uint256 expected);
    /// A state is not the one that the claims have there.
    error NotTheClaimedState(uint256 bound);

    /// @notice Number of segments in a split of `n` steps.
    function segments(uint256 n) internal pure returns (uint256) {
        return n < ARITY ? n : ARITY;
    }

    /// @notice Root of a split with the blob of that versioned hash.
    function claimsRoot(bytes32 first, bytes32 blobHash, bytes32 last) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(first, blobHash, last));
    }

    /// @notice Reverts unless `opening` opens states `start` and `end` of segment `j` of `m`; returns the root of the claims.
    /// @param opening c_0, the versioned hash, c_m; the blob's commitment, 48 bytes; as many for a proof of c_j, and of c_{j+1}. The
    /// proof of a state that is not in the blob counts for nothing.
    function rootOf(bytes32 start, bytes32 end, uint256 j, uint256 m, bytes calldata opening)
        internal
        view
        returns (bytes32)
    {
        require(opening.length == OPENING_BYTES, WrongOpeningLength(opening.length, OPENING_BYTES));
        if (j > 0) requireElement(j, start, opening, opening[START_PROOF:END_PROOF]);
        else require(start == bytes32(opening[0:32]), NotTheClaimedState(0));
        if (j + 1 < m) requireElement(j + 1, end, opening, opening[END_PROOF:OPENING_BYTES]);
        else require(end == bytes32(opening[64:COMMITMENT]), NotTheClaimedState(m));
        return keccak256(opening[0:COMMITMENT]);
    }

    /// @dev Reverts unless the claimed state c_`bound`, element `bound` − 1 of the blob, is `value`.
    function requireElement(uint256 bound, bytes32 value, bytes calldata opening, bytes calldata proof) private view {
        bytes32 blobHash = bytes32(opening[32:64]);
        bytes memory input =
            abi.encodePacked(blobHash, pointOf(bound - 1), value, opening[COMMITMENT:START_PROOF], proof);
        (bool proven,) = POINT_EVALUATION.staticcall{gas: POINT_EVALUATION_GAS}(input);
        require(proven, NotTheClaimedState(bound));
    }

    /// @dev Where the blob's polynomial has the value of element `index`: the root of unity to the power of the index, its 12 bits
    /// reversed.
    function pointOf(uint256 index) private view returns (uint256) {
        uint256 reversed = 0;
        for (uint256 bit = 0; bit < 12; ++bit) {
            reversed = (reversed << 1) | ((index >> bit) & 1);
        }
        bytes memory input = abi.encode(32, 32, 32, ROOT_OF_UNITY, reversed, MODULUS);
        // It fails for want of gas alone, and then returns nothing to decode.
        // forge-lint: disable-next-line(unchecked-call)
        (, bytes memory power) = MODULAR_EXPONENTIATION.staticcall(input);
        return abi.decode(power, (uint256));
    }
}
