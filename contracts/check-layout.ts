/**
 * Compares what forge compiled with `snapshots/contracts.json`: the size of every contract's code and where it stores what. Run it after
 * `forge build`: `npx tsx contracts/check-layout.ts` fails when either has changed, or when a contract has more than two thirds of the code that EIP-170
 * allows; `--write` writes the snapshot.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Most bytes of code that a contract may have: two thirds of EIP-170's 24,576. */
const MOST_BYTES = 16_384;
const CONTRACTS = ['DissectionGame', 'ResultAssertions', 'Inbox', 'ModelContract', 'ModelRegistry', 'WordMachine'];

interface StorageType {
  readonly label: string;
  readonly numberOfBytes: string;
  readonly members?: readonly StorageSlot[];
  readonly value?: string;
}
interface StorageSlot {
  readonly label: string;
  readonly offset: number;
  readonly slot: string;
  readonly type: string;
}
interface StorageLayout {
  readonly storage: readonly StorageSlot[];
  readonly types: Readonly<Record<string, StorageType>> | null;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const target = join(root, 'snapshots/contracts.json');

const out = process.env['FOUNDRY_OUT'] ?? join(root, 'out');

interface Artifact {
  readonly deployedBytecode: { readonly object: string };
  readonly storageLayout?: StorageLayout;
}

function readArtifact(contract: string): Artifact {
  const path = join(out, `${contract}.sol`, `${contract}.json`);
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Artifact;
  } catch (cause) {
    throw new Error(`no compiled ${contract} at ${path}: run forge build first`, { cause });
  }
}

/** One line a variable, `slot+offset label: type`, and one a member of every struct in its type; without the compiler's node numbers. */
function linesOf({ storage, types }: StorageLayout): string[] {
  const lines: string[] = [];
  const describe = (slot: StorageSlot, prefix: string): void => {
    const label = `${prefix}${slot.label}`;
    const type = types?.[slot.type];
    lines.push(`${slot.slot}+${slot.offset} ${label}: ${type?.label ?? slot.type} (${type?.numberOfBytes ?? '?'} bytes)`);
    let inner = type;
    while (inner?.value !== undefined) inner = types?.[inner.value];
    for (const member of inner?.members ?? []) describe(member, `${label}.`);
  };
  for (const slot of storage) describe(slot, '');
  return lines;
}

const snapshot = Object.fromEntries(
  CONTRACTS.map((contract) => {
    const { deployedBytecode, storageLayout } = readArtifact(contract);
    if (storageLayout === undefined) throw new Error(`no storage layout in what forge compiled of ${contract}: run forge build --force`);
    const bytes = (deployedBytecode.object.length - 2) / 2;
    if (bytes > MOST_BYTES) throw new Error(`${contract} has ${bytes} bytes of code; more than ${MOST_BYTES} are too near EIP-170's limit`);
    return [contract, { bytes, storage: linesOf(storageLayout) }];
  }),
);
const text = `${JSON.stringify(snapshot, null, 2)}\n`;
if (process.argv.includes('--write')) {
  writeFileSync(target, text);
} else if (readFileSync(target, 'utf8') !== text) {
  console.error('snapshots/contracts.json is not what the contracts compile to: check what changed, then npx tsx contracts/check-layout.ts --write');
  process.exitCode = 1;
}
