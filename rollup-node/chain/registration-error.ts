import { BaseError, ContractFunctionRevertedError } from 'viem';
import type { ContractErrorArgs, ContractErrorName } from 'viem';
import type { modelRegistryAbi } from '../../contracts/abi/generated.ts';
import { ExitCode, reasonOf, UserError } from '../errors.ts';

type Abi = typeof modelRegistryAbi;
type Refusals = { readonly [Name in ContractErrorName<Abi>]: (args: ContractErrorArgs<Abi, Name> & readonly unknown[], signature: string) => UserError };

const count = (value: bigint | number): string => value.toLocaleString('en');
/** A fault of the bundle or of the arguments. */
const fault = (message: string, hint: string): UserError => new UserError(message, { hint });
/** The header is made here, so the registry that refuses it is of another version. */
const otherVersion = (message: string): UserError => new UserError(message, { exitCode: ExitCode.chain, hint: 'the contracts are of another version of Assay: check --assertions, or use that version' });

/** What the words of a header that the registry looks at are (docs/word-machine.md). */
const HEADER_WORDS: Readonly<Record<string, string>> = { 0: 'the format\'s tag', 1: 'the numbers of operators', 4: 'the input\'s shape', 5: 'the bound on steps' };

const REFUSALS = {
  SelectorTaken: ([selector], signature) => fault(`a model's contract has a function of its own with the selector ${selector}, that of ${signature}`, 'make the model with another name for the function in its signature'),
  InputTooLarge: ([words, maximum]) => fault(`the model's input has ${count(words)} words, more than the ${count(maximum)} that the registry takes`, 'make a model of smaller inputs; this one runs with assay run only'),
  InputShapeMismatch: ([rows, columns, bytes], signature) =>
    fault(`the signature ${signature} does not fit the program's input of ${count(rows)} × ${count(columns)} elements of ${8n * bytes} bits`, 'make the model with its input\'s own type and size in the signature; text, bytes and int32[] are one row'),
  SignatureSyntax: ([position, expected], signature) => fault(`'${signature}' is no signature that the registry reads: behind '${signature.slice(0, Number(position))}' it expects ${expected}`, 'make the model with a signature such as detect(string)->(string), without spaces'),
  UnsupportedType: ([, found], signature) => fault(`'${found}' in the signature ${signature} is no type that models take or give`, 'types are string, bytes, uint8, int8, int32, int32[], uint8[N], int8[N] and int32[N]'),
  FeeTooHigh: ([fee]) => fault(`the registry takes no fee of ${count(fee)} wei`, '--fee is in wei, and below 2^64: some 18.4 ETH'),
  InvalidHeader: ([word]) => otherVersion(`the registry refuses word ${word} of the model's header, ${HEADER_WORDS[String(word)] ?? 'whatever that is'}`),
  SignatureMismatch: (_, signature) => otherVersion(`the registry finds another hash for the signature ${signature} than the model's header has`),
} satisfies Refusals;

/** Why a registration did not go through when it was tried out, and what to do about it. */
export function registrationError(error: unknown, signature: string): UserError {
  const reverted = error instanceof BaseError ? error.walk((cause) => cause instanceof ContractFunctionRevertedError) : null;
  if (!(reverted instanceof ContractFunctionRevertedError)) return new UserError(`the registry could not be asked: ${reasonOf(error)}`, { exitCode: ExitCode.chain, hint: 'check --rpc-url', cause: error });
  const { errorName = '', args = [] } = reverted.data ?? {};
  const refusals: Readonly<Record<string, ((args: never, signature: string) => UserError) | undefined>> = REFUSALS;
  return refusals[errorName]?.(args as never, signature) ?? new UserError(`the registry refuses the model: ${reasonOf(error)}`, { exitCode: ExitCode.chain, cause: error });
}
