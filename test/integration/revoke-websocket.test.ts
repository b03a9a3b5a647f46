// A revoke reaches open WebSockets, idle and busy: close 4403 where a frame may stand, then both connections end.
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Gate, startGate } from '../support/gate.ts';
import { untilPublished } from '../support/gate-traffic.ts';
import { startRawUpstream } from '../support/upstream-wire.ts';

interface ChatUpstream extends AsyncDisposable {
  readonly port: number;
  next(): Promise<WebSocket>;
}

async function chatUpstream(): Promise<ChatUpstream> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  const joined: Promise<WebSocket> = new Promise((resolve) => server.once('connection', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    next: () => joined,
    async [Symbol.asyncDispose]() {
      for (const peer of server.clients) peer.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function join(gate: Gate): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${gate.dataPort}/chat`, {
    headers: { host: gate.host, authorization: `Bearer ${await gate.staffToken()}` },
  });
  client.on('error', () => undefined);
  await new Promise((resolve, reject) => {
    client.once('open', resolve);
    client.once('error', reject);
  });
  return client;
}

function closing(peer: WebSocket): Promise<{ code: number; reason: string }> {
  peer.on('error', () => undefined);
  return new Promise((resolve) => {
    peer.once('close', (code: number, reason: Buffer) => resolve({ code, reason: reason.toString() }));
  });
}

function ofChat(records: Record<string, unknown>[]): Record<string, unknown>[] {
  return records.filter((record) => (record['http'] as { path?: string } | undefined)?.path === '/chat');
}

describe('a revoke with a WebSocket open', () => {
  it('closes an idle one with 4403 and the reason, on both sides', async () => {
    await using upstream = await chatUpstream();
    await using gate = await startGate({ upstreamPort: upstream.port });
    const grant = await gate.grant({});
    const client = await join(gate);
    const server = await upstream.next();
    const ends = Promise.all([closing(client), closing(server)]);
    await gate.revoke(grant.id);
    const [atClient, atServer] = await ends;
    expect(atClient).toEqual({ code: 4403, reason: 'revoked' });
    expect(atServer).toEqual({ code: 4403, reason: 'revoked' });
  });

  it('lets no message pass that is sent after it, in either direction', async () => {
    await using upstream = await chatUpstream();
    await using gate = await startGate({ upstreamPort: upstream.port });
    const grant = await gate.grant({});
    const client = await join(gate);
    const server = await upstream.next();
    const heard: string[] = [];
    client.on('message', (data: Buffer) => heard.push(data.toString()));
    server.on('message', (data: Buffer) => heard.push(data.toString()));
    const ends = Promise.all([closing(client), closing(server)]);
    const first = new Promise((resolve) => client.once('message', resolve));
    server.send('before');
    await first;
    await gate.revoke(grant.id);
    server.send('after', () => undefined);
    client.send('after', () => undefined);
    await ends;
    expect(heard).toEqual(['before']);
  });

  it('that is still shaking hands with the upstream answers 403 instead', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate({ upstreamPort: upstream.port });
    const grant = await gate.grant({});
    const joining = expect(join(gate)).rejects.toThrow('403');
    const wire = await upstream.next();
    await wire.seen('\r\n\r\n');
    await gate.revoke(grant.id);
    await joining;
    expect(await wire.closed).toBe('reset');
  });

  it('publishes two records of it, and the metrics are back at none', async () => {
    await using upstream = await chatUpstream();
    await using gate = await startGate({ upstreamPort: upstream.port, published: true });
    const grant = await gate.grant({});
    const client = await join(gate);
    expect(await gate.metrics()).toContain('postern_streams_active{kind="websocket"} 1');
    const end = closing(client);
    await gate.revoke(grant.id);
    await end;
    expect(await gate.metrics()).toContain('postern_streams_active{kind="websocket"} 0');
    const records = await untilPublished(gate, (all) => ofChat(all).length === 2);
    const under = { grant: { id: grant.id }, actor: { id: 'sam' }, http: { kind: 'websocket', status: 101 } };
    expect(ofChat(records)).toMatchObject([
      { ...under, event: 'request.allowed', outcome: 'open', endedBy: null },
      { ...under, event: 'stream.ended', outcome: 'cut', endedBy: 'revoked', reasonCode: 'ok' },
    ]);
  });

  it('refuses to open another with 403', async () => {
    await using upstream = await chatUpstream();
    await using gate = await startGate({ upstreamPort: upstream.port });
    const grant = await gate.grant({});
    await gate.revoke(grant.id);
    await expect(join(gate)).rejects.toThrow('403');
  });
});
