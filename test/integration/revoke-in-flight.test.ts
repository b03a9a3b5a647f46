// Law 5: when the call that revokes has returned, nothing more of the grant is forwarded, and what was in flight is
// over on both sides: parked, queued, waiting or streaming, over TLS too.
import { describe, expect, it } from 'vitest';
import { startGate } from '../support/gate.ts';
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
} from '../support/gate-traffic.ts';
import { overTls } from '../support/gate-tls.ts';
import { startAnswering, startRawUpstream } from '../support/upstream-wire.ts';

describe.each([
  ['plain TCP', false],
  ['TLS', true],
])('a revoke over %s', (_name, tls) => {
  const optionsFor = (upstreamPort: number) => (tls ? overTls(upstreamPort) : { upstreamPort });

  it('resets a download on both sides, and no byte follows', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send(`${ENDLESS}before`);
    });
    await using gate = await startGate(optionsFor(upstream.port));
    const grant = await gate.grant({});
    using client = await dial(gate, tls);
    client.send(await headFor(gate, 'GET /download'));
    await client.seen('before');
    const wire = await upstream.next();
    await gate.revoke(grant.id);
    if (!wire.socket.destroyed) wire.send('after');
    expect(await client.closed).toBe('reset');
    expect(await wire.closed).toBe('reset');
    expect(client.text.endsWith('before')).toBe(true);
  });

  it('ends an event stream with a last event that says why, then resets', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
    });
    await using gate = await startGate(optionsFor(upstream.port));
    const grant = await gate.grant({});
    using client = await dial(gate, tls);
    client.send(await headFor(gate, 'GET /events'));
    await client.seen('data: 1');
    const wire = await upstream.next();
    await gate.revoke(grant.id);
    if (!wire.socket.destroyed) wire.send(chunk('data: 2\n\n'));
    expect(await client.closed).toBe('reset');
    expect(await wire.closed).toBe('reset');
    expect(client.text).toMatch(/event: postern\.ended\ndata: \{"reason":"revoked"\}\n\n\r\n$/);
    expect(client.text).not.toContain('data: 2');
  });
});

