/** What is wrong at the moment, in words, for /health and the metrics. Each problem has a name, under which it is mended. */
export interface Problems {
  set(name: string, text: string): void;
  clear(name: string): void;
  /** Clears those whose name begins so, but for the ones to keep. */
  keepOnly(prefix: string, names: ReadonlySet<string>): void;
  list(): readonly string[];
}

/** Most problems that are listed: an attacker decides how many there are. */
const MOST_LISTED = 100;

export function createProblems(): Problems {
  const problems = new Map<string, string>();
  return {
    set: (name, text) => void problems.set(name, text),
    clear: (name) => void problems.delete(name),
    keepOnly: (prefix, names) => {
      for (const name of problems.keys()) if (name.startsWith(prefix) && !names.has(name)) problems.delete(name);
    },
    list: () => [...problems.values()].slice(0, MOST_LISTED),
  };
}
