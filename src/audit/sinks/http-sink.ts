// Posts batches of records as NDJSON, compressed and signed as Standard Webhooks describes. Runs in the worker.
// Guarantees: order; nothing is dropped, whatever the receiver answers; a batch that is tried again has the same
// `webhook-id` and the same body. Assumes options that the configuration has checked.
import { createHmac, hash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { BatchSize } from './batch-size.ts';
import { createHttpPost, refusedBy } from './http-post.ts';
import { recordText } from './ndjson.ts';
import type { Sink } from './sink.ts';
import type { HttpOptions } from './sink-options.ts';

const SECRET_PREFIX = 'whsec_';

export interface HttpSinkDeps {
  /** Epoch milliseconds: the receiver compares them with its own clock. */
  readonly now: () => number;
}

/** One record, encoded once: what is retried is not encoded again. */
export interface HttpLine {
  readonly id: string;
  /** With its newline. */
  readonly text: string;
  readonly bytes: number;
}

/** What is sent, and sent again until it is taken. */
interface Request {
  readonly batch: readonly HttpLine[];
  readonly from: number;
  readonly count: number;
  readonly id: string;
  readonly body: Buffer;
}

export function createHttpSink(
  options: HttpOptions,
  deps: HttpSinkDeps = { now: Date.now },
): Sink<readonly HttpLine[]> {
  const { compression, format, maxRecords, secret } = options;
  const post = createHttpPost(options);
  const key = signatureKeyOf(secret);
  const size = new BatchSize(maxRecords);
  let request: Request | null = null;
  return {
    encode: (records) =>
      records.map((record) => {
        const text = `${recordText(record, format)}\n`;
        return { id: record.id, text, bytes: Buffer.byteLength(text) };
      }),
    async write(batch, from) {
      if (request?.batch !== batch || request.from !== from) {
        const lines = batch.slice(from, size.endOf(batch, from));
        request = {
          batch,
          from,
          count: lines.length,
          id: batchIdOf(lines),
          body: bodyOf(lines, compression),
        };
      }
      const { count, id, body } = request;
      const answer = await post.send(body, {
        'content-type': 'application/x-ndjson',
        ...(compression === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
        ...signatureOf(key, id, { body, epochMs: deps.now() }),
      });
      const isTaken = answer.status >= 200 && answer.status < 300;
      const isCutAgain = size.isTooLarge(answer.status, count);
      if (isTaken) size.grow();
      if (isTaken || isCutAgain) request = null;
      else throw refusedBy(answer);
      return isTaken ? count : 0;
    },
    sync: () => Promise.resolve(),
    reopen: () => undefined,
    close() {
      post.close();
      return Promise.resolve();
    },
  };
}

function bodyOf(lines: readonly HttpLine[], compression: HttpOptions['compression']): Buffer {
  let text = '';
  for (const line of lines) text += line.text;
  const plain = Buffer.from(text, 'utf8');
  return compression === 'gzip' ? gzipSync(plain) : plain;
}

/** The same for the same records, whoever sends them and however often. Without dots, which part what is signed. */
function batchIdOf(lines: readonly HttpLine[]): string {
  const text = `${lines[0]?.id}\n${lines.at(-1)?.id}\n${lines.length}`;
  return `msg_${hash('sha256', text, 'hex').slice(0, 32)}`;
}

/** Standard Webhooks 1.0.0, symmetric: over the bytes of the wire, so that they are checked before they are unpacked. */
function signatureOf(
  key: Buffer,
  id: string,
  { body, epochMs }: { readonly body: Buffer; readonly epochMs: number },
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(epochMs / 1000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}

function signatureKeyOf(secret: string): Buffer {
  return secret.startsWith(SECRET_PREFIX)
    ? Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64')
    : Buffer.from(secret, 'utf8');
}
