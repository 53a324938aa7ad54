import { demoCommand } from './commands/demo.ts';
import { execute } from './execute.ts';

await execute(demoCommand().name('demo').usage('[options]   (npm run demo -- [options])'));
