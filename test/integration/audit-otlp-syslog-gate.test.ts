// A whole gate that ships to a collector and to a syslog receiver as its configuration file says: through the journal,
// the worker and the saved places, the receivers away at first.
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { until } from '../support/audit-journal.ts';
import { recordProblems } from '../support/audit-schema.ts';
import { startGate } from '../support/gate.ts';
import { ask, HELLO } from '../support/gate-traffic.ts';
import { listen } from '../support/listen.ts';
import { startSyslogReceiver } from '../support/syslog-receiver.ts';
import { selfSigned } from '../support/upstream-certificate.ts';
import { startRawUpstream } from '../support/upstream-wire.ts';

type Json = Record<string, unknown>;

interface Export {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly { readonly key: string }[] };
    readonly scopeLogs: readonly {
      readonly logRecords: readonly { readonly body: { stringValue: string } }[];
    }[];
  }[];
}

/** A collector that refuses the first request, and says yes from then on. */
async function startCollector() {
  const requests: Export[] = [];
  let attempts = 0;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      attempts += 1;
      const isFirst = attempts === 1;
      if (!isFirst) requests.push(JSON.parse(gunzipSync(Buffer.concat(parts)).toString('utf8')) as Export);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(isFirst ? '{"partialSuccess":{"rejectedLogRecords":"1"}}' : '{}');
    });
  });
  const { port, close } = await listen(server);
  const records = (): Json[] =>
    requests.flatMap(({ resourceLogs }) =>
      resourceLogs.flatMap(({ scopeLogs }) =>
        scopeLogs.flatMap(({ logRecords }) =>
          logRecords.map(({ body }) => JSON.parse(body.stringValue) as Json),
        ),
      ),
    );
  return { port, requests, records, [Symbol.asyncDispose]: close };
}

function requestsIn(records: readonly Json[]): Json[] {
  return records.filter(({ http }) => http !== undefined);
}

function idOf(event: Json): unknown {
  return (event['metadata'] as Json)['uid'];
}

describe('a gate with an otlp and a syslog sink', () => {
  it('ships what was asked, as records to one and as OCSF events to the other', async () => {
    // Outlives the gate, which ships its last records while it stops.
    await using late = new AsyncDisposableStack();
    const tls = selfSigned();
    await using collector = await startCollector();
    const early = await startSyslogReceiver({ tls });
    await early.stop();
    await using upstream = await startRawUpstream((wire) => {
      wire.socket.on('data', () => wire.send(HELLO));
    });
    const otlp = {
      url: `http://127.0.0.1:${collector.port}`,
      resource: { 'deployment.environment.name': 'test' },
    };
    const syslog = {
      address: `localhost:${early.port}`,
      tls: { ca: { fromFile: 'logs-ca.pem' } },
      format: 'ocsf',
      hostname: 'gate-1',
    };
    await using gate = await startGate({
      upstreamPort: upstream.port,
      config: { audit: { sinks: [{ otlp }, { syslog }] } },
      prepare: (folder) => writeFileSync(join(folder, 'logs-ca.pem'), tls.cert),
    });
    await gate.grant({ access: 'read' });
    for (let count = 0; count < 3; count++)
      expect(await ask(gate, `GET /tickets/${count}`)).toMatchObject({ status: 200 });
    await ask(gate, 'GET /exports/1');
    const receiver = late.use(await startSyslogReceiver({ tls, port: early.port }));

    await until(() => requestsIn(collector.records()).length === 4);
    expect(collector.records().flatMap(recordProblems)).toEqual([]);
    expect(requestsIn(collector.records()).map(({ event }) => event)).toEqual([
      'request.allowed',
      'request.allowed',
      'request.allowed',
      'request.denied',
    ]);
    const keys = collector.requests[0]?.resourceLogs[0]?.resource.attributes.map(({ key }) => key);
    expect(keys).toEqual(['service.name', 'deployment.environment.name', 'service.instance.id']);

    const events = (): Json[] => receiver.messages.map(({ text }) => JSON.parse(text) as Json);
    const activities = (): Json[] => events().filter((event) => event['class_uid'] === 6003);
    await until(() => activities().length === 4);
    expect(activities().map((event) => [event['action_id'], event['activity_id']])).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
      [2, 2],
    ]);
    expect(events().find((event) => event['type_uid'] === 300401)).toMatchObject({
      entity: { type: 'grant' },
    });
    const ids = new Set(collector.records().map(({ id }) => id));
    expect(
      activities()
        .map(idOf)
        .filter((id) => !ids.has(id)),
    ).toEqual([]);
    expect(receiver.messages[0]).toMatchObject({ hostname: 'gate-1', appName: 'postern' });
  });
});
