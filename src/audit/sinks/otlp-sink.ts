// Ships records to an OpenTelemetry collector: OTLP 1.x logs over HTTP, JSON encoding. Runs in the worker.
// Guarantees: order; nothing is dropped, whatever the collector answers. The specification lets an exporter drop what a
// collector calls bad; an audit prefers delay to loss, so it is told, counted, and offered again.
// Assumes options that the configuration has checked.
import { gzipSync } from 'node:zlib';
import { BatchSize } from './batch-size.ts';
import { createHttpPost, DeliveryError, type PostAnswer, refusedBy } from './http-post.ts';
import { exportRequest, type LogRecord, logRecordOf } from './otlp-logs.ts';
import type { Sink } from './sink.ts';
import type { OtlpOptions } from './sink-options.ts';

/** Records are alike: a sixth more bytes than at the usual 6 for two fifths of the processor time. */
const GZIP_LEVEL = 3;

export interface OtlpSinkDeps {
  /** Epoch milliseconds. */
  readonly now: () => number;
}

export function createOtlpSink(
  options: OtlpOptions,
  deps: OtlpSinkDeps = { now: Date.now },
): Sink<readonly LogRecord[]> {
  const post = createHttpPost({ ...options, url: logsUrl(options.url), keepAnswer: true });
  const isZipped = options.compression === 'gzip';
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    ...(isZipped ? { 'content-encoding': 'gzip' } : {}),
  };
  const size = new BatchSize(options.maxRecords);
  return {
    encode(records) {
      const observedAt = deps.now();
      return records.map((record) => logRecordOf(record, options.format, observedAt));
    },
    async write(batch, from) {
      const records = batch.slice(from, size.endOf(batch, from));
      const text = Buffer.from(exportRequest(records, options.resource), 'utf8');
      const answer = await post.send(isZipped ? gzipSync(text, { level: GZIP_LEVEL }) : text, headers);
      if (size.isTooLarge(answer.status, records.length)) return 0;
      requireTaken(answer);
      size.grow();
      return records.length;
    },
    sync: () => Promise.resolve(),
    reopen: () => undefined,
    close() {
      post.close();
      return Promise.resolve();
    },
  };
}

/** Where nothing but the collector is named, the path is the one the specification gives to logs. */
function logsUrl(configured: string): string {
  const url = new URL(configured);
  if (url.pathname === '/') url.pathname = '/v1/logs';
  return url.href;
}

/** A collector may answer 200 and yet have refused some of the records: never taken for delivered. */
function requireTaken(answer: PostAnswer): void {
  if (answer.status < 200 || answer.status > 299) throw refusedBy(answer);
  const rejected = rejectedIn(answer.body?.toString('utf8') ?? '');
  if (rejected === null) throw new DeliveryError('otlp_answer');
  if (rejected > 0) throw new DeliveryError('otlp_rejected');
}

/** How many it refused; null for an answer that no collector gives, such as the page of a proxy that asks for a login. */
function rejectedIn(text: string): number | null {
  if (text.trim() === '') return 0;
  const answer = parsed(text);
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return null;
  const { partialSuccess, partial_success } = answer as Record<string, unknown>;
  const partial = partialSuccess ?? partial_success;
  if (partial === undefined || partial === null) return 0;
  if (typeof partial !== 'object') return null;
  const { rejectedLogRecords, rejected_log_records } = partial as Record<string, unknown>;
  const count = Number(rejectedLogRecords ?? rejected_log_records ?? 0);
  return Number.isFinite(count) ? count : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
