import { bytesToHex, decodeAbiParameters, encodeFunctionData, hexToBytes, parseAbiItem } from 'viem';
import type { AbiFunction, Hex } from 'viem';
import { UserError } from './errors.ts';

/** What a caller may choose for a request; see `RequestOptions` in contracts/src/interfaces/IInbox.sol. */
export interface CallOptions {
  /** 0: called back as soon as the result is asserted; 1: when it is final. */
  readonly finality: 0 | 1;
  readonly callbackGas: number;
  /** Seconds until a refund; 0 for the inbox's default. */
  readonly deadlineSeconds: bigint;
  readonly seed: Hex;
}

const OPTIONS = '(uint8 finality,uint32 callbackGas,uint64 deadlineSeconds,bytes32 seed)';

/** The typed functions of a model's contract: with default options, and with options. @throws UserError on a malformed signature */
export function modelAbi(signature: string): { readonly plain: AbiFunction; readonly withOptions: AbiFunction; readonly output: string } {
  const match = /^([A-Za-z_$][\w$]*)\(([^()]+)\)->\(([^()]+)\)$/.exec(signature);
  if (match === null) throw new UserError(`'${signature}' is no model signature: expected name(type)->(type)`);
  const [, name, input, output] = match as unknown as [string, string, string, string];
  const item = (parameters: string): AbiFunction => parseAbiItem(`function ${name}(${parameters}) payable returns (bytes32 requestId)`) as AbiFunction;
  return { plain: item(input), withOptions: item(`${input},${OPTIONS}`), output };
}

/**
 * Calldata that asks a model's contract for an inference.
 * @param elements the input's elements without padding; a text's or a list's without the zeros after it
 * @throws UserError when the elements do not fit the signature
 */
export function encodeModelCall(signature: string, elements: Uint8Array, options?: CallOptions): Hex {
  const { plain, withOptions } = modelAbi(signature);
  const argument = argumentOf(plain.inputs[0]?.type ?? '', elements);
  return options === undefined
    ? encodeFunctionData({ abi: [plain], args: [argument] })
    : encodeFunctionData({ abi: [withOptions], args: [argument, options] });
}

/** A delivered result, ABI encoded by itself, as a value of the signature's output type. */
export function decodeModelResult(signature: string, result: Hex): unknown {
  return decodeAbiParameters([{ type: modelAbi(signature).output }], result)[0];
}

/**
 * The elements that a delivered result stands for, without padding: what the last operator wrote; for a text its bytes.
 * @throws UserError on a type that models do not give
 */
export function resultElements(signature: string, result: Hex): Uint8Array {
  const { output } = modelAbi(signature);
  const value = decodeModelResult(signature, result);
  if (output === 'string') return new TextEncoder().encode(value as string);
  if (output === 'bytes') return hexToBytes(value as Hex);
  const { width } = integersOf(output);
  const values = Array.isArray(value) ? (value as number[]) : [value as number];
  const view = new DataView(new ArrayBuffer(values.length * width));
  values.forEach((number, index) => (width === 4 ? view.setInt32(index * 4, number, true) : view.setInt8(index, number)));
  return new Uint8Array(view.buffer);
}

function argumentOf(type: string, elements: Uint8Array): unknown {
  if (type === 'string') return new TextDecoder().decode(elements);
  if (type === 'bytes') return bytesToHex(elements);
  const { signed, width, count: fixed, list } = integersOf(type);
  const count = list ? Math.ceil(elements.length / width) : fixed;
  const view = new DataView(elements.buffer, elements.byteOffset, elements.byteLength);
  const read = (index: number): number => {
    if (width === 4) return signed ? view.getInt32(index * 4, true) : view.getUint32(index * 4, true);
    return signed ? view.getInt8(index) : view.getUint8(index);
  };
  if (elements.length !== (count ?? 1) * width) throw new UserError(`${type} takes ${(count ?? 1) * width} bytes, not ${elements.length}`);
  return count === undefined ? read(0) : Array.from({ length: count }, (_, index) => read(index));
}

/** A type of integers: one, an array of `count`, or a list of any length. Its width is in bytes. */
function integersOf(type: string): { readonly signed: boolean; readonly width: number; readonly count: number | undefined; readonly list: boolean } {
  const match = type === 'int32[]' ? /^(u?)int(32)/.exec(type) : /^(u?)int(8|32)(?:\[(\d+)\])?$/.exec(type);
  if (match === null) throw new UserError(`a model's value of type ${type} is not known here`);
  return { signed: match[1] === '', width: Number(match[2]) / 8, count: match[3] === undefined ? undefined : Number(match[3]), list: type === 'int32[]' };
}
