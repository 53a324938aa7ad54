import { concatHex, decodeFunctionData, encodeAbiParameters, encodeFunctionData, numberToHex, parseAbi, toFunctionSelector, zeroHash } from 'viem';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeModelResult, encodeModelCall, modelAbi, resultElements } from './model-call.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
/** As `cast calldata` of Foundry 1.7.1 prints them. */
const FROM_CAST = {
  detect: '0x116977dd0000000000000000000000000000000000000000000000000000000000000020000000000000000000000000000000000000000000000000000000000000000a616c6c65206dc3bc686500000000000000000000000000000000000000000000',
  inferWithOptions: '0x0b62f6ff0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000007f00000000000000000000000000000000000000000000000000000000000000ff0000000000000000000000000000000000000000000000000000000000000001000000000000000000000000000000000000000000000000000000000000c3500000000000000000000000000000000000000000000000000000000000000258000000000000000000000000000000000000000000000000000000000000002a',
} as const;

describe('calldata of a request', () => {
  test('a text, as cast encodes it', () => {
    expect(encodeModelCall('detect(string)->(string)', bytes('alle mühe'))).toBe(FROM_CAST.detect);
  });

  test('a name with every kind of letter that a Solidity identifier has', () => {
    const data = encodeModelCall('$_aZ9$(uint8)->(uint8)', Uint8Array.of(7));
    expect(data).toBe(concatHex([toFunctionSelector('$_aZ9$(uint8)'), `0x${'07'.padStart(64, '0')}`]));
  });

  test('integers, read little-endian', () => {
    const abi = parseAbi(['function infer(uint8[3]) payable returns (bytes32)', 'function sum(int32[2]) payable returns (bytes32)', 'function one(int8) payable returns (bytes32)', 'function top(uint32) payable returns (bytes32)']);
    expect(encodeModelCall('infer(uint8[3])->(int32)', Uint8Array.of(0, 127, 255))).toBe(encodeFunctionData({ abi, functionName: 'infer', args: [[0, 127, 255]] }));
    expect(encodeModelCall('sum(int32[2])->(int32)', Uint8Array.of(1, 2, 0, 0, 255, 255, 255, 255))).toBe(encodeFunctionData({ abi, functionName: 'sum', args: [[513, -1]] }));
    expect(encodeModelCall('one(int8)->(int32)', Uint8Array.of(0x80))).toBe(encodeFunctionData({ abi, functionName: 'one', args: [-128] }));
    expect(encodeModelCall('top(uint32)->(int32)', Uint8Array.of(255, 255, 255, 255))).toBe(encodeFunctionData({ abi, functionName: 'top', args: [2 ** 32 - 1] }));
  });

  test('a list of any length', () => {
    const abi = parseAbi(['function generate(int32[]) payable returns (bytes32)']);
    expect(encodeModelCall('generate(int32[])->(int32[])', Uint8Array.of(7, 0, 0, 0, 255, 255, 255, 255))).toBe(encodeFunctionData({ abi, functionName: 'generate', args: [[7, -1]] }));
    expect(encodeModelCall('generate(int32[])->(int32[])', Uint8Array.of())).toBe(encodeFunctionData({ abi, functionName: 'generate', args: [[]] }));
    expect(() => encodeModelCall('generate(int32[])->(int32[])', Uint8Array.of(1, 0, 0))).toThrow('int32[] takes 4 bytes, not 3');
    expect(() => encodeModelCall('generate(int8[])->(int32[])', Uint8Array.of(1))).toThrow('int8[] is not known');
  });

  test('options, as cast encodes them', () => {
    const options = { finality: 1, callbackGas: 50_000, deadlineSeconds: 600n, seed: numberToHex(42, { size: 32 }) } as const;
    expect(encodeModelCall('infer(uint8[3])->(int32)', Uint8Array.of(0, 127, 255), options)).toBe(FROM_CAST.inferWithOptions);
  });

  test('bytes, and options', () => {
    const abi = parseAbi(['struct Options { uint8 finality; uint32 callbackGas; uint64 deadlineSeconds; bytes32 seed; }', 'function hash(bytes, Options options) payable returns (bytes32)']);
    const options = { finality: 1, callbackGas: 50_000, deadlineSeconds: 600n, seed: zeroHash } as const;
    expect(encodeModelCall('hash(bytes)->(bytes)', Uint8Array.of(1, 2, 3), options)).toBe(encodeFunctionData({ abi, functionName: 'hash', args: ['0x010203', options] }));
    expect(encodeModelCall('hash(bytes)->(bytes)', Uint8Array.of(), options).slice(0, 10)).toBe(toFunctionSelector('hash(bytes,(uint8,uint32,uint64,bytes32))'));
  });

  test('what does not fit is refused', () => {
    expect(() => encodeModelCall('infer(uint8[3])->(int32)', Uint8Array.of(1, 2))).toThrow('uint8[3] takes 3 bytes, not 2');
    expect(() => encodeModelCall('infer(int32)->(int32)', Uint8Array.of(1, 2))).toThrow('int32 takes 4 bytes, not 2');
    expect(() => encodeModelCall('infer(uint256)->(int32)', Uint8Array.of(1))).toThrow('uint256');
    for (const signature of ['', 'infer', 'infer(uint8)', 'infer()->(int32)', '9(uint8)->(int32)', 'infer(uint8)->()']) expect(() => modelAbi(signature)).toThrow('no model signature');
  });
});

describe('a delivered result', () => {
  test('as a value', () => {
    expect(decodeModelResult('detect(string)->(string)', encodeAbiParameters([{ type: 'string' }], ['deu']))).toBe('deu');
    expect(decodeModelResult('classify(uint8[2])->(int32)', encodeAbiParameters([{ type: 'int32' }], [-7]))).toBe(-7);
  });

  test('as elements', () => {
    expect(resultElements('f(string)->(string)', encodeAbiParameters([{ type: 'string' }], ['für']))).toEqual(bytes('für'));
    expect(resultElements('f(string)->(bytes)', encodeAbiParameters([{ type: 'bytes' }], ['0x00ff']))).toEqual(Uint8Array.of(0, 255));
    expect(resultElements('f(string)->(int32)', encodeAbiParameters([{ type: 'int32' }], [-2]))).toEqual(Uint8Array.of(254, 255, 255, 255));
    expect(resultElements('f(string)->(int8[2])', encodeAbiParameters([{ type: 'int8[2]' }], [[-1, 5]]))).toEqual(Uint8Array.of(255, 5));
  });

  test('a list as elements', () => {
    expect(resultElements('f(string)->(int32[])', encodeAbiParameters([{ type: 'int32[]' }], [[-2, 1]]))).toEqual(Uint8Array.of(254, 255, 255, 255, 1, 0, 0, 0));
    expect(resultElements('f(string)->(int32[])', encodeAbiParameters([{ type: 'int32[]' }], [[]]))).toEqual(Uint8Array.of());
  });

  test('elements survive a call and a result of the same type', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.constantFrom('int32[2]', 'uint32[2]', 'int8[8]', 'uint8[8]'), (elements, type) => {
      const signature = `f(${type})->(${type})`;
      const { args } = decodeFunctionData({ abi: [modelAbi(signature).plain], data: encodeModelCall(signature, elements) });
      expect(resultElements(signature, encodeAbiParameters([{ type }], args as unknown as never))).toEqual(elements);
    }), { seed: 1, numRuns: 200 });
  });
});
