// The traffic that a gateway has while it is killed: many kinds of requests over kept connections, some alone, some
// that stream, some that break off. Every request has a path of its own; both ends note what they see of it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../support/torture-random.ts';
import { Lane } from './lane.ts';
import type { Ledger } from './ledger.ts';

export interface LoadOptions {
  readonly port: number;
  /** Bearer tokens of several people. */
  readonly tokens: readonly string[];
  /** Hosts: of tenants with a grant, and of one without. */
  readonly hosts: readonly string[];
  readonly lanes: number;
  /** Refusals without a principal per second, at most: few enough for lines of their own, or a flood of them. */
  readonly anonymousPerSecond: number;
}

export interface Load {
  /** No new requests; resolves when those that run have ended. */
  finish(): Promise<void>;
  /** Resolves when every connection is gone, which the end of the gateway brings about. */
  stop(): Promise<void>;
}

const THINK_MS = 8;
/** What the gateway gives lines of their own: `audit.anonymousPerSecond`. */
export const FLOOD_PER_SECOND = 100;
const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

export function startLoad(options: LoadOptions, ledger: Ledger, random: Random): Load {
  const client = new Client(options, ledger, random);
  const lanes = Array.from({ length: options.lanes }, () => client.run());
  const ended = Promise.all(lanes).then(() => undefined);
  return {
    finish() {
      client.running = false;
      return ended;
    },
    stop() {
      client.running = false;
      client.leave();
      return ended;
    },
  };
}

type Kind = (lane: Lane) => Promise<unknown>;

class Client {
  running = true;
  readonly #options: LoadOptions;
  readonly #ledger: Ledger;
  readonly #random: Random;
  readonly #lanes = new Set<Lane>();
  readonly #kinds: readonly Kind[];
  #second = -1;
  #anonymous = 0;

