let shown = false;

/** Says on a terminal's last line what is being done. Nothing where standard error is no terminal: scripts get answers and errors only. */
export function showStatus(text: string): void {
  if (process.stderr.isTTY !== true) return;
  process.stderr.write(`\r\u001b[K${text} …`);
  shown = true;
}

/** Takes that line away again. */
export function clearStatus(): void {
  if (shown) process.stderr.write('\r\u001b[K');
  shown = false;
}
