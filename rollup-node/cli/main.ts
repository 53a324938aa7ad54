import { createProgram } from './program.ts';
import { execute } from './execute.ts';

await execute(createProgram());
