// Where a command writes: two streams handed in, colours only where a person looks.
// Assumes that what it is given was made safe to print. Not hot.

/** `process.stdout` and `process.stderr` satisfy it. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface Terminal {
  /** The answer, for people and programs alike; a line break is added. */
  out(text: string): void;
  /** Everything that is not the answer. */
  err(text: string): void;
  /** For `err` only. */
  red(text: string): string;
  /** For `err` only. */
  yellow(text: string): string;
}

export interface TerminalDeps {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function createTerminal(deps: TerminalDeps): Terminal {
  const { stdout, stderr, env } = deps;
  const paints = isColoured(stderr, env);
  const paint = (code: number) => (text: string) => (paints ? `\u001B[${code}m${text}\u001B[39m` : text);
  return {
    out: (text) => void stdout.write(`${text}\n`),
    err: (text) => void stderr.write(`${text}\n`),
    red: paint(31),
    yellow: paint(33),
  };
}

/** https://no-color.org: the variable, set and not empty, turns colours off everywhere. */
export function isColoured(stream: TextStream, env: TerminalDeps['env']): boolean {
  return stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}
