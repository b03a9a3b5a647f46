// Through the real worker: a sink's place in the journal belongs to its name, so that nothing changes when the list is
// put in another order; and each sink writes in its own format.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FileOptions } from '#audit/sinks/sink-options.ts';
import { fakeExchange } from '../support/audit-exchange.ts';
import { linesOf, testDirectory, testJournal, turn } from '../support/audit-journal.ts';

const published = (file: string): Record<string, unknown>[] =>
  existsSync(file) ? linesOf(readFileSync(file, 'utf8')) : [];
const requests = (file: string): unknown[] =>
  published(file).flatMap(({ event, id }) => (event === 'request.denied' ? [id] : []));

async function refuseOne(directory: string, sinks: readonly FileOptions[]): Promise<string> {
  await using journal = testJournal(directory, { sinks });
  const x = fakeExchange({ reason: 'no_grant', status: 403 });
  journal.refuse(x);
  await turn();
  await journal.close(5000);
  return x.requestId;
}

describe('sinks with names', () => {
  it('go on from where each of them was when the list is in another order, and a new one gets all', async () => {
    using directory = testDirectory();
    const file = (name: string): string => path.join(path.dirname(directory.path), 'out', name);
    const one: FileOptions = { kind: 'file', path: file('one') };
    const two: FileOptions = { kind: 'file', path: file('two'), name: 'two' };
    const three: FileOptions = { kind: 'file', path: file('three'), name: 'three' };
    const ids = [
      await refuseOne(directory.path, [one]),
      await refuseOne(directory.path, [two, one]),
      await refuseOne(directory.path, [one, two]),
      await refuseOne(directory.path, [three, two, one]),
    ];
    for (const name of ['one', 'two', 'three']) expect([name, requests(file(name))]).toEqual([name, ids]);
  });

  it('write the format that each was given, of the same records', async () => {
    using directory = testDirectory();
    const file = (name: string): string => path.join(path.dirname(directory.path), 'out', name);
    const plain: FileOptions = { kind: 'file', path: file('postern') };
    const ocsf: FileOptions = { kind: 'file', path: file('ocsf'), name: 'ocsf', format: 'ocsf' };
    const id = await refuseOne(directory.path, [plain, ocsf]);
    expect(published(plain.path).find((one) => one['id'] === id)).toMatchObject({
      schema: 'postern.audit/v1',
    });
    const events = published(ocsf.path);
    expect(events).toHaveLength(published(plain.path).length);
    expect(events.map(({ metadata }) => (metadata as { readonly uid: string }).uid)).toContain(id);
  });
});
