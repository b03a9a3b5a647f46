// `npm run bench:revoke`: from the call that revokes a grant to the last byte of a thousand live streams of it, event
// streams, WebSockets, downloads and uploads in equal parts, each paced at ten messages or 64 KiB a second. Measured at
// the gate's own writes of what it forwards; its own last words and the peers, whose buffers hold what it had written
// before, for comparison. Fails when the 99th percentile of any round is over the limit, or when one byte was forwarded
// after the call's answer.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startStreamMix, STREAM_KINDS, type StreamMix } from '../test/support/stream-mix.ts';
import { processMs } from '../test/support/written-bytes.ts';
import type { RevocableGate, RevokeReport } from './candidates/revocable.ts';
import { median } from './statistics.ts';

/** Issue 5: p99 under 50 ms. */
const LIMIT_MS = 50;

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
  },
});
const streams = Number(values.streams);
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);

interface Round {
  readonly callMs: number;
  /** From the call to the last byte that the gate forwarded over each of its sockets. */
  readonly written: Spread;
  /** From the call to our last word on any of them. */
  readonly lastWordMs: number;
  /** From the call to the last byte that each peer saw. */
  readonly seen: Spread;
  /** From the call until each client's connection was over. */
  readonly closed: Spread;
  readonly bytesAfter: number;
}

interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** A socket that wrote nothing after the call was over at once. */
function spread(times: readonly number[], from: number): Spread {
  const sorted = times.map((at) => Math.max(0, at - from)).toSorted((a, b) => a - b);
  const at = (q: number): number =>
    sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

async function ask<T>(child: ChildProcess, what: string): Promise<T> {
  child.send(what);
  const [answer] = (await once(child, 'message')) as [T];
  return answer;
}

async function control(gate: RevocableGate, path: string, body?: object): Promise<{ readonly id: string }> {
  const response = await fetch(`http://127.0.0.1:${gate.controlPort}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${gate.admin}`, 'content-type': 'application/json' },
    body: body === undefined ? '' : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as { readonly id: string };
}

const WISH = {
  audience: { org: 'vendor' },
  access: 'write',
  duration: '1h',
  caseRef: 'CASE-1',
  reason: { type: 'customer_initiated_support', detail: 'measured' },
};

async function round(child: ChildProcess, gate: RevocableGate, mix: StreamMix): Promise<Round> {
  const { id } = await control(gate, '/v1/tenants/acme/grants', WISH);
  await mix.open(gate, streams);
  await mix.turns(seconds * 10);
  await ask(child, 'clear');
  await mix.turns(2);
  const from = processMs();
  await control(gate, `/v1/grants/${id}/revoke`);
  const callMs = processMs() - from;
  await mix.closed();
  await mix.turns(3);
  const report = await ask<RevokeReport>(child, 'report');
  if (report.inFlight !== 0) throw new Error(`${report.inFlight} streams are still in flight`);
  const measured = {
    callMs,
    written: spread(report.lastWrites, from),
    lastWordMs: report.lastWordAt - from,
    seen: spread(
      mix.ends.map(({ lastAt }) => lastAt),
      from,
    ),
    closed: spread(
      mix.clients.map(({ closedAt }) => closedAt ?? Number.POSITIVE_INFINITY),
      from,
    ),
    bytesAfter: report.bytesAfter,
  };
  mix.clear();
  return measured;
}

function line(name: string, spreads: readonly Spread[]): string {
  const of = (key: keyof Spread): string => median(spreads.map((one) => one[key])).toFixed(1);
  return `${name.padEnd(34)} p50 ${of('p50')}  p99 ${of('p99')}  max ${of('max')} ms (medians of ${spreads.length} rounds)`;
}

async function main(): Promise<boolean> {
  await using mix = await startStreamMix();
  const script = fileURLToPath(new URL('./candidates/revocable.ts', import.meta.url));
  const child = spawn(process.execPath, ['--conditions=source', script, String(mix.upstreamPort)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [gate] = (await once(child, 'message')) as [RevocableGate];
  const measured: Round[] = [];
  // One more that does not count: the engine is still compiling in it.
  for (let i = 0; i <= rounds; i++) {
    const one = await round(child, gate, mix);
    if (i > 0) measured.push(one);
    console.log(
      `round ${i}: call ${one.callMs.toFixed(1)} ms, last byte forwarded p99 ${one.written.p99.toFixed(1)} ms, ` +
        `our last word ${one.lastWordMs.toFixed(1)} ms, ${one.bytesAfter} bytes forwarded after the answer`,
    );
  }
  const exited = once(child, 'exit');
  child.disconnect();
  await exited;
  console.log(`${streams} live streams, a quarter each of ${STREAM_KINDS.join(', ')}`);
  console.log(
    line(
      'call to last byte forwarded',
      measured.map((one) => one.written),
    ),
  );
  console.log(
    line(
      'call to last byte seen by a peer',
      measured.map((one) => one.seen),
    ),
  );
  console.log(
    line(
      'call to end of a connection',
      measured.map((one) => one.closed),
    ),
  );
  return measured.every(({ written, bytesAfter }) => written.p99 < LIMIT_MS && bytesAfter === 0);
}

process.exitCode = (await main()) ? 0 : 1;
