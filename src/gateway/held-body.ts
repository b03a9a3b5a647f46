// A body held so that the policy's rules can see it, then forwarded byte for byte. Guarantees: bounded memory; what was
// read in part is never forwarded; one body is held at most once, and does not come drop by drop for ever. Not hot: only
// where a rule asked for it.
import type { IncomingMessage } from 'node:http';
import type { DenialCode } from '#model/reason.ts';
import { type Denial, deny, NEEDS_BODY, type Verdict } from '#model/verdict.ts';
import type { Exchange } from './exchange.ts';

/** Judges, and where a rule has to see the body judges again with it. */
export function judgeWithBody(x: Exchange, judge: (x: Exchange) => Verdict): Verdict | Promise<Verdict> {
  const verdict = judge(x);
  return verdict === NEEDS_BODY && x.body === null ? holdThenJudge(x, judge) : verdict;
}

async function holdThenJudge(x: Exchange, judge: (x: Exchange) => Verdict): Promise<Verdict> {
  return (await holdBody(x)) ?? judge(x);
}

/** A rule in shadow mode must not stop a request: a body it would have to wait for without an end stays unread. */
export async function holdForShadow(x: Exchange): Promise<Denial | null> {
  if (x.head.contentLength > 0) return holdBody(x);
  return readHeld(x, null);
}

/**
 * Null when `x.body` says what there is to say of the body, be it that it is too large; a denial when the body did not
 * come: the exchange then has nothing to wait for.
 */
export async function holdBody(x: Exchange): Promise<Denial | null> {
  const { req, settings } = x;
  if (req === null || settings === null) return deny('bad_framing');
  // A chunked body is counted here only: what was held is sent on as it is.
  const limit = Math.min(settings.maxInspectedBytes, x.maxBodyBytes);
  // What is declared to be too large is not read at all; it may still be forwarded if no rule has to see it.
  if (x.head.contentLength > limit) return readHeld(x, null);
  // Whoever waits for it would wait for ever: no later check can pass without the body.
  if (x.expectsContinue) x.res?.writeContinue();
  const bytes = await readAll(x, req, limit);
  // Cut, or its client gone, while it waited: its record is written, and nothing of it changes any more.
  if (x.phase !== 'judging') return deny('client_closed');
  if (bytes === 'body_too_large') {
    // Its beginning is gone, so whatever the rules say by then, it cannot be forwarded.
    x.brokenBody = 'body_too_large';
    return readHeld(x, null);
  }
  if (typeof bytes === 'string') return deny(bytes);
  x.heldBody = bytes;
  return readHeld(x, bytes);
}

/**
 * The whole body, for the gate itself; a denial when more than `maxBytes` came or it did not come. What was read in part
 * is never forwarded, since nothing of this exchange is.
 */
export async function readBody(x: Exchange, maxBytes: number): Promise<Buffer | Denial> {
  if (x.req === null) return deny('bad_framing');
  if (x.expectsContinue) x.res?.writeContinue();
  const bytes = await readAll(x, x.req, maxBytes);
  if (x.phase !== 'judging') return deny('client_closed');
  return typeof bytes === 'string' ? deny(bytes) : bytes;
}

async function readHeld(x: Exchange, bytes: Buffer | null): Promise<Denial | null> {
  const { policy, settings, head } = x;
  if (policy === null || settings === null) return deny('policy_unavailable');
  const { contentType, contentEncoding } = head;
  x.body = await policy.readBody({
    bytes,
    contentType,
    contentEncoding,
    maxBytes: settings.maxInspectedBytes,
  });
  return null;
}

type Unread = Extract<DenialCode, 'body_too_large' | 'request_timeout' | 'client_closed' | 'overloaded'>;

/** What must come within the idle timeout, unless less than this is left: a byte now and then is no progress. */
const PROGRESS_BYTES = 16 * 1024;

/** By events: an iterator that is left early destroys the request, and its connection before it can be answered. */
function readAll(x: Exchange, req: IncomingMessage, limit: number): Promise<Buffer | Unread> {
  const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<typeof readAll>>>();
  const chunks: Buffer[] = [];
  let progress = 0;
  const timer = setTimeout(() => refuse('request_timeout'), x.idleTimeoutMs);
  function refuse(reason: Unread): void {
    req.off('data', onData).pause();
    clearTimeout(timer);
    resolve(reason);
  }
  function onData(chunk: Buffer): void {
    x.bytesIn += chunk.length;
    if (!x.events.holds(x, chunk.length)) {
      refuse('overloaded');
      return;
    }
    chunks.push(chunk);
    progress += chunk.length;
    if (progress >= PROGRESS_BYTES) {
      progress = 0;
      timer.refresh();
    }
    if (x.bytesIn > limit) refuse('body_too_large');
  }
  req.on('data', onData);
  req.once('end', () => {
    clearTimeout(timer);
    resolve(Buffer.concat(chunks));
  });
  // Without an end before it: the connection's close has ended the exchange.
  req.once('close', () => refuse('client_closed'));
  return promise;
}
