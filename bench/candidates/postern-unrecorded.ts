// The control of the audit's cost: the whole gate, but nothing of a request reaches the journal. Each is still told in
// the next turn of the loop, as the contract of the journal has it. No configuration can do this.
import type { OpenJournal } from '#audit/open-journal.ts';
import type { Told } from '#audit/journal.ts';
import { startGate } from '../../test/support/gate.ts';
import { serveCandidate } from './serve.ts';

function forgetful(journal: OpenJournal): OpenJournal {
  let waiting: Told[] = [];
  const tell = (): void => {
    const all = waiting;
    waiting = [];
    for (const x of all) x.recorded();
  };
  const add = (x: Told): void => {
    waiting.push(x);
    if (waiting.length === 1) setImmediate(tell);
  };
  return {
    available: true,
    intend: add,
    refuse: add,
    complete: (_x, waits) => {
      if (waits !== undefined) add(waits);
    },
    started: () => undefined,
    event: (event) => journal.event(event),
    eventWritten: (event) => journal.eventWritten(event),
    status: () => journal.status(),
    reopenSinks: () => journal.reopenSinks(),
    subjects: journal.subjects,
    subjectsErased: () => journal.subjectsErased(),
    close: (deadlineMs) => journal.close(deadlineMs),
  };
}

await serveCandidate(async (upstreamPort) => {
  const gate = await startGate({ upstreamPort, rules: 200, journal: { wrap: forgetful } });
  await gate.grant({});
  const token = await gate.staffToken({}, 3600);
  return { port: gate.dataPort, headers: { host: gate.host, authorization: `Bearer ${token}` } };
});
