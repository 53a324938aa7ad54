#!/usr/bin/env node
// Runs forge from the npm package that ships it, else from the PATH: `node contracts/forge.mjs test`.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const packaged = fileURLToPath(new URL('../node_modules/@foundry-rs/forge-linux-amd64/bin/forge', import.meta.url));
const result = spawnSync(existsSync(packaged) ? packaged : 'forge', process.argv.slice(2), { stdio: 'inherit' });
if (result.error !== undefined) {
  console.error(`forge could not be started (${result.error.message}): run npm ci on Linux x64, or install Foundry and put forge on the PATH`);
  process.exit(127);
}
process.exit(result.status ?? 1);
