const words = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter}`);

/** A setting's name in the environment: `rpcUrl` → `ASSAY_RPC_URL`. */
export const environmentName = (key: string): string => `ASSAY_${words(key).toUpperCase()}`;

/** A setting's name on the command line: `rpcUrl` → `--rpc-url`. */
export const flagName = (key: string): string => `--${words(key).toLowerCase().replaceAll('_', '-')}`;
