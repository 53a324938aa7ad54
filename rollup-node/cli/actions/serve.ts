import { runService } from '../../service.ts';
import { shutdownSignal } from '../../shutdown.ts';
import { configOf } from '../configuration.ts';

/** Runs a sequencer or a watcher until it is told to end. @throws UserError */
export async function serve(flags: Readonly<Record<string, unknown>>, role: 'sequence' | 'watch'): Promise<void> {
  await runService(await configOf(flags), { sequence: role === 'sequence', watch: role === 'watch', signal: shutdownSignal() });
}
