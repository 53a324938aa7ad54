const SMALL_OPCODES = 'opcodes that lie between, 0x1f and 0x20, are no arithmetic: the result is not used';
const LOW_BITS = 'only the low bits of the addend reach the result, which is cut to the same width';
const ONE_LEAF = 'for one leaf both branches give 0: clz(0) is 256';
const FREE_MEMORY = 'scratch space further past the free memory pointer holds the same bytes, for more gas';
const MORE_COPIED = 'copies more than is hashed, for more gas';
const UNSIGNED = 'both operands are far below 2^255, where signed and unsigned comparison agree';

/** Mutants that no test can kill, by name, each with the reason why it does what the original does. */
export const EQUIVALENT: Readonly<Record<string, string>> = {
  "Arithmetic isArithmetic: 'uint256 operation = op >= WIDE ? op - WIDE : op': '>=' → '>'": SMALL_OPCODES,
  "Arithmetic evaluate: 'let high := add(3, shl(2, gt(op, 0x1f)))': 'gt' → 'sgt'": UNSIGNED,
  "Arithmetic evaluate: 'let high := add(3, shl(2, gt(op, 0x1f)))': 'gt(op, 0x1f)' → 'iszero(lt(op, 0x1f))'": SMALL_OPCODES,
  "Arithmetic evaluate: 'let high := add(3, shl(2, gt(op, 0x1f)))': '0x1f' → '0x20'": SMALL_OPCODES,
  "Arithmetic evaluate: 'let high := add(3, shl(2, gt(op, 0x1f)))': '0x1f' → '0x1e'": SMALL_OPCODES,
  "Arithmetic evaluate: 'c := signextend(high, c)': 'c := signextend(high, c)' → 'pop(0)'": LOW_BITS,
  "Arithmetic evaluate: 'c := signextend(high, c)': 'signextend(high, c)' → 'c'": LOW_BITS,
  "MerklePath depthOf: 'depth := mul(gt(leaves, 1), sub(256, clz(sub(leaves, 1))))': 'gt(leaves, 1)' → 'iszero(lt(leaves, 1))'": ONE_LEAF,
  "MerklePath depthOf: 'depth := mul(gt(leaves, 1), sub(256, clz(sub(leaves, 1))))': '1' → '0'": ONE_LEAF,
  "ProofReader hash: 'let start := mload(0x40)': '0x40' → '0x41'": FREE_MEMORY,
  "ProofReader hash: 'calldatacopy(start, offset, shl(5, words))': '5' → '6'": MORE_COPIED,
};
