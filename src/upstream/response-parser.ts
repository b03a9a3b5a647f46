// Responses of HTTP/1 as they come over one connection: heads, framing (RFC 9112 section 6.3) and bodies, strictly.
// Guarantees: what two parsers could read in two ways is refused; nothing is copied or held but the begin of a line;
// every split of the bytes gives the same result. Assumes the sink copies what it keeps. Hot.
import { NameCache } from '#model/name-cache.ts';
import { BAD_CHUNK, ChunkedBody, STEP_DATA, STEP_END, STEP_FAULT } from './chunked-body.ts';
import { contentLengthOf } from './content-length.ts';
import { FAULTY, HeadParser, MORE, type ParseFault } from './response-head-parser.ts';

/** Told what a response consists of, in its order. It may call `abandon` of the parser at any time. */
export interface ResponseSink {
  /** RFC 9110 section 15.2; never 100 or 101. `fields`: name, value … as spelled. */
  interim(status: number, fields: readonly string[]): void;
  head(status: number, fields: readonly string[]): void;
  /** A small body that came whole with its head, in latin1; instead of `data`. */
  whole(text: string): void;
  /** `bytes` is reused after the call. */
  data(bytes: Buffer, from: number, to: number): void;
  end(): void;
}

const HEAD = 0;
const LENGTH = 1;
const UNTIL_CLOSE = 2;
const CHUNKED = 3;
const OVER = 4;

const MAX_INTERIM = 16;
/** A body up to this size that came with its head can leave with it, in one write. */
const WHOLE_BYTES = 16 * 1024;
const MAX_KEEP_ALIVE_MS = 600_000;

const NO_FRAMING = 0;
const CONTENT_LENGTH = 1;
const TRANSFER_ENCODING = 2;
const CONNECTION = 3;
const KEEP_ALIVE = 4;
const KINDS: ReadonlyMap<string, number> = new Map([
  ['content-length', CONTENT_LENGTH],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['connection', CONNECTION],
  ['keep-alive', KEEP_ALIVE],
]);
/** Of all parsers: what a name says does not depend on who sends it. */
const FRAMING = new NameCache((name) => KINDS.get(name.toLowerCase()) ?? NO_FRAMING);

export class ResponseParser {
  /** Whether the upstream lets the connection be used again, and nothing came after the end. */
  reusable = false;
  /** Of a `Keep-Alive` header; else negative. */
  keepAliveMs = -1;
  readonly #sink: ResponseSink;
  readonly #head = new HeadParser();
  readonly #chunks = new ChunkedBody();
  #state = OVER;
  #ofHead = false;
  #interims = 0;
  /** Of a body of known length, what is still to come. */
  #remaining = 0;
  #chunked = false;
  #length = -1;
  #close = false;

  constructor(sink: ResponseSink) {
    this.#sink = sink;
  }

  /** Before each request. `ofHead`: its method is HEAD. */
  begin(ofHead: boolean): void {
    this.#ofHead = ofHead;
    this.#interims = 0;
    this.#state = HEAD;
    this.#beginHead();
  }

