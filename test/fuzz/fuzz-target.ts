// What a fuzz target is, and how it says that a law broke. Inputs are byte strings: each character is one byte, so
// that a seed's file is the input itself and every mutation is a file too.
import type * as fc from 'fast-check';

export interface FuzzTarget {
  readonly name: string;
  /** Pieces that mutations put in. */
  readonly dictionary: readonly string[];
  /** Whole inputs of a grammar of their own, byte strings too. */
  readonly fresh: fc.Arbitrary<string>;
  /** Where the search starts, besides the files of `seeds/`; made by code from the bypass corpus where that fits. */
  seeds(): readonly string[];
  /** Executions that are taken together between two looks at the coverage. */
  readonly batch: number;
  /** Of a batch that reached something new, the fewest inputs that are told apart; 1 unless executions are dear. */
  readonly finest?: number;
  open(): Promise<OpenTarget>;
}

/** Once: what it starts is closed at its end. */
export interface OpenTarget extends AsyncDisposable {
  /** Never rejects for what an input does. */
  execute(inputs: readonly string[]): Promise<Executed>;
}

export interface Executed {
  /** Of every input, in their order: what became of it, in a few words. A new word is worth keeping its input. */
  readonly labels: readonly string[];
  readonly failures: readonly Failure[];
}

export interface Failure {
  /** Among the inputs. */
  readonly index: number;
  /** The law that broke, or the error that was thrown: equal for equal faults. */
  readonly law: string;
  readonly detail: string;
}

/** A law that does not hold for an input. */
export class BrokenLaw extends Error {
  readonly law: string;

  constructor(law: string, detail: string) {
    super(`${law}: ${detail}`);
    this.law = law;
  }
}

export function broken(law: string, detail: unknown): never {
  throw new BrokenLaw(law, typeof detail === 'string' ? detail : JSON.stringify(detail));
}

/** Text of any kind as the bytes of its UTF-8, and back. */
export function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

export function textOf(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** For what is called and answers; `limitMs`: an execution that is slower, three times out of three, breaks a law. */
export function synchronous(run: (input: string) => string, limitMs: number): () => Promise<OpenTarget> {
  return async () => ({
    async execute(inputs) {
      const labels: string[] = [];
      const failures: Failure[] = [];
      for (let index = 0; index < inputs.length; index++) {
        const input = inputs[index] as string;
        const began = performance.now();
        try {
          labels.push(run(input));
        } catch (error) {
          labels.push('failed');
          failures.push({ index, ...described(error) });
          continue;
        }
        if (performance.now() - began < limitMs) continue;
        const least = leastMs(run, input);
        if (least < limitMs) continue;
        failures.push({ index, law: 'is bounded in time', detail: `${least.toFixed(0)} ms at the least` });
      }
      return { labels, failures };
    },
    [Symbol.asyncDispose]: async () => undefined,
  });
}

/** Others use the same processor: only what is slow each time is slow. */
function leastMs(run: (input: string) => string, input: string): number {
  let least = Infinity;
  for (let i = 0; i < 3; i++) {
    const began = performance.now();
    run(input);
    least = Math.min(least, performance.now() - began);
  }
  return least;
}

export function described(error: unknown): Pick<Failure, 'law' | 'detail'> {
  if (error instanceof BrokenLaw) return { law: error.law, detail: error.message };
  if (!(error instanceof Error)) return { law: 'throws what is no error', detail: String(error) };
  const frame = /\((?:file:\/\/)?[^)]*\/((?:src|test)\/[^):]+:\d+)/.exec(error.stack ?? '')?.[1] ?? '';
  return { law: `throws ${error.name} at ${frame}`, detail: error.stack ?? error.message };
}
