import { demoCommand } from './commands/demo.ts';
import { execute } from './execute.ts';

await execute(demoCommand().usage('[options]   (npm run demo -- [options])'), 'npm run demo --');