  constructor(options: LoadOptions, ledger: Ledger, random: Random) {
    this.#options = options;
    this.#ledger = ledger;
    this.#random = random;
    const often: readonly (readonly [number, Kind])[] = [
      [44, (lane) => this.#get(lane, '/t')],
      [10, (lane) => this.#get(lane, '/slow')],
      [10, (lane) => this.#get(lane, '/exports')],
      [12, (lane) => this.#post(lane)],
      [6, (lane) => this.#burst(lane)],
      [4, (lane) => this.#anonymousGet(lane)],
      [options.anonymousPerSecond > FLOOD_PER_SECOND ? 40 : 0, (lane) => this.#anonymousBurst(lane)],
      [3, () => this.#malformed()],
      [3, () => this.#events()],
      [3, () => this.#webSocket()],
      [3, () => this.#brokenUpload()],
      [2, () => this.#goneBeforeTheAnswer()],
    ];
    this.#kinds = often.flatMap(([weight, kind]) => Array.from({ length: weight }, () => kind));
  }

  async run(): Promise<void> {
    let lane = this.#open();
    while (this.running) {
      if (lane.over) {
        await sleep(2);
        lane = this.#open();
      }
      await this.#random.pick(this.#kinds)(lane);
      await sleep(this.#random.next() * THINK_MS);
    }
    lane.leave(false);
  }

  leave(): void {
    for (const lane of this.#lanes) lane.leave(false);
  }

  #open(): Lane {
    for (const lane of this.#lanes) if (lane.over) this.#lanes.delete(lane);
    const lane = new Lane(this.#options.port, this.#ledger);
    this.#lanes.add(lane);
    return lane;
  }

  #head(line: string, more: readonly string[] = [], credential = true): string {
    const { hosts, tokens } = this.#options;
    const headers = [`Host: ${this.#random.pick(hosts)}`, 'User-Agent: torture/1', ...more];
    if (credential) headers.push(`Authorization: Bearer ${this.#random.pick(tokens)}`);
    return `${line} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`;
  }

  #get(lane: Lane, prefix: string): Promise<unknown> {
    const path = this.#ledger.path(prefix);
    return lane.ask({ path, bytes: this.#head(`GET ${path}`) });
  }

  #post(lane: Lane): Promise<unknown> {
    const path = this.#ledger.path('/t');
    const body = 'x'.repeat(this.#random.whole(1, 6000));
    const head = this.#head(`POST ${path}`, ['Content-Type: text/plain', `Content-Length: ${body.length}`]);
    return lane.ask({ path, bytes: head + body });
  }

  #burst(lane: Lane): Promise<unknown> {
    return Promise.all(Array.from({ length: 4 }, () => this.#get(lane, '/t')));
  }

  async #anonymousGet(lane: Lane): Promise<unknown> {
    if (!this.#mayBeAnonymous()) return this.#get(lane, '/t');
    const path = this.#ledger.path('/t');
    const bytes =
      this.#random.next() < 0.5 ? this.#head(`GET ${path}`, [], false) : badToken(this.#head(`GET ${path}`));
    return lane.ask({ path, bytes, anonymous: true });
  }

  #anonymousBurst(lane: Lane): Promise<unknown> {
    return Promise.all(Array.from({ length: 8 }, () => this.#anonymousGet(lane)));
  }

  async #malformed(): Promise<void> {
    if (!this.#mayBeAnonymous()) return;
    const bytes = this.#random.pick(MALFORMED);
    const lane = this.#open();
    await Promise.race([lane.ask({ path: null, bytes }), sleep(500)]);
    lane.leave(false);
  }

  async #events(): Promise<void> {
    const path = this.#ledger.path('/events');
    const lane = this.#open();
    await Promise.race([
      lane.ask({ path, bytes: this.#head(`GET ${path}`, ['Accept: text/event-stream']) }),
      sleep(this.#random.whole(5, 400)),
    ]);
    lane.leave(this.#random.next() < 0.5);
  }

  async #webSocket(): Promise<void> {
    const path = this.#ledger.path('/ws');
    const lane = this.#open();
    const upgrade = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${KEY}`,
    ];
    void lane.ask({ path, bytes: this.#head(`GET ${path}`, upgrade) });
    await sleep(this.#random.whole(5, 400));
    lane.leave(this.#random.next() < 0.5);
  }

  /** Half a body, and away. */
  async #brokenUpload(): Promise<void> {
    const path = this.#ledger.path('/t');
    const lane = this.#open();
    const head = this.#head(`POST ${path}`, ['Content-Type: text/plain', 'Content-Length: 100000']);
    void lane.ask({ path, bytes: head + 'x'.repeat(this.#random.whole(0, 40_000)) });
    await sleep(this.#random.whole(0, 30));
    lane.leave(this.#random.next() < 0.5);
  }

  async #goneBeforeTheAnswer(): Promise<void> {
    const lane = this.#open();
    void this.#get(lane, '/slow');
    await sleep(this.#random.whole(0, 15));
    lane.leave(this.#random.next() < 0.5);
  }

  #mayBeAnonymous(): boolean {
    const second = Math.floor(performance.now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#anonymous = 0;
    }
    this.#anonymous += 1;
    return this.#anonymous <= this.#options.anonymousPerSecond;
  }
}

function badToken(head: string): string {
  return head.replace(/\r\n\r\n$/, 'x\r\n\r\n');
}

const MALFORMED: readonly string[] = [
  'GET\r\n\r\n',
  'nonsense\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
  'GET /a HTTP/9.9\r\nHost: acme.app.test\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost : acme.app.test\r\n\r\n',
  'POST /a HTTP/1.1\r\nHost: acme.app.test\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'CONNECT acme.app.test:443 HTTP/1.1\r\nHost: acme.app.test\r\n\r\n',
  `GET /a HTTP/1.1\r\nHost: acme.app.test\r\nX-Long: ${'x'.repeat(40_000)}\r\n\r\n`,
  'GET /%zz HTTP/1.1\r\nHost: acme.app.test\r\nConnection: close\r\n\r\n',
];
