// Every request has exactly one published record (a stream two), and it says what happened: the reason, who, under
// which grant, which rule, and what ended it. What must never be written is in none of them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { recordProblems } from '../support/audit-schema.ts';
import { type Gate, startGate } from '../support/gate.ts';
import {
  answerOn,
  ask,
  chunk,
  dial,
  ENDLESS,
  EVENT_STREAM,
  headFor,
  HELLO,
  untilBound,
  untilPublished,
} from '../support/gate-traffic.ts';
import { startRawUpstream, type Wire } from '../support/upstream-wire.ts';

interface RequestRecord {
  readonly event: string;
  readonly http: { readonly path: string };
}

const isOf = (path: string) => (record: Record<string, unknown>) =>
  (record as unknown as RequestRecord).http?.path === path;

/** One behaviour per path, any number of requests on a connection. */
function actor(wire: Wire): void {
  let answered = 0;
  wire.socket.on('data', () => {
    const heads = wire.text.split('\r\n\r\n');
    for (; answered < heads.length - 1; answered++) {
      const head = heads[answered] as string;
      if (head.includes('/events')) wire.send(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
      else if (head.includes('/download')) wire.send(`${ENDLESS}begin`);
      else if (head.includes('/broken')) wire.socket.end('nonsense\r\n\r\n');
      else if (!head.includes('/waiting')) wire.send(HELLO);
    }
  });
}

async function startFor(port: number): Promise<Gate> {
  return startGate({ upstreamPort: port, published: true });
}

describe('the published records', () => {
  it('of plain requests are one each, with reason, actor, grant and rule', async () => {
    await using upstream = await startRawUpstream(actor);
    await using gate = await startFor(upstream.port);
    await ask(gate, 'GET /without-grant');
    const grant = await gate.grant({ access: 'read' });
    await ask(gate, 'GET /allowed?page=1');
    await ask(gate, 'GET /exports/1');
    await ask(gate, 'POST /write', ['Content-Length: 0']);
    await ask(gate, 'GET /no-token', [], null);
    await ask(gate, 'GET /bad-token', [], 'no-token');
    await ask(gate, 'GET /broken');
    await ask(gate, 'GET /dots/../x');
    const records = await untilPublished(
      gate,
      (all) => all.filter((one) => one['http'] !== undefined).length >= 8,
    );
    const sam = {
      subject: expect.stringMatching(/^[\w-]{16,}$/),
      id: 'sam',
      email: 'sam@vendor.test',
      issuer: gate.workforce.issuer,
      org: 'vendor',
    };
    const under = { id: grant.id, revision: 1, access: 'read' };
    const expected: Record<string, object> = {
      '/without-grant': {
        event: 'request.denied',
        reasonCode: 'no_grant',
        actor: sam,
        grant: null,
        outcome: 'refused',
      },
      '/allowed': {
        event: 'request.allowed',
        reasonCode: 'ok',
        actor: sam,
        grant: under,
        outcome: 'completed',
        rule: null,
      },
      '/exports/1': {
        event: 'request.denied',
        reasonCode: 'rule_denied',
        actor: sam,
        grant: under,
        rule: { id: 'export.all', category: 'export' },
      },
      '/write': {
        event: 'request.denied',
        reasonCode: 'read_only',
        actor: sam,
        grant: under,
        effect: 'write',
      },
      '/no-token': { event: 'request.denied', reasonCode: 'no_credential', actor: null, grant: null },
      '/bad-token': { event: 'request.denied', reasonCode: 'credential_invalid', actor: null, grant: null },
      '/broken': {
        event: 'request.error',
        reasonCode: 'upstream_bad_response',
        endedBy: 'fault',
        grant: under,
        outcome: 'failed',
      },
      '/dots/../x': { event: 'request.denied', reasonCode: 'bad_request_target', actor: null },
    };
    for (const [path, fields] of Object.entries(expected)) {
      expect(records.filter(isOf(path)), path).toMatchObject([fields]);
    }
    expect(records.find(isOf('/allowed'))).toMatchObject({
      caseRef: 'CASE-1',
      reason: { type: 'customer_initiated_support', detail: 'the import fails' },
      http: { method: 'GET', queryKeys: ['page'], status: 200, bytesOut: 5 },
      client: { ip: '127.0.0.1' },
      effect: 'read',
    });
    expect(records.flatMap(recordProblems)).toEqual([]);
    const numbers = records.filter(({ tenant }) => tenant === 'acme').map(({ tenantSeq }) => tenantSeq);
    expect(numbers.length).toBeGreaterThan(4);
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => Number(a) - Number(b)));
    const actors = records.filter(isOf('/allowed')).concat(records.filter(isOf('/write')));
    expect(new Set(actors.map((one) => (one['actor'] as { subject: string }).subject)).size).toBe(1);
  });

  it('of what a revoke cut say so: one for a request, two for a stream', async () => {
    await using upstream = await startRawUpstream(actor);
    await using gate = await startFor(upstream.port);
    const grant = await gate.grant({});
    using download = await dial(gate);
    using events = await dial(gate);
    using waiting = await dial(gate);
    download.send(await headFor(gate, 'GET /download'));
    events.send(await headFor(gate, 'GET /events'));
    waiting.send(await headFor(gate, 'GET /waiting'));
    await download.seen('begin');
    await events.seen('data: 1');
    await untilBound(gate, grant.id, 3);
    await gate.revoke(grant.id);
    await answerOn(waiting);
    const records = await untilPublished(
      gate,
      (all) => all.filter((one) => one['http'] !== undefined).length >= 4,
    );
    const under = { id: grant.id, revision: 1 };
    const cut = { endedBy: 'revoked', grant: under };
    expect(records.filter(isOf('/download'))).toMatchObject([
      { ...cut, event: 'request.allowed', reasonCode: 'ok', outcome: 'cut', http: { status: 200 } },
    ]);
    expect(records.filter(isOf('/events'))).toMatchObject([
      { event: 'request.allowed', reasonCode: 'ok', outcome: 'open', endedBy: null, grant: under },
      { ...cut, event: 'stream.ended', reasonCode: 'ok', outcome: 'cut', http: { kind: 'event_stream' } },
    ]);
    expect(records.filter(isOf('/waiting'))).toMatchObject([
      { ...cut, event: 'request.denied', reasonCode: 'grant_revoked', http: { status: 403 } },
    ]);
    expect(records.filter((one) => one['event'] === 'grant.revoked')).toMatchObject([
      { grant: { id: grant.id } },
    ]);
  });

  it('of clients that go away are one each too', async () => {
    await using upstream = await startRawUpstream(actor);
    await using gate = await startFor(upstream.port);
    const grant = await gate.grant({});
    {
      using waiting = await dial(gate);
      using download = await dial(gate);
      waiting.send(await headFor(gate, 'GET /waiting'));
      download.send(await headFor(gate, 'GET /download'));
      await download.seen('begin');
      await untilBound(gate, grant.id, 2);
      waiting.socket.resetAndDestroy();
      download.socket.destroy();
    }
    const records = await untilPublished(
      gate,
      (all) => all.filter((one) => one['http'] !== undefined).length >= 2,
    );
    for (const path of ['/waiting', '/download']) {
      expect(records.filter(isOf(path))).toMatchObject([
        { endedBy: 'client', outcome: 'aborted', grant: { id: grant.id } },
      ]);
    }
    for (const wire of upstream.wires) expect(await wire.closed).toBe('reset');
  });

  it('hold no token, no cookie, no query value and no body; nor does the journal, and no person either', async () => {
    await using upstream = await startRawUpstream(actor);
    await using gate = await startFor(upstream.port);
    await gate.grant({});
    const token = await gate.staffToken();
    const headers = ['Cookie: sid=cookie-secret', 'X-Api-Key: header-secret', 'User-Agent: the-agent-of-sam'];
    await ask(gate, 'GET /a?key=query-secret', headers, token);
    await ask(gate, 'GET /exports/1?key=query-secret', headers, token);
    await ask(gate, 'GET /bad%zz?key=query-secret', headers, token);
    await ask(gate, 'GET /b', headers, `${token.slice(0, -6)}AAAAAA`);
    using client = await dial(gate);
    client.send(
      `${await headFor(gate, 'POST /c', ['Content-Length: 11', 'Connection: close'], token)}body-secret`,
    );
    await answerOn(client);
    const records = await untilPublished(
      gate,
      (all) => all.filter((one) => one['http'] !== undefined).length >= 5,
    );
    const journal = readFileSync(join(gate.folder, 'audit', 'journal-000000000001.ndjson'), 'utf8');
    const written = JSON.stringify(records) + journal;
    for (const secret of [
      'cookie-secret',
      'header-secret',
      'query-secret',
      'body-secret',
      token,
      token.split('.')[1],
    ]) {
      expect(written).not.toContain(secret);
    }
    for (const personal of ['"sam"', 'sam@vendor.test', '127.0.0.1', 'the-agent-of-sam']) {
      expect(journal).not.toContain(personal);
    }
    expect(JSON.stringify(records)).toContain('the-agent-of-sam');
  });
});
