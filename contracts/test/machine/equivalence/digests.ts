import { bytesToHex, hexToBytes, toFunctionSelector } from 'viem';
import type { Hex } from 'viem';
import { KeccakStream } from '../../../../deterministic-runtime/commitment/keccak.ts';
import { proveStep } from '../../../../fraud-proof/machine/proof.ts';
import { hashState } from '../../../../fraud-proof/machine/state.ts';
import { InvalidProofError, verifyStep } from '../../../../fraud-proof/machine/verify.ts';
import type { ProofRefusal } from '../../../../fraud-proof/machine/verify.ts';
import type { Draws } from './draws.ts';
import { drawnStep } from './drawn-step.ts';

/** Every so many cases, a spoilt proof is tried as well. */
const TAMPER_EVERY = 8;
const WORD = 32;
const ZERO = new Uint8Array(WORD);
const TRUE = ZERO.with(WORD - 1, 1);

/** What the contract in forge computes too: digests of `each` cases, one group after another from case `first` on. */
export interface StepDigests {
  readonly seed: number;
  readonly first: number;
  readonly each: number;
  readonly digests: readonly Hex[];
}

/** The interpreter's digests of `count` groups. `reached` hears how many are done. */
export function stepDigests(seed: number, first: number, each: number, count: number, reached: (groups: number) => void = () => undefined): StepDigests {
  const digests = Array.from({ length: count }, (_, group) => {
    reached(group);
    return digestOf(seed, first + group * each, each);
  });
  return { seed, first, each, digests };
}

/** Digest of `count` cases from number `first` on: each is hashed together with those before it. */
export function digestOf(seed: number, first: number, count: number): Hex {
  let digest: Uint8Array = ZERO;
  for (let number = first; number < first + count; number += 1) digest = hash(digest, stepOutcome(seed, number));
  return bytesToHex(digest);
}

/** A case's proof, what it proves, and, every so many cases, a spoilt one. */
export interface ProvenStep {
  readonly preState: Uint8Array;
  readonly proof: Uint8Array;
  readonly postState: Uint8Array;
  readonly spoilt: { readonly proof: Uint8Array; readonly refusal: ProofRefusal } | null;
}

/** What the interpreter says about a case. @throws Error when the verifier accepts a spoilt proof */
export function provenStep(seed: number, number: number): ProvenStep {
  const { scenario, draws } = drawnStep(seed, number);
  const { proof, postState } = proveStep(scenario.state, scenario.environment);
  const preState = hashState(scenario.state);
  const spoilt = number % TAMPER_EVERY === 0 ? tampered(proof, draws) : null;
  return { preState, proof, postState: hashState(postState), spoilt: spoilt && { proof: spoilt, refusal: refusalOf(preState, spoilt, number) } };
}

/** Hash of the state before, the proof, the state after, and how a spoilt proof is refused. */
export function stepOutcome(seed: number, number: number): Uint8Array {
  const { preState, proof, postState, spoilt } = provenStep(seed, number);
  return hash(preState, hash(proof), TRUE, postState, spoilt === null ? ZERO : wordOf(selectorOf(spoilt.refusal)));
}

/** Keccak-256 of the concatenation, in WebAssembly. */
function hash(...parts: readonly Uint8Array[]): Uint8Array {
  const stream = new KeccakStream();
  for (const part of parts) stream.update(part);
  return stream.digest();
}

function refusalOf(preState: Uint8Array, proof: Uint8Array, number: number): ProofRefusal {
  try {
    verifyStep(preState, proof);
  } catch (error) {
    if (error instanceof InvalidProofError) return error.refusal;
    throw error;
  }
  throw new Error(`case ${number}: the verifier accepts a spoilt proof`);
}

const selectors = new Map<string, Uint8Array>();

/** Of an error without arguments. */
function selectorOf(error: string): Uint8Array {
  const selector = selectors.get(error) ?? hexToBytes(toFunctionSelector(`${error}()`));
  selectors.set(error, selector);
  return selector;
}

function wordOf(bytes: Uint8Array): Uint8Array {
  const word = ZERO.slice();
  word.set(bytes);
  return word;
}

/** A bit flipped, the last word dropped, or a word appended. */
function tampered(proof: Uint8Array, draws: Draws): Uint8Array {
  const [kind, which] = draws.numbers() as [number, number];
  if (kind % 3 === 1) return proof.subarray(0, -WORD);
  if (kind % 3 === 2) return Uint8Array.from([...proof, ...(which % 2 === 0 ? ZERO : draws.word())]);
  const bit = which % (8 * proof.length);
  // Bit 0 of a word is its last byte's lowest.
  const at = Math.floor(bit / 256) * WORD + (WORD - 1 - Math.floor((bit % 256) / 8));
  return proof.with(at, proof[at]! ^ (1 << (bit % 8)));
}
