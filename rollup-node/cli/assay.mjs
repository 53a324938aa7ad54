#!/usr/bin/env node
// The `assay` command: loads the TypeScript sources as they are.
import { register } from 'tsx/esm/api';

register();
await import('./main.ts');
