import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { Random } from '../../fraud-proof/machine/testing/random.ts';
import { EQUIVALENT } from './equivalent.ts';
import { InProcessTests } from './in-process.ts';
import { mutantsOf } from './mutants.ts';
import { knownResults } from './results.ts';
import { GAME, MACHINE, REQUESTS, RESULTS, ROOT, SOURCES, nameOf } from './sources.ts';

/** `npm run evidence:mutants` takes them all. */
const SHARE = 4;

const SOURCE = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.37;

/// @notice „Umlaut“ before the code: offsets are bytes.
library Small {
    uint256 private constant LIMIT = 1_000;

    error TooMuch();

    function least(uint256 a, uint256 b) internal pure returns (uint256 result) {
        require(a <= LIMIT, TooMuch());
        result = a;
        if (b < a) result = b - 1;
        assembly {
            result := sub(result, iszero(a))
        }
    }
}
`;

describe('mutants of a source', () => {
  const mutants = mutantsOf(SOURCE, 'Small');
  const changes = mutants.map(({ name }) => name.replace(/^Small (\w+): '.*': ('.*' → '.*')/, '$1: $2'));

  test('are these', () => {
    expect(changes.sort()).toEqual([
      "Small: '1_000' → '1001'", "Small: '1_000' → '999'",
      "least: 'require(a <= LIMIT, TooMuch())' → 'true'", "least: 'a <= LIMIT, TooMuch()' → 'TooMuch(), a <= LIMIT'", "least: '<=' → '<'", "least: '<=' → '>='",
      "least: 'result = a' → 'true'", "least: 'b < a' → '!(b < a)'", "least: '<' → '<='", "least: '<' → '>'",
      "least: 'result = b - 1' → 'true'", "least: '-' → '+'", "least: '1' → '2'", "least: '1' → '0'",
      "least: 'result := sub(result, iszero(a))' → 'pop(0)'", "least: 'sub' → 'add'", "least: 'result, iszero(a)' → 'iszero(a), result'", "least: 'iszero(a)' → 'a'",
    ].sort());
  });

  test('differ from the source in that place alone, and have names of their own', () => {
    const changed = mutants.find(({ name }) => name.endsWith("'<' → '<='"));
    expect(changed?.source).toBe(SOURCE.replace('b < a', 'b <= a'));
    expect(changed?.line).toBe(13);
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
    expect(mutants.every(({ source }) => source !== SOURCE)).toBe(true);
  });

  test('of a source that is none', () => {
    expect(() => mutantsOf('library {', 'None')).toThrow('the source has no syntax tree');
  });
});

describe('the machine\'s tests', () => {
  let tests: InProcessTests;
  beforeAll(async () => {
    tests = await InProcessTests.create();
  });

  test('pass on the machine itself', async () => {
    expect(await tests.judge('contracts/src/machine/MerklePath.sol', readFileSync(`${ROOT}contracts/src/machine/MerklePath.sol`, 'utf8'))).toEqual({ verdict: 'survived' });
    for (const path of MACHINE) expect(tests.covers(path), path).toBe(true);
    expect(tests.covers('contracts/src/DissectionGame.sol')).toBe(false);
  });

  test('kill a few of its mutants', async () => {
    const all = MACHINE.flatMap((path) => mutantsOf(readFileSync(`${ROOT}${path}`, 'utf8'), nameOf(path)).map((mutant) => ({ path, mutant })));
    expect(all.length).toBeGreaterThan(1000);
    const random = new Random(20261122);
    let killed = 0;
    while (killed < SHARE) {
      const { path, mutant } = random.pick(all);
      if (EQUIVALENT[mutant.name] !== undefined) continue;
      const { verdict } = await tests.judge(path, mutant.source);
      if (verdict === 'does not compile') continue;
      expect(verdict, mutant.name).toBe('killed');
      killed += 1;
    }
  });

  test('what is called equivalent is a mutant', () => {
    const files = new Set(Object.keys(EQUIVALENT).map((name) => name.split(' ')[0]!));
    const names = new Set([...files].flatMap(namesOf));
    for (const name of Object.keys(EQUIVALENT)) expect(names.has(name), name).toBe(true);
  });
});

describe('what is recorded in docs/mutants', () => {
  test.each(readdirSync(RESULTS).map((name) => name.replace('.json', '')))('%s: every mutant, each killed or with the reason why none can', (file) => {
    // Those that survived without a reason are not among what is known.
    expect([...knownResults(file, readFileSync(`${RESULTS}/${file}.json`, 'utf8')).keys()].sort()).toEqual(namesOf(file).sort());
  });

  test('takes in the machine, the game and requests', () => {
    const recorded = readdirSync(RESULTS);
    for (const path of [...MACHINE, ...GAME.sources, ...REQUESTS.sources]) expect(recorded).toContain(`${nameOf(path)}.json`);
  });
});

/** Mutants of a contract or library, by its name. */
function namesOf(file: string): string[] {
  const path = SOURCES.find((candidate) => nameOf(candidate) === file);
  if (path === undefined) throw new Error(`there is no ${file}.sol`);
  return mutantsOf(readFileSync(`${ROOT}${path}`, 'utf8'), file).map(({ name }) => name);
}
