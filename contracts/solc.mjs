#!/usr/bin/env node
// The command line of solc that forge expects (`--version`, `--standard-json`), in front of npm's WebAssembly build.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const solc = createRequire(import.meta.url)('solc');

if (process.argv.includes('--version')) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else if (process.argv.includes('--standard-json')) {
  process.stdout.write(solc.compile(readFileSync(0, 'utf8')));
} else {
  process.stderr.write('solc.mjs understands --version and --standard-json only\n');
  process.exitCode = 1;
}
