import { loadConfig } from '../config.ts';
import type { Config } from '../config.ts';

/** The configuration that a command's flags, the environment and a file make. @throws UserError naming each wrong setting */
export function configOf(flags: Readonly<Record<string, unknown>>): Promise<Config> {
  const { config: file, ...settings } = flags;
  return loadConfig({ flags: settings, ...(typeof file === 'string' ? { file } : {}) });
}