  #beginHead(): void {
    this.#head.begin();
    this.reusable = false;
    this.keepAliveMs = -1;
    this.#chunked = false;
    this.#length = -1;
    this.#close = false;
  }

  /** Nothing more is told. */
  abandon(): void {
    this.#state = OVER;
    this.#head.clear();
  }

  /** A fault ends it: the connection is of no use any more. */
  feed(chunk: Buffer, length: number): ParseFault {
    let bytes = chunk;
    let end = length;
    let at = 0;
    while (this.#state === HEAD) {
      if (at === end) return null;
      at = this.#head.feed(bytes, at, end);
      if (at === MORE) return null;
      const fault = at === FAULTY ? this.#head.fault : this.#headComplete();
      if (fault !== null) return fault;
      ({ bytes, end } = this.#head);
      if ((this.#state as number) === OVER) return null;
      // Told here, where the body that came with it is at hand.
      if (this.#state !== HEAD) return this.#firstBody(bytes, at, end);
    }
    return this.#body(bytes, at, end);
  }

  /** The connection ended cleanly. Null: so did the response. */
  finish(): ParseFault {
    if (this.#state === OVER) return null;
    if (this.#state === UNTIL_CLOSE) {
      this.#complete();
      return null;
    }
    return this.#state === HEAD ? 'SOCKET_CLOSED' : 'BODY_TRUNCATED';
  }

  #headComplete(): ParseFault {
    const { status, fields } = this.#head;
    const fault = this.#readFraming(fields);
    if (fault !== null) return fault;
    if (status < 200) return this.#interim(status);
    this.#state = this.#stateOfBody(status);
    return null;
  }

  #interim(status: number): ParseFault {
    if (status === 101) return 'BAD_UPGRADE';
    if (status === 100 || this.#close || ++this.#interims > MAX_INTERIM) return 'BAD_INTERIM';
    if (this.#chunked) return 'BAD_TRANSFER_ENCODING';
    if (this.#length !== -1) return 'BAD_CONTENT_LENGTH';
    const { fields } = this.#head;
    this.#beginHead();
    this.#sink.interim(status, fields);
    return null;
  }

  #stateOfBody(status: number): number {
    const framed = this.#chunked || this.#length !== -1;
    this.reusable = !this.#close && this.#head.minor === 1;
    this.#remaining = 0;
    if (this.#ofHead) return LENGTH;
    if (status === 204 || status === 304) {
      // An upstream that says there is a body may send one.
      if (this.#chunked || this.#length > 0) this.reusable = false;
      return LENGTH;
    }
    if (this.#chunked) {
      this.#chunks.begin();
      return CHUNKED;
    }
    if (!framed) {
      this.reusable = false;
      return UNTIL_CLOSE;
    }
    this.#remaining = this.#length;
    return LENGTH;
  }

  #readFraming(fields: readonly string[]): ParseFault {
    for (let i = 0; i < fields.length; i += 2) {
      const kind = FRAMING.of(fields[i] as string);
      if (kind === NO_FRAMING) continue;
      const value = fields[i + 1] as string;
      switch (kind) {
        case CONTENT_LENGTH:
          if (this.#length !== -1) return 'BAD_CONTENT_LENGTH';
          this.#length = contentLengthOf(value);
          if (this.#length === -1) return 'BAD_CONTENT_LENGTH';
          break;
        case TRANSFER_ENCODING:
          if (this.#chunked || value.toLowerCase() !== 'chunked') return 'BAD_TRANSFER_ENCODING';
          this.#chunked = true;
          break;
        case CONNECTION:
          if (value !== 'keep-alive' && saysClose(value)) this.#close = true;
          break;
        case KEEP_ALIVE:
          this.keepAliveMs = timeoutOf(value);
          break;
      }
    }
    if (!this.#chunked) return null;
    if (this.#head.minor === 0) return 'BAD_TRANSFER_ENCODING';
    return this.#length === -1 ? null : 'BAD_CONTENT_LENGTH';
  }

  #firstBody(bytes: Buffer, at: number, end: number): ParseFault {
    const remaining = this.#remaining;
    this.#sink.head(this.#head.status, this.#head.fields);
    if (this.#state === LENGTH && remaining > 0 && remaining <= WHOLE_BYTES && remaining <= end - at) {
      this.#remaining = 0;
      this.#sink.whole(bytes.toString('latin1', at, at + remaining));
      return this.#body(bytes, at + remaining, end);
    }
    return this.#body(bytes, at, end);
  }

  #body(bytes: Buffer, from: number, end: number): ParseFault {
    if (this.#state === CHUNKED) return this.#chunkedBody(bytes, from, end);
    let at = from;
    if (this.#state === UNTIL_CLOSE) {
      if (at < end) this.#sink.data(bytes, at, end);
      return null;
    }
    if (this.#state !== LENGTH) return null;
    if (this.#remaining > 0 && at < end) {
      const to = Math.min(end, at + this.#remaining);
      this.#remaining -= to - at;
      this.#sink.data(bytes, at, to);
      at = to;
    }
    if (this.#remaining === 0 && (this.#state as number) === LENGTH) this.#end(at, end);
    return null;
  }

  #chunkedBody(bytes: Buffer, from: number, end: number): ParseFault {
    const chunks = this.#chunks;
    let at = from;
    while (this.#state === CHUNKED && at < end) {
      const step = chunks.step(bytes, at, end);
      if (step === STEP_FAULT) return BAD_CHUNK;
      at = chunks.to;
      if (step === STEP_DATA) this.#sink.data(bytes, chunks.from, at);
      else if (step === STEP_END) this.#end(at, end);
    }
    return null;
  }

  #end(at: number, end: number): void {
    // Class 21: whatever follows is nobody's answer.
    if (at < end) this.reusable = false;
    this.#complete();
  }

  #complete(): void {
    this.abandon();
    this.#sink.end();
  }
}

function saysClose(value: string): boolean {
  const text = value.toLowerCase();
  return text.includes('close') && text.split(',').some((option) => option.trim() === 'close');
}

/** Milliseconds of `timeout=5, max=100`; negative where it says nothing of use. */
function timeoutOf(value: string): number {
  const match = /(?:^|,)[\t ]*timeout=([0-9]{1,9})[\t ]*(?:,|$)/i.exec(value);
  return match === null ? -1 : Math.min(Number(match[1]) * 1000, MAX_KEEP_ALIVE_MS);
}
