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
/** Those of the dispute game and of what is staked in it. */
export const GAME: readonly string[] = [
  'DissectionGame', 'ResultAssertions', 'Batch', 'SpendableCredit', 'PullPayments', 'libraries/GameClock', 'libraries/AssertionClock', 'libraries/Dissection', 'libraries/BlobClaims',
].map((name) => `contracts/src/${name}.sol`);
/** All contracts and libraries but the interfaces. */
export const SOURCES: readonly string[] = [...MACHINE, ...inFolder(''), ...inFolder('libraries/')];

/** A source's name, which its mutants' names start with. */
export const nameOf = (path: string): string => basename(path, '.sol');
