import { encodeFunctionData, parseAbi } from 'viem';
import { expect, test } from 'vitest';
import { requestSize } from './request-size.ts';

const OPTIONS = [0, 0, 0n, `0x${'00'.repeat(32)}`] as const;
/** What an encoder makes of the longest request, in bytes. */
const encoded = (type: string, value: unknown): number =>
  encodeFunctionData({ abi: parseAbi([`function infer(${type}, (uint8, uint32, uint64, bytes32))`]), functionName: 'infer', args: [value, OPTIONS] as never }).length / 2 - 1;

test.each([
  ['string', 'i8', 1, 100, 'a'.repeat(100)],
  ['bytes', 'i8', 1, 64, `0x${'01'.repeat(64)}`],
  ['int32[]', 'i32', 1, 70, new Array(70).fill(-1)],
  ['uint8[784]', 'i8', 1, 784, new Array(784).fill(200)],
  ['int32[12]', 'i32', 3, 4, new Array(12).fill(7)],
] as const)('calldata of %s is what viem encodes', (type, element, rows, columns, value) => {
  expect(requestSize({ signature: `infer(${type})->(int32[10])`, input: { element, rows, columns } })).toEqual({ bytes: encoded(type, value) });
});

test('what transactions do not carry, and what registries refuse', () => {
  const warningOf = (type: string, element: 'i8' | 'i32', columns: number, rows = 1): string | undefined => requestSize({ signature: `infer(${type})->(int32[2])`, input: { element, rows, columns } }).warning;
  expect(warningOf('int32[4000]', 'i32', 4000)).toBeUndefined();
  expect(warningOf('uint8[12288]', 'i8', 12_288)).toMatch(/a request has 393,348 bytes of calldata.*131,072/);
  expect(warningOf('int32[]', 'i32', 2 ** 19)).toMatch(/its longest request has .* more briefly/);
  expect(warningOf('int32[]', 'i32', 2 ** 19 + 1)).toMatch(/no registry takes this model: its input has 524,289 elements in 65,537 words/);
  expect(warningOf('int8[1048577]', 'i8', 2 ** 20 + 1)).toMatch(/no registry/);
  // Rows are padded: many short ones fill words, too.
  expect(warningOf('int8[65537]', 'i8', 1, 2 ** 16 + 1)).toMatch(/no registry/);
});
