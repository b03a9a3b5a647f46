// A person is erased beside a running gateway: their fields are gone from every file of the audit directory and from
// whatever is read out of it, the chain verifies as before, and they come back as somebody new.
import { existsSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { JournalLine } from '#audit/journal-lines.ts';
import type { PublishedRecord } from '#audit/published-record.ts';
import { RecordJoiner } from '#audit/record-joiner.ts';
import { openSubjectStore } from '#audit/subjects/sqlite-subject-store.ts';
import { runAudit } from '../support/audit-command.ts';
import { type Gate, startGate } from '../support/gate.ts';
import { answerOn, ask, dial, headFor, HELLO, untilPublished } from '../support/gate-traffic.ts';
import { startRawUpstream, type Wire } from '../support/upstream-wire.ts';

const SAM = {
  sub: 'sam-4711-id',
  email: 'Sam.Spade@vendor.test',
  name: 'Sam Spadeson',
};
const AGENT = 'spade-browser/9';

interface Actor {
  readonly subject: string;
  readonly id: string | null;
}

function actor(wire: Wire): void {
  wire.socket.on('data', () => wire.send(HELLO));
}

async function startFor(port: number): Promise<Gate> {
  return startGate({ upstreamPort: port, published: true });
}

async function askAsSam(gate: Gate, target: string): Promise<Actor> {
  const { status } = await ask(gate, `GET ${target}`, [`User-Agent: ${AGENT}`], await gate.staffToken(SAM));
  expect(status).toBe(200);
  return actorOf(gate, target);
}

async function actorOf(gate: Gate, target: string): Promise<Actor> {
  const isIt = (record: Record<string, unknown>) =>
    (record['http'] as { path?: string } | undefined)?.path === target;
  const records = await untilPublished(gate, (all) => all.some(isIt));
  return records.find(isIt)?.['actor'] as Actor;
}

function directoryOf({ folder }: Gate): string {
  return path.join(folder, 'audit');
}

function bytesOf(directory: string): Buffer {
  return Buffer.concat(readdirSync(directory).map((name) => readFileSync(path.join(directory, name))));
}

/** What of Sam stands in any file of the audit directory. */
function personalIn(gate: Gate): readonly string[] {
  const held = bytesOf(directoryOf(gate));
  return [SAM.sub, SAM.email, SAM.email.toLowerCase(), SAM.name, AGENT].filter(
    (text) => held.indexOf(text) !== -1,
  );
}

function keyOf(gate: Gate, subject: string): Buffer | null {
  const store = openSubjectStore({ directory: directoryOf(gate), readOnly: true });
  try {
    return store.keyOf(subject);
  } finally {
    store.close();
  }
}

/** Everything the journal publishes when it is read anew, as a sink that starts from the beginning would have it. */
function readAnew(gate: Gate): readonly PublishedRecord[] {
  const keys = openSubjectStore({ directory: directoryOf(gate), readOnly: true });
  try {
    const joiner = new RecordJoiner('test', 1, keys);
    const records: PublishedRecord[] = [];
    for (const line of gate.journal())
      joiner.take(line as unknown as JournalLine, { segment: 1, offset: 0 }, records);
    return records;
  } finally {
    keys.close();
  }
}

describe('an erased person', () => {
  it('is gone from every file and every reading, the chain verifies, and they come back as somebody new', async () => {
    await using upstream = await startRawUpstream(actor);
    await using gate = await startFor(upstream.port);
    await gate.grant({});
    const before = await askAsSam(gate, '/before');
    expect(before).toMatchObject({ id: SAM.sub, email: SAM.email, name: SAM.name });
    const key = keyOf(gate, before.subject) ?? Buffer.alloc(0);
    expect(bytesOf(directoryOf(gate)).includes(key)).toBe(true);
    // Nobody is named in clear, not even before.
    expect(personalIn(gate)).toEqual([]);

    const { out, code } = await runAudit('erase', '--journal', directoryOf(gate), '--subject', SAM.email);
    expect([code, out]).toEqual([0, `erased ${before.subject}\n`]);
    expect(keyOf(gate, before.subject)).toBeNull();
    expect(bytesOf(directoryOf(gate)).includes(key)).toBe(false);
    const published = await untilPublished(gate, (all) =>
      all.some(({ event }) => event === 'subject.erased'),
    );
    expect(published.find(({ event }) => event === 'subject.erased')).toMatchObject({
      code: 'PSTN7001I',
      tenant: null,
      actor: { id: userInfo().username, issuer: 'cli' },
      details: { subject: before.subject },
    });

    const after = await askAsSam(gate, '/after');
    expect(after).toMatchObject({ id: SAM.sub, email: SAM.email });
    expect(after.subject).not.toBe(before.subject);

    const anew = readAnew(gate);
    const recordOf = (target: string) =>
      anew.find(({ http }) => (http as { path?: string } | undefined)?.path === target);
    expect(recordOf('/before')).toMatchObject({
      actor: {
        subject: before.subject,
        id: null,
        name: null,
        email: null,
        issuer: 'https://idp.test',
        org: 'vendor',
      },
      client: { ip: null, peerIp: null },
      http: { path: '/before', userAgent: null },
      decision: 'allow',
    });
    expect(recordOf('/after')).toMatchObject({ actor: { id: SAM.sub }, http: { userAgent: AGENT } });
    // Nobody else lost anything.
    expect(recordOf('/before')?.['grant']).toMatchObject({ grantedBy: { id: 'u-ada' } });

    const asked = await runAudit(
      'query',
      '--journal',
      directoryOf(gate),
      '--principal',
      before.subject,
      '--json',
    );
    expect(asked.code, asked.err).toBe(0);
    expect(
      asked.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      expect.objectContaining({
        actor: expect.objectContaining({ subject: before.subject, id: null, name: null }),
      }),
    ]);

    const verified = await runAudit('verify', '--journal', directoryOf(gate));
    expect(verified.code, verified.out + verified.err).toBe(0);
  });

  it('who is in the middle of a request is journalled to its end, and no new line has their old name', async () => {
    const waiting = Promise.withResolvers<Wire>();
    await using upstream = await startRawUpstream((wire) => {
      wire.socket.on('data', (chunk: Buffer) => {
        if (chunk.includes('GET /waiting')) waiting.resolve(wire);
        else wire.send(HELLO);
      });
    });
    await using gate = await startFor(upstream.port);
    await gate.grant({});
    const before = await askAsSam(gate, '/before');
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /waiting', ['Connection: close'], await gate.staffToken(SAM)));
    const wire = await waiting.promise;
    await runAudit('erase', '--journal', directoryOf(gate), '--subject', before.subject);
    await untilPublished(gate, (all) => all.some(({ event }) => event === 'subject.erased'));
    wire.send(HELLO);
    expect((await answerOn(client)).status).toBe(200);
    expect(await actorOf(gate, '/waiting')).toMatchObject({ subject: before.subject, id: null });
    expect(personalIn(gate)).toEqual([]);
    const lines = gate.journal();
    const erased = lines.findIndex(({ event }) => event === 'subject.erased');
    expect(lines.slice(erased).filter(({ subject }) => subject === before.subject)).toEqual([]);
  });

  it('is not sent to a sink that was away until then', async () => {
    await using upstream = await startRawUpstream(actor);
    await using gate = await startGate({
      upstreamPort: upstream.port,
      config: { audit: { directory: 'audit', sinks: [{ file: { path: 'away/published.ndjson' } }] } },
      // No directory can be made where a file is.
      prepare: (folder) => writeFileSync(path.join(folder, 'away'), ''),
    });
    const away = path.join(gate.folder, 'away');
    await gate.grant({});
    // It holds a batch by then, and tries that again and again.
    const tried = /postern_audit_sink_errors_total\{sink="[^"]*"\} [1-9]/;
    await vi.waitUntil(async () => tried.test(await gate.metrics()), { timeout: 8000, interval: 20 });
    const { status } = await ask(gate, 'GET /before', [`User-Agent: ${AGENT}`], await gate.staffToken(SAM));
    expect(status).toBe(200);
    expect((await runAudit('erase', '--journal', directoryOf(gate), '--subject', SAM.sub)).code).toBe(0);
    unlinkSync(away);
    const file = path.join(away, 'published.ndjson');
    const sent = () => (existsSync(file) ? readFileSync(file, 'utf8') : '');
    await vi.waitUntil(() => sent().includes('subject.erased'), { timeout: 8000, interval: 20 });
    expect(sent()).toContain('/before');
    for (const text of [SAM.sub, SAM.email, SAM.name, AGENT]) expect(sent()).not.toContain(text);
  });
});
