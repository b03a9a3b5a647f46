// One client connection that counts every byte it gets as an answer to the oldest request still open, whole or not.
// Guarantees: each request that was sent resolves, with its status or with null when the connection ended first.
import { connect, type Socket } from 'node:net';
import type { Ledger } from './ledger.ts';

interface Waiting {
  /** Null for bytes that name no path. */
  readonly path: string | null;
  readonly anonymous: boolean;
  readonly sent: string;
  readonly resolve: (status: number | null) => void;
}

export interface Request {
  readonly path: string | null;
  readonly bytes: string;
  readonly anonymous?: boolean;
}

export class Lane {
  readonly #socket: Socket;
  readonly #ledger: Ledger;
  readonly #waiting: Waiting[] = [];
  #text = '';
  over = false;

  constructor(port: number, ledger: Ledger) {
    this.#ledger = ledger;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', (text: string) => this.#took(text));
    this.#socket.on('close', () => this.#ended());
  }

  /** Pipelined behind what was sent before. */
  ask({ path, bytes, anonymous = false }: Request): Promise<number | null> {
    if (this.over) return Promise.resolve(null);
    return new Promise((resolve) => {
      this.#waiting.push({ path, anonymous, sent: bytes, resolve });
      this.#socket.write(bytes, 'latin1');
    });
  }

  /** Some bytes more, of a request that was begun. */
  write(bytes: string): void {
    this.#socket.write(bytes, 'latin1');
  }

  /** As whoever closes a browser: without a word when `reset`. */
  leave(reset: boolean): void {
    if (reset) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  #took(text: string): void {
    this.#text += text;
    for (;;) {
      const oldest = this.#waiting[0];
      if (oldest === undefined || this.#text === '') return;
      const entry = oldest.path === null ? null : this.#ledger.answerBegan(oldest.path, oldest.anonymous);
      const length = lengthOfAnswer(this.#text);
      if (length === null) return;
      const answer = this.#text.slice(0, length);
      const status = Number(answer.slice(9, 12));
      this.#text = this.#text.slice(length);
      if (status === 100) continue;
      if (entry === null) {
        this.#ledger.looseAnswer(answer, oldest.sent);
      } else {
        entry.status = status;
        entry.wholeAtMs = performance.now();
      }
      this.#waiting.shift();
      oldest.resolve(status);
    }
  }

  #ended(): void {
    this.over = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve(null);
  }
}

/** Null while it is not whole. What has neither a length nor chunks ends with its connection, or never. */
function lengthOfAnswer(text: string): number | null {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = text.slice(0, end + 2);
  if (head.startsWith('HTTP/1.1 1')) return head.startsWith('HTTP/1.1 101') ? null : end + 4;
  if (/\r\ntransfer-encoding: chunked\r\n/i.test(head)) {
    const last = text.indexOf('\r\n0\r\n\r\n', end + 2);
    return last < 0 ? null : last + 7;
  }
  const body = Number(/\r\ncontent-length: (\d+)\r\n/i.exec(head)?.[1] ?? 0);
  return text.length < end + 4 + body ? null : end + 4 + body;
}
