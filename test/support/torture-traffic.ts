// Traffic for gates whose journal is in trouble, and what must be true of them whatever the trouble was: nothing was
// forwarded without its intent, every answer is accounted for, the chain holds, the tenants' numbers have no hole.
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Gate } from './gate.ts';
import { type Answer, answerOn, dial, headFor } from './gate-traffic.ts';
import type { RecordingUpstream } from './recording-upstream.ts';
import { type JournalFacts, readJournalFacts } from './torture-journal.ts';

export interface Answers {
  /** By status and reason: `200`, `503 audit_unavailable`. */
  readonly counts: Readonly<Record<string, number>>;
}

/** So many requests over so many connections at once, each waiting for its answers in turn. */
export async function askMany(gate: Gate, lines: readonly string[], connections = 8): Promise<Answers> {
  const counts: Record<string, number> = {};
  const waiting = [...lines];
  await Promise.all(
    Array.from({ length: Math.min(connections, lines.length) }, async () => {
      for (let line = waiting.shift(); line !== undefined; line = waiting.shift()) {
        const { status, reason } = await askOn(gate, line);
        const key = reason === '' ? `${status}` : `${status} ${reason}`;
        counts[key] = (counts[key] ?? 0) + 1;
      }
    }),
  );
  return { counts };
}

async function askOn(gate: Gate, line: string): Promise<Answer> {
  using client = await dial(gate);
  client.send(await headFor(gate, line, ['Connection: close', 'Content-Length: 0']));
  return await answerOn(client);
}

/** Lines of requests, two in three of them allowed. */
export function someLines(count: number, name: string): string[] {
  return Array.from({ length: count }, (_, index) =>
    index % 3 === 2 ? `GET /exports/${name}-${index}` : `GET /allowed/${name}-${index}`,
  );
}

/** Of what the upstream received. */
export function forwardedIds({ requests }: RecordingUpstream): string[] {
  return requests.map(
    ({ headers, target }) =>
      headers.find(([name]) => name.toLowerCase() === 'x-request-id')?.[1] ?? `${target} without an id`,
  );
}

export function factsOf(gate: Gate): JournalFacts {
  return readJournalFacts(join(gate.folder, 'audit'), { open: true });
}

export const UNAVAILABLE = '503 audit_unavailable';

export async function readiness(gate: Gate): Promise<unknown> {
  return (await fetch(`http://127.0.0.1:${gate.opsPort}/readyz`)).json();
}

/** Asks until the gate serves again; resolves with how many were refused before that. */
export async function untilServing(gate: Gate): Promise<number> {
  const until = performance.now() + 10_000;
  for (let refused = 0; performance.now() < until; refused++) {
    const { counts } = await askMany(gate, ['GET /allowed/again']);
    if (counts['200'] === 1) return refused;
    expect(counts).toEqual({ [UNAVAILABLE]: 1 });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('the gate does not serve again');
}

/** Stops the gate, and reads what is left. */
export async function stoppedFacts(gate: Gate, upstream: RecordingUpstream): Promise<JournalFacts> {
  await gate.postern.drain(1000);
  const facts = readJournalFacts(join(gate.folder, 'audit'));
  expect(facts.problems).toEqual([]);
  expect(facts.doubled).toEqual([]);
  expect(forwardedIds(upstream).filter((id) => !facts.intents.has(id))).toEqual([]);
  expect([...facts.intents.keys()].filter((id) => !facts.done.has(id))).toEqual([]);
  return facts;
}
