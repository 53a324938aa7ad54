/** Prints a command's answer: one line of JSON for machines, else aligned `name  value` lines for people. Bigints become decimal strings. */
export function printAnswer(answer: Readonly<Record<string, unknown>>, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(answer, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)));
    return;
  }
  const width = Math.max(...Object.keys(answer).map((name) => name.length));
  for (const [name, value] of Object.entries(answer)) console.log(`${name.padEnd(width)}  ${plain(value)}`);
}

function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return value.toLocaleString('en');
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
}
