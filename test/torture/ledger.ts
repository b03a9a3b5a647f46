// What the two ends of the gateway saw with their own eyes: the upstream's list of requests, the clients' list of
// answers. The judge holds both against the journal. Grows with the run; nothing is forgotten.

export interface Answered {
  readonly kill: number;
  /** The first byte of it, and the last; null for what never ended. Of `performance.now`. */
  readonly firstAtMs: number;
  wholeAtMs: number | null;
  status: number;
  /** No credential: such refusals may be summed. */
  readonly anonymous: boolean;
}

/** An answer to bytes that name no path: only its own header says which record is its. */
interface LooseAnswer {
  readonly kill: number;
  readonly requestId: string;
  readonly sent: string;
}

export class Ledger {
  /** By the upstream: the gateway's request id, and the path that came with it. */
  readonly received = new Map<string, string>();
  /** Requests without an id: a gateway that forwards those has lost its way. */
  readonly receivedWithoutId: string[] = [];
  /** By path, which is different for every request of the whole run. */
  readonly answered = new Map<string, Answered>();
  readonly loose: LooseAnswer[] = [];
  /** When each kill struck, by its number; `performance.now`. */
  readonly struckAtMs: number[] = [];
  /** By kill: how it was done. */
  readonly manners: string[] = [];
  forwarded = 0;
  /** The kill that is next. */
  kill = 0;
  #serial = 0;

  /** A path that no other request has: it says which kill it came before. */
  path(prefix: string): string {
    this.#serial += 1;
    return `${prefix}/k${this.kill}-${this.#serial.toString(36)}`;
  }

  saw(requestId: string | undefined, path: string): void {
    this.forwarded += 1;
    if (requestId === undefined) this.receivedWithoutId.push(path);
    else this.received.set(requestId, path);
  }

  /** The first byte of an answer has come. */
  answerBegan(path: string, anonymous: boolean): Answered {
    let answered = this.answered.get(path);
    if (answered === undefined) {
      answered = { kill: this.kill, firstAtMs: performance.now(), wholeAtMs: null, status: 0, anonymous };
      this.answered.set(path, answered);
    }
    return answered;
  }

  looseAnswer(text: string, sent: string): void {
    const requestId = /\r\nx-request-id: ([0-9a-f-]{36})\r\n/i.exec(text)?.[1];
    if (requestId !== undefined) this.loose.push({ kill: this.kill, requestId, sent });
  }
}
