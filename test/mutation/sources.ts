import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Where what became of each mutant is kept, a file for each source. */
export const RESULTS = `${ROOT}docs/mutants`;

const inFolder = (folder: string): string[] => readdirSync(`${ROOT}contracts/src/${folder}`).filter((name) => name.endsWith('.sol')).map((name) => `contracts/src/${folder}${name}`);

/** Sources of the word machine, by their paths from the repository's root. */
export const MACHINE: readonly string[] = inFolder('machine/');
const named = (...names: readonly string[]): string[] => names.map((name) => `contracts/src/${name}.sol`);

/** Contracts that work together, and how forge judges them. */
export interface Suite {
  readonly sources: readonly string[];
  /** Glob of the test files. */
  readonly tests: string;
  /** A file of slow tests among them, which are run after the others. */
  readonly slow: string | null;
  /** Sources of the contracts that the tests deploy, and of tests that have a library in them; each has one contract. */
  readonly compiled: readonly string[];
}

/** The dispute game, and what is staked in it. */
export const GAME: Suite = {
  sources: named('DissectionGame', 'ResultAssertions', 'Batch', 'SpendableCredit', 'PullPayments', 'libraries/GameClock', 'libraries/AssertionClock', 'libraries/Dissection', 'libraries/BlobClaims'),
  tests: 'contracts/test/{game,results}/*.t.sol',
  slow: 'contracts/test/game/DissectionGame.blob.t.sol',
  compiled: named('DissectionGame', 'ResultAssertions'),
};
/** Models as contract functions, requests and deliveries. */
export const REQUESTS: Suite = {
  sources: named('Inbox', 'ModelContract', 'ModelRegistry', 'libraries/InputCodec', 'libraries/ModelArguments', 'libraries/ModelSignature', 'libraries/OutputCodec'),
  tests: 'contracts/test/{inbox,model,examples}/*.t.sol',
  slow: null,
  compiled: [...named('Inbox', 'ModelContract', 'ModelRegistry'), 'contracts/test/model/ModelSignature.t.sol'],
};
/** All contracts and libraries but the interfaces. */
export const SOURCES: readonly string[] = [...MACHINE, ...inFolder(''), ...inFolder('libraries/')];

/** A source's name, which its mutants' names start with. */
export const nameOf = (path: string): string => basename(path, '.sol');
