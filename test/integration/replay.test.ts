// The journal of a real gate, replayed: by the same policy nothing flips, by another what it changes.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { replayJournal } from '../../src/cli/policy-replay.ts';
import { createPolicyPrinter } from '../../src/cli/policy-print.ts';
import { parseTarget } from '#gateway/request-target.ts';
import { type Gate, startGate } from '../support/gate.ts';
import { ask, HELLO } from '../support/gate-traffic.ts';
import { startAnswering } from '../support/upstream-wire.ts';

const POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: first }
spec:
  rules:
    - { id: exports.all, category: export, match: [ { paths: ["/exports/**"] } ] }
    - { id: reports.csv, category: export, match: [ { paths: ["/reports"], query: { format: [csv] } } ] }
    - { id: jobs.export, category: export, match: [ { paths: ["/jobs"], json: { "/type": [export] } } ] }
---
apiVersion: postern/v1
kind: ScopeMap
metadata: { name: scopes }
spec: { scopes: [ { paths: ["/workspaces/{id}/**"], workspace: { path: id } } ] }
`;
const CHANGED = POLICY.replace('"/exports/**"', '"/exports/big"').replace('[csv]', '[csv, html]');

const LINES = [
  'GET /exports/1',
  'GET /exports/big',
  'GET /Exports/1.json',
  'GET /reports?format=csv&page=1',
  'GET /reports?format=html',
  'GET /reports?_method=GET&page=2',
  'GET /tickets/7?token=secret',
  'POST /tickets/7/comments',
  'GET /workspaces/one/tickets',
  'GET /workspaces/two/tickets',
  'GET /k%C3%A4nguru',
  'GET /a%zz',
] as const;

async function replayBy(
  gate: Gate,
  policy: string,
  journal = join(gate.folder, 'audit'),
): Promise<{ code: number; report: Report }> {
  const directory = join(gate.folder, 'changed');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'policy.yaml'), policy);
  let text = '';
  const stdout = { write: (part: string) => void (text += part) };
  const printer = createPolicyPrinter({ stdout, stderr: stdout, isTerminal: false });
  const filters = { tenant: null, since: null, until: null, examples: 3 };
  const options = { journal, directory, packs: [], json: true, ...filters };
  const code = await replayJournal({ ...options, defaultEffect: 'allow' }, { printer, parseTarget });
  return { code, report: JSON.parse(text) as Report };
}

interface Report {
  readonly requests: number;
  readonly unchanged: number;
  readonly beforePolicy: number;
  readonly flipped: number;
  readonly flips: readonly { readonly before: string; readonly after: string; readonly count: number }[];
  readonly undecidable: Readonly<Record<string, number>>;
}

describe('a replay of a real journal', () => {
  it('finds nothing changed by the same policy, and each change by another', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({ workspaces: [{ id: 'one', roles: [] }] });
    for (const line of LINES) await ask(gate, line);
    const same = await replayBy(gate, POLICY);
    expect(same.report).toMatchObject({ requests: 12, unchanged: 11, beforePolicy: 1, flipped: 0 });
    expect(same.code).toBe(0);
    const changed = await replayBy(gate, CHANGED);
    expect(changed.code).toBe(1);
    expect(changed.report.flips.map(({ before, after, count }) => [before, after, count])).toEqual([
      ['deny by exports.all', 'allow', 2],
      ['allow', 'deny by reports.csv', 1],
    ]);
    expect(Object.values(changed.report.undecidable)).toEqual([0, 0, 0, 0, 0]);
  });

  it('needs the segments alone: nobody has to be known, and erased people are judged like others', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    await gate.grant({ workspaces: [{ id: 'one', roles: [] }] });
    for (const line of LINES) await ask(gate, line);
    const copy = join(gate.folder, 'copy');
    const segment = 'journal-000000000001.ndjson';
    mkdirSync(copy);
    copyFileSync(join(gate.folder, 'audit', segment), join(copy, segment));
    expect(await replayBy(gate, CHANGED, copy)).toEqual(await replayBy(gate, CHANGED));
    expect((await replayBy(gate, POLICY, copy)).report).toMatchObject({ requests: 12, unchanged: 11 });
  });

  it('cannot be asked of a directory without a journal', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: POLICY });
    let text = '';
    const stream = { write: (part: string) => void (text += part) };
    const printer = createPolicyPrinter({ stdout: stream, stderr: stream, isTerminal: false });
    const filters = { tenant: null, since: null, until: null, examples: 3, json: false };
    const directory = join(gate.folder, 'policies');
    const options = { journal: directory, directory, packs: [], ...filters, defaultEffect: 'allow' } as const;
    expect(await replayJournal(options, { printer, parseTarget })).toBe(2);
    expect(text).toContain('no journal segment');
  });
});
