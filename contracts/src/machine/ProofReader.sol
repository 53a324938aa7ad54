// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

import {IWordMachine} from "../interfaces/IWordMachine.sol";
import {MerklePath} from "./MerklePath.sol";

/// @notice Where the next word of a proof stands in calldata, and where the proof ends.
struct Reader {
    uint256 position;
    uint256 end;
}

using ProofReader for Reader global;

/// @title Reading a proof
/// @notice Takes a proof's words one after another; nothing is read twice, and `finish` sees that nothing is left over.
library ProofReader {
    /// @notice A reader at the start of `proof`.
    function open(bytes calldata proof) internal pure returns (Reader memory reader) {
        assembly ("memory-safe") {
            mstore(reader, proof.offset)
            mstore(add(reader, 0x20), add(proof.offset, proof.length))
        }
    }

    /// @notice Goes past `words` words, of which there must be at least as many.
    /// @return offset Where they start in calldata.
    function skip(Reader memory reader, uint256 words) internal pure returns (uint256 offset) {
        offset = reader.position;
        uint256 position = offset + words * 32;
        require(position <= reader.end, IWordMachine.ProofTruncated());
        reader.position = position;
    }

    /// @notice The next word.
    function take(Reader memory reader) internal pure returns (bytes32 word) {
        uint256 offset = reader.skip(1);
        assembly ("memory-safe") {
            word := calldataload(offset)
        }
    }

    /// @notice The root that `leaf` and the next `depth` words, its path, lead to.
    function rootOf(Reader memory reader, bytes32 leaf, uint256 index, uint256 depth) internal pure returns (bytes32) {
        return MerklePath.root(leaf, index, reader.skip(depth), depth);
    }

    /// @notice Reverts unless all words were read.
    function finish(Reader memory reader) internal pure {
        require(reader.position == reader.end, IWordMachine.ProofTooLong());
    }

    /// @notice Hash of `words` words of calldata from `offset`.
    function hash(uint256 offset, uint256 words) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            // Past the free memory pointer, which stays where it is.
            let start := mload(0x40)
            calldatacopy(start, offset, shl(5, words))
            result := keccak256(start, shl(5, words))
        }
    }

    /// @notice Word number `index` from `offset`.
    function wordAt(uint256 offset, uint256 index) internal pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(offset, shl(5, index)))
        }
    }
}
