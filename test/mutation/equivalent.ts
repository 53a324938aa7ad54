const SMALL_OPCODES = 'opcodes that lie between, 0x1f and 0x20, are no arithmetic: the result is not used';
const LOW_BITS = 'only the low bits of the addend reach the result, which is cut to the same width';
const ONE_LEAF = 'for one leaf both branches give 0: clz(0) is 256';
const FREE_MEMORY = 'scratch space further past the free memory pointer holds the same bytes, for more gas';
const MORE_COPIED = 'copies more than is hashed, for more gas';
const UNSIGNED = 'both operands are far below 2^255, where signed and unsigned comparison agree';
const CUT_AWAY = 'the bits that differ lie above the width, and are cut away';
const NOT_NEGATIVE = 'the value is not negative';
const SHIFTED_IN = 'the lowest bits were shifted in, and are zero anyhow';
const ABOVE_THE_BYTES = 'the sign fills bits above the bytes that are used';
const ONE_BYTE_MORE = 'copies one byte more, to memory that is not in use yet and that whoever allocates it sets';
const LONGER_SLICE = 'of a longer slice the first 32 bytes are taken';
const CLEARED_MORE = 'the byte left out is overwritten next, and the one behind is not read after a state is cleared';
const THIRD_OPERAND = 'only multiply-and-add has a third operand';
const NOTHING_KEPT = 'what returns, if anything, goes to scratch space that nothing reads';
const ORDER_OF_PRODUCT = 'the order of a product does not matter';
const ANOTHER_SALT = 'another order of what is hashed, as unique';
const MASKED = 'the mask leaves out the bits that differ';
const SHORT_PATH = 'indices are far below 2^255, and no path has 255 levels';
const SAME_WHEN_EQUAL = 'where the two are equal, both branches give the same';
const FEW = 'the number is far below 2^255';

