/** Process exit codes; stable, since scripts rely on them. */
export const ExitCode = {
  /** Something failed that the user did not cause. */
  failure: 1,
  /** Wrong arguments, configuration or files. */
  usage: 2,
  /** The chain cannot be reached, or is not the one that was configured. */
  chain: 3,
  /** The disk or the store cannot be used. */
  storage: 4,
  /** Executors disagree, or a model's files do not match its id. */
  integrity: 5,
} as const;

export interface UserErrorOptions {
  /** What to do about it: one sentence. */
  readonly hint?: string;
  readonly exitCode?: number;
  readonly cause?: unknown;
}

/** An error for people: one line that says what was wrong, and what to do. Printed without a stack trace. */
export class UserError extends Error {
  override readonly name = 'UserError';
  readonly hint: string | undefined;
  readonly exitCode: number;

  constructor(message: string, options: UserErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? ExitCode.usage;
  }
}

/** The first line of whatever was thrown: libraries such as viem put the summary there and details below. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error) {
    const short = (error as { shortMessage?: unknown }).shortMessage;
    const text = typeof short === 'string' ? short : error.message;
    return oneLine(text === '' ? error.name : text);
  }
  return oneLine(String(error));
}

/** What a command prints for an error: one line, with the hint behind it. */
export function describeError(error: unknown): string {
  const reason = reasonOf(error);
  return error instanceof UserError && error.hint !== undefined ? `${reason} (${error.hint})` : reason;
}

/** The exit code that belongs to an error. */
export const exitCodeOf = (error: unknown): number => (error instanceof UserError ? error.exitCode : ExitCode.failure);

function oneLine(text: string): string {
  const first = text.split('\n').find((line) => line.trim() !== '') ?? '';
  return first.trim();
}
