// Counts what held and says at once what did not. The last line is for people and for CI.

export interface Report {
  readonly failed: number;
  phase(name: string): void;
  /** Something to know that is neither success nor failure. */
  note(text: string): void;
  check(name: string, held: boolean, detail?: string): void;
  equal(name: string, actual: unknown, expected: unknown): void;
  /** `N passed, N failed` and the time taken. */
  summary(): string;
}

export function createReport(write: (line: string) => void): Report {
  const startedAt = performance.now();
  const seconds = (): string => ((performance.now() - startedAt) / 1000).toFixed(1);
  let passed = 0;
  let failed = 0;
  let inPhase = 0;
  let phase = '';
  const closePhase = (): void => {
    if (phase !== '') write(`  ${phase}: ${inPhase} held (at ${seconds()} s)`);
  };
  const check = (name: string, held: boolean, detail = ''): void => {
    if (held) {
      passed++;
      inPhase++;
      return;
    }
    failed++;
    write(`  FAILED ${name}${detail === '' ? '' : `: ${detail}`}`);
  };
  return {
    get failed() {
      return failed;
    },
    phase: (name) => {
      closePhase();
      phase = name;
      inPhase = 0;
      write(name);
    },
    note: (text) => write(`  ${text}`),
    check,
    equal: (name, actual, expected) => {
      const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
      check(name, is === should, `is ${is}, should be ${should}`);
    },
    summary: () => {
      closePhase();
      return `${passed} passed, ${failed} failed (${seconds()} s)`;
    },
  };
}