describe('a revoke', () => {
  it('resets a download that the client does not take', async () => {
    const block = Buffer.alloc(256 * 1024, 'x');
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send(ENDLESS);
      const more = (): void => {
        while (!wire.socket.destroyed && wire.socket.write(block));
      };
      wire.socket.on('drain', more);
      more();
    });
    await using gate = await startGate({ upstreamPort: upstream.port });
    const grant = await gate.grant({});
    using client = await dial(gate);
    client.keep = false;
    client.send(await headFor(gate, 'GET /download'));
    await client.until(() => client.bytes > 0);
    client.socket.pause();
    const wire = await upstream.next();
    await gate.revoke(grant.id);
    expect(await wire.closed).toBe('reset');
    client.socket.resume();
    expect(await client.closed).toBe('reset');
  });

  it('cuts an upload on both sides: 403 here, a reset there, and nothing more of the body', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate({ upstreamPort: upstream.port });
    const grant = await gate.grant({});
    using client = await dial(gate);
    client.send(`${await headFor(gate, 'POST /upload', ['Content-Length: 1000000000'])}before`);
    const wire = await upstream.next();
    await wire.seen('before');
    await gate.revoke(grant.id);
    client.send('after');
    expect(await answerOn(client)).toMatchObject({ status: 403, reason: 'grant_revoked' });
    expect(await wire.closed).toBe('reset');
    expect(wire.text.endsWith('before')).toBe(true);
    expect(['end', 'reset']).toContain(await client.closed);
  });

  it('cuts a chunked upload whose response has begun with resets on both sides', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('before');
      wire.send(`${ENDLESS}answer`);
    });
    await using gate = await startGate({ upstreamPort: upstream.port });
    const grant = await gate.grant({});
    using client = await dial(gate);
    client.send(`${await headFor(gate, 'POST /both', ['Transfer-Encoding: chunked'])}${chunk('before')}`);
    await client.seen('answer');
    const wire = await upstream.next();
    await gate.revoke(grant.id);
    client.send(chunk('after'));
    expect(await wire.closed).toBe('reset');
    expect(await client.closed).toBe('reset');
    expect(wire.text).not.toContain('after');
  });

  it('answers a request that waits for the head of its response with 403', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate({ upstreamPort: upstream.port });
    const grant = await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /long-poll'));
    const wire = await upstream.next();
    await wire.seen('\r\n\r\n');
    await gate.revoke(grant.id);
    if (!wire.socket.destroyed) wire.send(`${ENDLESS}late`);
    expect(await answerOn(client)).toMatchObject({ status: 403, reason: 'grant_revoked' });
    expect(await wire.closed).toBe('reset');
    expect(client.text).not.toContain('late');
    // The connection to the client is as good as before: only the grant is gone.
    client.clear();
    client.send(await headFor(gate, 'GET /again'));
    expect(await answerOn(client)).toMatchObject({ status: 403, reason: 'no_grant' });
    expect(upstream.wires).toHaveLength(1);
  });

  it('answers a request that is queued for a connection with 403, and the upstream never sees it', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate({
      upstreamPort: upstream.port,
      config: {
        upstream: {
          url: `http://127.0.0.1:${upstream.port}`,
          connections: 1,
          assertion: { audience: 'app', key: { fromFile: 'keys/assertion.pem' } },
        },
      },
    });
    const only = (id: string) => ({ audience: { principals: [{ issuer: gate.workforce.issuer, id }] } });
    await gate.grant(only('sam'));
    const revoked = await gate.grant(only('lena'));
    using first = await dial(gate);
    using queued = await dial(gate);
    first.send(await headFor(gate, 'GET /first'));
    const wire = await upstream.next();
    await wire.seen('\r\n\r\n');
    queued.send(await headFor(gate, 'GET /queued', [], await gate.staffToken({ sub: 'lena' })));
    await untilBound(gate, revoked.id, 1);
    await gate.revoke(revoked.id);
    expect(await answerOn(queued)).toMatchObject({ status: 403, reason: 'grant_revoked' });
    // Its turn would come now.
    wire.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    expect(await answerOn(first)).toMatchObject({ status: 200, body: 'hello' });
    first.clear();
    first.send(await headFor(gate, 'GET /second'));
    await wire.seen('/second');
    expect(upstream.wires).toHaveLength(1);
    expect(wire.text).not.toContain('/queued');
  });

  it('gives the connection it took from the upstream free again', async () => {
    await using upstream = await startAnswering((head) =>
      head.includes('/download') ? `${ENDLESS}begin` : HELLO,
    );
    await using gate = await startGate({
      upstreamPort: upstream.port,
      config: {
        upstream: {
          url: `http://127.0.0.1:${upstream.port}`,
          connections: 1,
          assertion: { audience: 'app', key: { fromFile: 'keys/assertion.pem' } },
        },
      },
    });
    const only = (id: string) => ({ audience: { principals: [{ issuer: gate.workforce.issuer, id }] } });
    const revoked = await gate.grant(only('sam'));
    await gate.grant(only('lena'));
    const lena = await gate.staffToken({ sub: 'lena' });
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /download'));
    await client.seen('begin');
    const queued = ask(gate, 'GET /queued', [], lena);
    await gate.revoke(revoked.id);
    expect(await queued).toMatchObject({ status: 200, body: 'hello' });
    expect(await ask(gate, 'GET /next', [], lena)).toMatchObject({ status: 200, body: 'hello' });
  });

  it('answers a client that was told to go on with its body with 403, and forwards none of it', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate({ upstreamPort: upstream.port });
    const grant = await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'POST /upload', ['Content-Length: 6', 'Expect: 100-continue']));
    await client.seen('HTTP/1.1 100 Continue\r\n\r\n');
    await gate.revoke(grant.id);
    client.send('secret');
    expect(await answerOn(client)).toMatchObject({ status: 403, reason: 'grant_revoked' });
    for (const wire of upstream.wires) expect(wire.text).not.toContain('secret');
  });

  it('leaves what another grant allows alone', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
    });
    await using gate = await startGate({ upstreamPort: upstream.port });
    const only = (id: string) => ({ audience: { principals: [{ issuer: gate.workforce.issuer, id }] } });
    await gate.grant(only('sam'));
    const other = await gate.grant(only('lena'));
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /events'));
    await client.seen('data: 1');
    await gate.revoke(other.id);
    (await upstream.next()).send(chunk('data: 2\n\n'));
    await client.seen('data: 2');
    expect(client.ending).toBeNull();
  });
});
