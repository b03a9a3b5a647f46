// Keeps garbage from filling the disk: refusals without a principal beyond a rate are summed per quarter of a second,
// reason and client network into one counted record each. Bounded in memory whatever comes in.
// Warm: asked once per refusal without a principal; free of allocation below the rate.
import type { Clock } from '#model/clock.ts';
import type { ExchangeFacts } from '#model/exchange.ts';
import type { ReasonCode } from '#model/reason.ts';
import { clientNetwork } from './client-network.ts';
import type { SummedLine } from './journal-lines.ts';
import { asciiJson } from './json-text.ts';
import { uuid7 } from './uuid7.ts';

/** Answers wait so long for their sum to be written; the rate of sums is bounded by it. */
const SUM_MS = 250;
/** Beyond so many different sums at once the rest shares one network, `other`. */
const MAX_SUMS = 1024;

export class RefusalSummary {
  /** Sums that `take` would return. */
  size = 0;
  readonly #perSecond: number;
  readonly #clock: Clock;
  readonly #sums = new Map<ReasonCode, Map<string, number>>();
  #second = -1;
  #admitted = 0;
  #since = 0;
  #isTimed = false;

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** True while the refusal deserves a line of its own. */
  admits(): boolean {
    const second = Math.floor(this.#clock.monotonic() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#admitted = 0;
    }
    this.#admitted += 1;
    return this.#admitted <= this.#perSecond;
  }

  /** `due` is called once, a quarter of a second after the first that was added since the sums were taken. */
  add(x: ExchangeFacts, due: () => void): void {
    this.#dueAfterASecond(due);
    if (this.size === 0) this.#since = this.#clock.now();
    let sums = this.#sums.get(x.reason);
    if (sums === undefined) {
      sums = new Map();
      this.#sums.set(x.reason, sums);
    }
    let network = clientNetwork(x.clientIp);
    if (this.size >= MAX_SUMS && !sums.has(network)) network = 'other';
    const count = sums.get(network);
    if (count === undefined) this.size += 1;
    sums.set(network, (count ?? 0) + 1);
  }

  #dueAfterASecond(due: () => void): void {
    if (this.#isTimed) return;
    this.#isTimed = true;
    setTimeout(() => {
      this.#isTimed = false;
      due();
    }, SUM_MS).unref();
  }

  /** The lines for what was summed, and a new start. */
  take(): string {
    let text = '';
    for (const [code, sums] of this.#sums) {
      for (const [network, count] of sums) {
        const line: SummedLine = {
          k: 'summed',
          id: uuid7(this.#since),
          t: this.#since,
          code,
          network,
          count,
        };
        text += `${asciiJson(line)}\n`;
      }
    }
    this.#sums.clear();
    this.size = 0;
    return text;
  }
}
