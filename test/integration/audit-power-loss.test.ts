// The power fails at any instant: with `durability: disk` everything that the upstream had received by then has its
// record in what is left of the journal, which opens by itself and whose chain holds. A model of a device, since
// nobody pulls the plug of a test: bytes that were not synced are left in any part, or as zeros.
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testJournal } from '../support/audit-journal.ts';
import { type Gate, startGate } from '../support/gate.ts';
import { recordingUpstream, type RecordedRequest } from '../support/recording-upstream.ts';
import { readJournalFacts } from '../support/torture-journal.ts';
import { afterPowerLoss, type DeviceState, powerModel } from '../support/torture-power.ts';
import { type Random, randomFrom } from '../support/torture-random.ts';
import { askMany, forwardedIds, someLines } from '../support/torture-traffic.ts';

/** Another one with `TORTURE_SEED`; a failure says which it was. */
const SEED = Number(process.env['TORTURE_SEED'] ?? 20_261);
const SNAPSHOTS = 300;
const REQUESTS = 480;

interface Snapshot {
  readonly state: DeviceState;
  /** How many requests the upstream had received. */
  readonly received: number;
}

interface Run extends AsyncDisposable {
  readonly gate: Gate;
  readonly snapshots: readonly Snapshot[];
  /** Request ids, in the order in which the upstream received them. */
  readonly ids: readonly string[];
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok';

/** Snapshots at random instants, most of them at those that matter: a request arrives, a write or a sync is done. */
async function runUnderLoad(durability: 'os' | 'disk', random: Random): Promise<Run> {
  const snapshots: Snapshot[] = [];
  const files = powerModel({ syncMs: () => random.whole(0, 12) });
  let received = 0;
  const look = (chance: number): void => {
    if (random.next() < chance) snapshots.push({ state: files.state(), received });
  };
  files.onChange = () => look(0.3);
  const upstream = await recordingUpstream((_request: RecordedRequest, socket) => {
    received += 1;
    look(0.7);
    socket.write(OK);
  });
  const gate = await startGate({
    upstreamPort: upstream.port,
    config: { audit: { directory: 'audit', durability, sinks: [] } },
    journal: { files, options: { segmentBytes: 12 * 1024 } },
  });
  await gate.grant({});
  await askMany(gate, someLines(REQUESTS, 'run'), 12);
  const ids = forwardedIds(upstream);
  await upstream[Symbol.asyncDispose]();
  return { gate, snapshots, ids, [Symbol.asyncDispose]: () => gate[Symbol.asyncDispose]() };
}

interface Aftermath {
  /** Forwarded requests without an intent. */
  readonly lost: number;
  readonly problems: readonly string[];
}

/** What is left, opened as the next start would, written to, and read again. */
async function aftermath(run: Run, snapshot: Snapshot, random: Random, zeros: boolean): Promise<Aftermath> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-power-'));
  try {
    const directory = join(folder, 'audit');
    afterPowerLoss(snapshot.state, directory, random, { zeros });
    copyTheRest(join(run.gate.folder, 'audit'), directory);
    const journal = testJournal(directory);
    const problems = journal.available ? [] : ['the journal is not available'];
    await journal.close(1000);
    const facts = readJournalFacts(directory);
    const lost = run.ids.slice(0, snapshot.received).filter((id) => !facts.intents.has(id)).length;
    return { lost, problems: [...problems, ...facts.problems] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same, and power fails once more at any instant of the start on what is left. */
async function struckAgain(run: Run, snapshot: Snapshot, random: Random): Promise<Snapshot> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-power-'));
  try {
    const directory = join(folder, 'audit');
    afterPowerLoss(snapshot.state, directory, random, { zeros: true });
    copyTheRest(join(run.gate.folder, 'audit'), directory);
    const files = powerModel({ directory, syncMs: () => 0 });
    const states = [files.state()];
    files.onChange = () => void states.push(files.state());
    const journal = testJournal(directory, { durability: 'disk' }, { files });
    await journal.close(1000);
    return { ...snapshot, state: random.pick(states) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Keys and the like, which are not the model's. */
function copyTheRest(from: string, to: string): void {
  for (const name of readdirSync(from))
    if (!name.endsWith('.ndjson')) cpSync(join(from, name), join(to, name), { recursive: true });
}

describe('a loss of power', () => {
  it.each([false, true])(
    'loses nothing that was forwarded under durability: disk (pages of zeros: %s)',
    { timeout: 90_000 },
    async (zeros) => {
      const random = randomFrom(SEED);
      await using run = await runUnderLoad('disk', random);
      expect(run.snapshots.length).toBeGreaterThan(SNAPSHOTS);
      const bad: unknown[] = [];
      const chosen = random.fork();
      for (const [index, snapshot] of run.snapshots.entries()) {
        if (zeros && index % 2 !== 0) continue;
        const { lost, problems } = await aftermath(run, snapshot, chosen, zeros);
        if (lost > 0 || problems.length > 0) bad.push({ seed: SEED, index, lost, problems });
      }
      expect(bad).toEqual([]);
    },
  );

  it('may strike again while the journal recovers', { timeout: 90_000 }, async () => {
    const random = randomFrom(SEED);
    await using run = await runUnderLoad('disk', random);
    const bad: unknown[] = [];
    for (const [index, snapshot] of run.snapshots.entries()) {
      if (index % 3 !== 0) continue;
      const { lost, problems } = await aftermath(run, await struckAgain(run, snapshot, random), random, true);
      if (lost > 0 || problems.length > 0) bad.push({ seed: SEED, index, lost, problems });
    }
    expect(bad).toEqual([]);
  });

  it('would lose some under durability: os, which is what says that the model can', {
    timeout: 90_000,
  }, async () => {
    const random = randomFrom(SEED);
    await using run = await runUnderLoad('os', random);
    let losses = 0;
    for (const snapshot of run.snapshots.slice(0, 60)) {
      const { lost } = await aftermath(run, snapshot, random, false);
      if (lost > 0) losses += 1;
    }
    expect(losses).toBeGreaterThan(0);
  });
});
