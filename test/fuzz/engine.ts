// The loop: make a batch of inputs, execute it, keep those that reached a new block of the source or came to an end
// that no input came to before, and start again from what was kept. Guided by coverage, seeded, and no network.
// Blocks are looked at once for a batch; which input of it was the one is found by halving.
import * as fc from 'fast-check';
import { below, type Random, seeded } from '../tamper/journal.ts';
import type { BlockCount, CoverageView } from './coverage.ts';
import type { Executed, Failure, FuzzTarget, OpenTarget } from './fuzz-target.ts';
import { minimised } from './minimise.ts';
import { mutated } from './mutate.ts';

export interface FuzzOptions {
  readonly target: FuzzTarget;
  readonly seed: number;
  readonly seconds: number;
  /** It ends after so many, if the time is not over before. */
  readonly executions: number;
  /** Inputs to start from besides the target's own. */
  readonly start: readonly string[];
  /** Null: nothing guides but what becomes of an input. */
  readonly coverage: CoverageView | null;
}

export interface Found extends Omit<Failure, 'index'> {
  /** As short as it could be made. */
  readonly input: string;
  /** Executions up to the end of the batch that it was in. */
  readonly after: number;
}

export interface FuzzResult {
  readonly target: string;
  readonly executions: number;
  readonly perSecond: number;
  readonly blocks: BlockCount;
  /** Inputs that were kept in the pool. */
  readonly kept: number;
  readonly endings: number;
  readonly found: readonly Found[];
}

const FRESH_AT_ONCE = 400;
const MAX_FOUND = 10;
const MAX_POOL = 20_000;

export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  await using opened = await options.target.open();
  const run = new Run(options, opened);
  return await run.untilTime();
}

class Run {
  readonly #options: FuzzOptions;
  readonly #opened: OpenTarget;
  readonly #random: Random;
  readonly #pool: string[] = [];
  readonly #endings = new Set<string>();
  readonly #laws = new Set<string>();
  readonly #found: Found[] = [];
  #fresh: string[] = [];
  #freshSeed: number;
  #executions = 0;

  constructor(options: FuzzOptions, opened: OpenTarget) {
    this.#options = options;
    this.#opened = opened;
    this.#random = seeded(options.seed);
    this.#freshSeed = options.seed;
  }

  async untilTime(): Promise<FuzzResult> {
    const { target, seconds, executions, start, coverage } = this.#options;
    const began = performance.now();
    const first = [...target.seeds(), ...start];
    for (let at = 0; at < first.length; at += target.batch)
      await this.#batch(first.slice(at, at + target.batch));
    const isOver = () =>
      performance.now() - began >= seconds * 1000 ||
      this.#executions >= executions ||
      this.#found.length >= MAX_FOUND;
    while (!isOver()) {
      await this.#batch(this.#made());
    }
    const elapsed = (performance.now() - began) / 1000;
    return {
      target: target.name,
      executions: this.#executions,
      perSecond: Math.round(this.#executions / elapsed),
      blocks: coverage?.count() ?? { covered: 0, known: 0 },
      kept: this.#pool.length,
      endings: this.#endings.size,
      found: this.#found,
    };
  }

  #made(): string[] {
    const { target } = this.#options;
    const mutator = {
      random: this.#random,
      dictionary: target.dictionary,
      other: () => this.#anyKept(),
    };
    return Array.from({ length: target.batch }, () => {
      const chance = below(this.#random, 8);
      if (chance === 0) return this.#freshInput();
      return mutated(chance === 1 ? this.#freshInput() : this.#anyKept(), mutator);
    });
  }

  /** The youngest are tried most: what they reached was reached by few. */
  #anyKept(): string {
    const { length } = this.#pool;
    if (length === 0) return this.#freshInput();
    const among = below(this.#random, 2) === 0 ? Math.min(length, 50) : length;
    return this.#pool[length - 1 - below(this.#random, among)] as string;
  }

  #freshInput(): string {
    if (this.#fresh.length === 0) {
      const { fresh } = this.#options.target;
      this.#fresh = fc.sample(fresh, { numRuns: FRESH_AT_ONCE, seed: this.#freshSeed++ });
    }
    return this.#fresh.pop() as string;
  }

  async #batch(inputs: readonly string[]): Promise<void> {
    const executed = await this.#execute(inputs);
    const after = this.#executions;
    this.#keepNewEndings(inputs, executed);
    await this.#keepNewBlocks(inputs);
    for (const failure of executed.failures)
      await this.#keepFailure(inputs[failure.index] as string, failure, after);
  }

  async #execute(inputs: readonly string[]): Promise<Executed> {
    this.#executions += inputs.length;
    return await this.#opened.execute(inputs);
  }

  #keepNewEndings(inputs: readonly string[], { labels }: Executed): void {
    for (const [i, label] of labels.entries()) {
      if (this.#endings.has(label)) continue;
      this.#endings.add(label);
      this.#keep(inputs[i] as string);
    }
  }

  async #keepNewBlocks(inputs: readonly string[]): Promise<void> {
    const { coverage } = this.#options;
    if (coverage === null) return;
    const reached = coverage.look();
    if (reached.fresh.size === 0) return;
    await this.#search(inputs, new Set(reached.fresh), coverage);
    reached.keep();
  }

  /** What no half reaches again depended on what ran before; then no input is to be thanked for it. */
  async #search(inputs: readonly string[], wanted: Set<string>, coverage: CoverageView): Promise<void> {
    if (inputs.length <= (this.#options.target.finest ?? 1)) {
      for (const input of inputs) this.#keep(input);
      return;
    }
    const middle = inputs.length >> 1;
    for (const half of [inputs.slice(0, middle), inputs.slice(middle)]) {
      if (wanted.size === 0) return;
      await this.#execute(half);
      const { fresh } = coverage.look();
      const again = new Set([...wanted].filter((block) => fresh.has(block)));
      if (again.size === 0) continue;
      for (const block of again) wanted.delete(block);
      await this.#search(half, again, coverage);
    }
  }

  #keep(input: string): void {
    this.#pool.push(input);
    if (this.#pool.length > MAX_POOL) this.#pool.splice(0, MAX_POOL / 2);
  }

  /** One input for each law: the first is made short, the others are the same fault most of the time. */
  async #keepFailure(input: string, { law, detail }: Failure, after: number): Promise<void> {
    if (this.#laws.has(law)) return;
    this.#laws.add(law);
    let said = detail;
    const shortest = await minimised(input, async (candidate) => {
      const same = (await this.#execute([candidate])).failures.find((one) => one.law === law);
      said = same?.detail ?? said;
      return same !== undefined;
    });
    this.#found.push({ law, detail: said, input: shortest, after });
  }
}
