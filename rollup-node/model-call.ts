import { bytesToHex, decodeAbiParameters, encodeFunctionData, parseAbiItem } from 'viem';
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
  const match = /^([A-Za-z_]\w*)\(([^()]+)\)->\(([^()]+)\)$/.exec(signature);
  if (match === null) throw new UserError(`'${signature}' is no model signature: expected name(type)->(type)`);
  const [, name, input, output] = match as unknown as [string, string, string, string];
  const item = (parameters: string): AbiFunction => parseAbiItem(`function ${name}(${parameters}) payable returns (bytes32 requestId)`) as AbiFunction;
  return { plain: item(input), withOptions: item(`${input},${OPTIONS}`), output };
}

/**
 * Calldata that asks a model's contract for an inference.
 * @param elements the input's elements without padding; a text's bytes without the zeros after it
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

function argumentOf(type: string, elements: Uint8Array): unknown {
  if (type === 'string') return new TextDecoder().decode(elements);
  if (type === 'bytes') return bytesToHex(elements);
  const match = /^(u?int)(8|32)(?:\[(\d+)\])?$/.exec(type);
  if (match === null) throw new UserError(`a model's input of type ${type} is not known here`);
  const [, sign, bits, count] = match;
  const view = new DataView(elements.buffer, elements.byteOffset, elements.byteLength);
  const width = Number(bits) / 8;
  const read = (index: number): number => (width === 4 ? view.getInt32(index * 4, true) : sign === 'uint' ? view.getUint8(index) : view.getInt8(index));
  const values = Array.from({ length: elements.length / width }, (_, index) => read(index));
  if (values.length !== Number(count ?? 1)) throw new UserError(`${type} takes ${count ?? 1} elements, not ${values.length}`);
  return count === undefined ? values[0] : values;
}
