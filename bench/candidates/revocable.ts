// The whole gate for `bench/revoke.ts`: says what it itself wrote, and when, and how many bytes of those after the answer
// of the last call of the control API. The parent stops it by closing the channel.
import { startGate } from '../../test/support/gate.ts';
import { processMs, saidBy, watchWrites } from '../../test/support/written-bytes.ts';

export interface RevocableGate {
  readonly dataPort: number;
  readonly controlPort: number;
  readonly host: string;
  readonly token: string;
  readonly admin: string;
}

export interface RevokeReport {
  /** Of each socket that data goes over: when it forwarded last. */
  readonly lastWrites: readonly number[];
  /** Forwarded over them after the control API's last answer was. */
  readonly bytesAfter: number;
  /** When the last word of ours was written: the 403 of uploads waits for its record. */
  readonly lastWordAt: number;
  readonly inFlight: number;
}

const upstreamPort = Number(process.argv[2]);
const gate = await startGate({
  upstreamPort,
  rules: 200,
  config: {
    upstream: {
      url: `http://127.0.0.1:${upstreamPort}`,
      connections: 4000,
      assertion: { audience: 'app', issuer: 'https://gate.test', key: { fromFile: 'keys/assertion.pem' } },
    },
  },
});
const { dataPort, controlPort, host } = gate;
let bytesBefore = 0;
/** When our own words about an end were written last. */
let lastWordAt = 0;
const written = watchWrites((socket, start) => {
  if (socket.localPort === controlPort) bytesBefore = written.bytes;
  const said = saidBy({ dataPort, upstreamPort }, socket, start);
  if (said === 'ours') lastWordAt = processMs();
  return said === 'forwarded';
});

process.on('message', (what: 'clear' | 'report') => {
  if (what === 'clear') {
    written.clear();
    bytesBefore = 0;
    process.send?.('cleared');
    return;
  }
  const report: RevokeReport = {
    lastWrites: written.lastWrites(),
    bytesAfter: written.bytes - bytesBefore,
    lastWordAt,
    inFlight: gate.postern.gateway.inFlight,
  };
  process.send?.(report);
});
process.on('disconnect', () => {
  written[Symbol.dispose]();
  void gate[Symbol.asyncDispose]().then(() => process.exit(0));
});
const ready: RevocableGate = {
  dataPort,
  controlPort,
  host,
  token: await gate.staffToken({}, 3600),
  admin: await gate.saas.sign({ sub: 'u-ada', org_id: 'acme', is_admin: true, email: 'ada@acme.test' }, 3600),
};
process.send?.(ready);