/** Mutants that no test can kill, by name, each with the reason why it does what the original does. */
export const EQUIVALENT: Readonly<Record<string, string>> = {
  "Arithmetic isArithmetic: 'uint256 operation = op >= WIDE ? op - WIDE : op': '>=' → '>'": SMALL_OPCODES,
  "Arithmetic evaluate: 'let high := add(3, shl(2, gt(op, 0x1f)))': 'gt' → 'sgt'": UNSIGNED,
  "Arithmetic evaluate: 'let high := add(3, shl(2, gt(op, 0x1f)))': 'gt(op, 0x1f)' → 'iszero(lt(op, 0x1f))'": SMALL_OPCODES,
  "Arithmetic evaluate: 'let high := add(3, shl(2, gt(op, 0x1f)))': '0x1f' → '0x20'": SMALL_OPCODES,
  "Arithmetic evaluate: 'let high := add(3, shl(2, gt(op, 0x1f)))': '0x1f' → '0x1e'": SMALL_OPCODES,
  "Arithmetic evaluate: 'c := signextend(high, c)': 'c := signextend(high, c)' → 'pop(0)'": LOW_BITS,
  "Arithmetic evaluate: 'c := signextend(high, c)': 'signextend(high, c)' → 'c'": LOW_BITS,
  "Arithmetic evaluate: 'result := sar(and(b, bits), a)': 'sar' → 'shr'": CUT_AWAY,
  "Arithmetic evaluate: 'result := shr(and(b, bits), and(a, shr(sub(255, bits), not(0))))': 'shr' → 'sar'": NOT_NEGATIVE,
  "Lanes dot: 'v := or( and(shl(64, v), 0xffffffffffffffff0000000000000000f … 0000000ffffffffffffffff) )': '0xffffffffffffffff0000000000000000ffffffffffffffff0000000000000000' → '0xffffffffffffffff0000000000000000ffffffffffffffff0000000000000001'": SHIFTED_IN,
  "Lanes dot: 'u := shr(8, u)': 'shr' → 'sar'": ABOVE_THE_BYTES,
  "Lanes dot: 'u := shr(8, u)': 'shr' → 'sar' (2)": ABOVE_THE_BYTES,
  "Lanes dot: 'v := shr(8, v)': 'shr' → 'sar'": ABOVE_THE_BYTES,
  "Lanes dot: 'v := shr(8, v)': 'shr' → 'sar' (2)": ABOVE_THE_BYTES,
  "StateEncoding read: 'calldatacopy(add(state, 0x20), offset, 0x140)': '0x140' → '0x141'": ONE_BYTE_MORE,
  "StateEncoding scalar: 'let packed := mload(add(add(state, 0x60), shl(5, shr(2, index))))': 'shr' → 'sar'": NOT_NEGATIVE,
  "StateEncoding scalar: 'value := signextend(7, shr(sub(192, shl(6, and(index, 3))), packed))': 'shr' → 'sar'": CUT_AWAY,
  "MerklePath depthOf: 'depth := mul(gt(leaves, 1), sub(256, clz(sub(leaves, 1))))': 'gt(leaves, 1)' → 'iszero(lt(leaves, 1))'": ONE_LEAF,
  "MerklePath depthOf: 'depth := mul(gt(leaves, 1), sub(256, clz(sub(leaves, 1))))': '1' → '0'": ONE_LEAF,
  "MerklePath root: 'index := shr(1, index)': 'shr' → 'sar'": SHORT_PATH,
  "ProofReader hash: 'let start := mload(0x40)': '0x40' → '0x41'": FREE_MEMORY,
  "ProofReader hash: 'calldatacopy(start, offset, shl(5, words))': '5' → '6'": MORE_COPIED,
  "TensorCommitment treeRoot: 'count := shr(1, add(count, 1))': 'shr' → 'sar'": FEW,
  "WordMachine scalarResult: 'return Arithmetic.evaluate(Arithmetic.ADD, sum, Lanes.dot(left, right), 0)': 'sum, Lanes.dot(left, right)' → 'Lanes.dot(left, right), sum'": 'the order of a sum does not matter',
  "Dissection claimsRoot: 'gt(size, span)': 'gt' → 'sgt'": UNSIGNED,
  "Dissection claimsRoot: 'gt(size, span)': 'gt(size, span)' → 'iszero(lt(size, span))'": SAME_WHEN_EQUAL,
  "Dissection claimsRoot: 'lt(first, end)': 'lt' → 'slt'": UNSIGNED,
  "Dissection rootOf: 'states = (states < g ? states : g) - 1': '<' → '<='": SAME_WHEN_EQUAL,
  "Dissection rootOf: 'uint256 words = copy(opening, 0, 32 * place, 64, 32 * (states - place))': '32' → '33' (2)": MORE_COPIED,
  "Dissection rootOf: 'uint256 words = copy(opening, 0, 32 * place, 64, 32 * (states - place))': '-' → '+'": MORE_COPIED,
  "Dissection rootOf: 'copy(opening, 32 * states, place, 32, expected - 32 * states - place)': '-' → '+'": MORE_COPIED,
  "Dissection rootOf: 'copy(opening, 32 * states, place, 32, expected - 32 * states - place)': '-' → '+' (2)": MORE_COPIED,
  "Dissection rootOf: 'copy(opening, 32 * states, place, 32, expected - 32 * states - place)': '32' → '31' (3)": MORE_COPIED,
  "Dissection copy: 'target := mload(0x40)': '0x40' → '0x41'": FREE_MEMORY,
  "MerklePath root: 'lt(path, end)': 'lt' → 'slt'": UNSIGNED,
  "TensorCommitment commitment: 'let start := mload(0x40)': '0x40' → '0x41'": FREE_MEMORY,
  "TensorCommitment treeRoot: 'let count := shr(5, mload(paddedWords))': 'shr' → 'sar'": FEW,
  "TensorCommitment treeRoot: 'let level := mload(0x40)': '0x40' → '0x41'": FREE_MEMORY,
  "TensorCommitment treeRoot: 'let pairs := add(source, shl(6, shr(1, count)))': 'shr' → 'sar'": FEW,
  "TensorCommitment treeRoot: 'lt(source, pairs)': 'lt' → 'slt'": UNSIGNED,
  "ResultAssertions : 'require(parameters.bounty > 0 && parameters.stepsPerSecond > 0, InvalidParameters())': '0' → '1' (2)": 'at one step a second the longest game has too long a clock, which is the same error',
  "ResultAssertions : 'MAX_BOUNTIES = affordable < type(uint8).max ? affordable : type(uint8).max': '<' → '<='": SAME_WHEN_EQUAL,
  "PullPayments credit: 'amount > 0': '>' → '>='": 'adds nothing to a credit, for more gas',
  "TensorCommitment treeRoot: 'and(count, 1)': 'and' → 'or'": 'a node more behind a level of an even number, which nothing reads, for more gas',
  "GameClock save: 'uint256 word = uint256(value.start) | uint256(value.end) <<  … lue.challengerWork) << 240': '1' → '2'": 'a byte of a bool reads as true whatever it is, but for zero',
  "GameClock save: 'uint256 word = uint256(value.start) | uint256(value.end) <<  … lue.challengerWork) << 240': '216' → '217'": 'a byte of a bool reads as true whatever it is, but for zero',
  "DissectionGame takeTurn: 'pickGas = asCalldata ? 0 : BLOB_PICK_GAS': '0' → '1'": 'less than a hundred gas is cut off',
  "DissectionGame checkSplit: 'states := mload(0x40)': '0x40' → '0x41'": FREE_MEMORY,
  "DissectionGame checkSplit: 'mstore(0x40, add(last, 0x20))': '0x40' → '0x3f'": FREE_MEMORY,
  "DissectionGame checkSplit: 'mstore(0x40, add(last, 0x20))': '0x20' → '0x21'": FREE_MEMORY,
  "DissectionGame logMove: 'let data := mload(0x40)': '0x40' → '0x41'": FREE_MEMORY,
  "DissectionGame finish: 'uint256 reward = worth < end.other ? worth : end.other': '<' → '<='": 'both sides of the comparison are the same amount there',
  "Descriptor read: 'operandCount > MAX_OPERANDS': '>' → '>='": 'the bound itself is what would be set',
  "Descriptor coordinates: 'laneCount > descriptor.lanes': '>' → '>='": 'the bound itself is what would be set',
  "TensorCommitment treeRoot: 'gt(count, 1)': 'gt' → 'sgt'": 'the number of words is far below 2^255',
  "ResultAssertions withdrawBond: 'uint256 bounties = current.defeats < MAX_BOUNTIES ? current.defeats : MAX_BOUNTIES': '<' → '<='": 'both sides of the comparison are the same number there',
  "BlobClaims BlobClaims: 'uint256 private constant POINT_EVALUATION_GAS = 50_000': '50_000' → '50001'": 'the precompile takes 50,000 and leaves the rest',
  "BlobClaims segments: 'return n < ARITY ? n : ARITY': '<' → '<='": 'both sides of the comparison are the same number there',
  "Operands slotOf: 'operator < scope.program.epilogue': '<' → '<='": 'the slot after the last one lies before no other',
  "Lanes withFirstLanes: 'uint256 bits = count * (256 / lanes)': '256' → '257'": 'the quotient by 32 and by 8 is the same',
  "Lanes withFirstLanes: 'result := and(word, not(shr(bits, not(0))))': '0' → '1'": 'the bit is shifted out: no word of an output has no lanes',
  "Lanes dot: 'v := or( and(shl(64, v), 0xffffffffffffffff0000000000000000f … 0000000ffffffffffffffff) )': 'shr' → 'sar'": MASKED,
  "Lanes dot: 'v := or( and(shl(32, v), 0xffffffff00000000ffffffff00000000f … fffffff00000000ffffffff) )': '0xffffffff00000000ffffffff00000000ffffffff00000000ffffffff00000000' → '0xffffffff00000000ffffffff00000000ffffffff00000000ffffffff00000001'": SHIFTED_IN,
  "Lanes dot: 'v := or( and(shl(32, v), 0xffffffff00000000ffffffff00000000f … fffffff00000000ffffffff) )': 'shr' → 'sar'": MASKED,
  "BlobClaims rootOf: 'require(start == bytes32(opening[0:32]), NotTheClaimedState(0))': '32' → '33'": LONGER_SLICE,
  "BlobClaims requireElement: 'bytes32 blobHash = bytes32(opening[32:64])': '64' → '65'": LONGER_SLICE,
  "BlobClaims pointOf: 'uint256 reversed = 0': '0' → '1'": 'the exponent grows by 4096, the order of the root of unity',
  "Arithmetic evaluate: 'result := shr(and(b, bits), and(a, shr(sub(255, bits), not(0))))': '0' → '1'": 'the bit is shifted out',
  "Arithmetic evaluate: 'result := xor(b, mul(xor(a, b), slt(a, b)))': 'slt(a, b)' → 'iszero(sgt(a, b))'": SAME_WHEN_EQUAL,
  "Arithmetic evaluate: 'result := xor(a, mul(xor(a, b), slt(a, b)))': 'slt(a, b)' → 'iszero(sgt(a, b))'": SAME_WHEN_EQUAL,
  "Arithmetic requantize: 'let half := shr(1, shl(shift, 1))': 'shr' → 'sar'": NOT_NEGATIVE,
  "Arithmetic requantize: 'result < INT32_MIN': '<' → '<='": SAME_WHEN_EQUAL,
  "Arithmetic requantize: 'result > INT32_MAX': '>' → '>='": SAME_WHEN_EQUAL,
  "StateEncoding setScalar: 'let place := add(add(state, 0x60), shl(5, shr(2, index)))': 'shr' → 'sar'": NOT_NEGATIVE,
  "StateEncoding clear: 'calldatacopy(add(state, 0x40), calldatasize(), 0x120)': '0x40' → '0x41'": CLEARED_MORE,
  "StateEncoding clear: 'calldatacopy(add(state, 0x40), calldatasize(), 0x120)': '0x120' → '0x121'": CLEARED_MORE,
  "WordMachine scalarResult: 'return Arithmetic.evaluate(Arithmetic.ADD, sum, Lanes.dot(left, right), 0)': 'left, right' → 'right, left'": ORDER_OF_PRODUCT,
  "WordMachine scalarResult: 'return Arithmetic.evaluate(Arithmetic.ADD, sum, Lanes.dot(left, right), 0)': '0' → '1'": THIRD_OPERAND,
  "WordMachine scalarResult: 'return Arithmetic.requantize(accumulator, multiplier, shift)': 'accumulator, multiplier' → 'multiplier, accumulator'": ORDER_OF_PRODUCT,
  "WordMachine scalarResult: 'return Arithmetic.evaluate(op, x, y, z)': 'x, y' → 'y, x'": ORDER_OF_PRODUCT,
  "WordMachine scalarResult: 'return Arithmetic.evaluate(op, a, b, 0)': '0' → '1'": THIRD_OPERAND,
  "Lanes dot: 'products := add( products, mul(sub(and(shr(8, u), LOW_BYTES) … ), LOW_BYTES), OFFSETS)) )': 'shr' → 'sar'": ABOVE_THE_BYTES,
  "Lanes dot: 'products := add( products, mul(sub(and(shr(8, u), LOW_BYTES) … ), LOW_BYTES), OFFSETS)) )': 'shr' → 'sar' (2)": ABOVE_THE_BYTES,
  "Lanes dot: 'sum := sar(224, add(products, shl(223, 1)))': 'sar' → 'shr'": LOW_BITS,
  "Lanes dot: 'sum := sar(224, add(products, shl(223, 1)))': '223' → '222'": 'what stands below is less than 2^212 in magnitude',
  "Inbox callBack: 'callbackGas == 0 || requester.code.length == 0': '0' → '1'": 'a call without gas fails as a callback that was not asked for does',
  "Inbox callBack: 'require(gasleft() >= required, InsufficientGas(gasleft(), required))': '>=' → '>'": 'one unit of gas, of a reserve that is no exact figure',
  "Inbox callBack: 'succeeded := call(callbackGas, requester, 0, add(data, 0x20), mload(data), 0, 0)': '0' → '1' (2)": NOTHING_KEPT,
  "Inbox callBack: 'succeeded := call(callbackGas, requester, 0, add(data, 0x20), mload(data), 0, 0)': '0' → '1' (3)": NOTHING_KEPT,
  "ModelContract commitmentOf: 'return Tensor.commit(InputCodec.pad(elements, model.rows, mo … umns, model.elementBytes))': 'model.columns, model.elementBytes' → 'model.elementBytes, model.columns'": ORDER_OF_PRODUCT,
  "ModelRegistry saltOf: 'return keccak256(abi.encode(modelId, registrant, fee))': 'modelId, registrant' → 'registrant, modelId'": ANOTHER_SALT,
  "ModelRegistry saltOf: 'return keccak256(abi.encode(modelId, registrant, fee))': 'registrant, fee' → 'fee, registrant'": ANOTHER_SALT,
  "InputCodec pad: 'lt(row, rows)': 'lt' → 'slt'": UNSIGNED,
  "InputCodec pad: 'lt(row, rows)': 'lt(row, rows)' → 'iszero(gt(row, rows))'": 'copies one row more, to memory that is not in use',
  "InputCodec decodeNumbers: 'mstore8(add(to, 1), shr(8, value))': 'shr' → 'sar'": CUT_AWAY,
  "InputCodec decodeNumbers: 'mstore8(add(to, 2), shr(16, value))': 'shr' → 'sar'": CUT_AWAY,
  "InputCodec decodeNumbers: 'mstore8(add(to, 3), shr(24, value))': 'shr' → 'sar'": CUT_AWAY,
  "InputCodec decodeNumbers: 'lt(i, count)': 'lt' → 'slt'": UNSIGNED,
  "InputCodec decodeNumbers: 'lt(i, count)': 'lt(i, count)' → 'iszero(gt(i, count))'": 'writes one element more, to memory that is not in use',
  "ModelSignature slice: 'mcopy(add(part, 0x20), add(add(text, 0x20), start), sub(end, start))': 'sub' → 'add'": 'copies more, to memory that is not in use',
  "OutputCodec numbers: 'lt(to, end)': 'lt' → 'slt'": UNSIGNED,
  "OutputCodec numbers: 'lt(to, end)': 'lt(to, end)' → 'iszero(gt(to, end))'": 'writes one word more, to memory that is not in use',
  "OutputCodec numbers: 'let end := add(to, shl(5, count))': '5' → '6'": 'writes more words, to memory that is not in use',
};
