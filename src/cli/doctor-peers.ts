// Whether those whom the gate depends on can be reached: issuers' keys, sinks, the mail server, webhooks. Guarantees: keys
// are fetched as the gate would; everybody else is only connected to, so that no record, signature or password leaves. Cold.
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AuditSink } from '#config/audit-config.ts';
import type { Config } from '#config/config.ts';
import type { Secret } from '#config/secret.ts';
import { about, codeOf, type Finding } from './doctor-finding.ts';
import { dial, type Peer } from './doctor-probe.ts';
import type { DoctorRooms } from './doctor-rooms.ts';

export interface PeersDeps {
  readonly rooms: Pick<DoctorRooms, 'keysOf'>;
  readonly timeoutMs: number;
}

export function peersFindings(config: Config, deps: PeersDeps): Promise<readonly Finding[]> {
  const { identity, audit, notify } = config;
  const { timeoutMs } = deps;
  const mail = notify.smtp;
  const checks: Promise<Finding>[] = [
    ...[...identity.support, ...identity.customers].map((issuer) => issuerFinding(issuer, deps)),
    ...audit.sinks.map((sink) => sinkFinding(sink, timeoutMs)),
    ...notify.webhooks.map(({ url, ca }) => peerFinding('webhook', peerOf(url, ca), timeoutMs)),
  ];
  if (mail !== null) {
    const { host, port, tls, ca } = mail;
    const peer = { host, port, tls: tls === 'implicit' ? { ca: ca?.reveal() ?? null } : null };
    checks.push(peerFinding('mail', peer, timeoutMs));
  }
  return Promise.all(checks);
}

async function issuerFinding(
  issuer: Config['identity']['support'][number] | Config['identity']['customers'][number],
  { rooms }: PeersDeps,
): Promise<Finding> {
  const sort = about('issuer', issuer.name);
  try {
    const keys = await rooms.keysOf(issuer);
    if (keys > 0) return sort('ok', keys === 1 ? 'one usable key' : `${keys} usable keys`);
    return sort(
      'failed',
      'its key set holds no usable key',
      'Compare `algorithms` with the keys of the issuer.',
    );
  } catch (error) {
    // The rooms' faults name no address and quote nothing.
    const why =
      error instanceof Error && codeOf(error) === 'KEYS_UNAVAILABLE' ? error.message : codeOf(error);
    return sort('failed', `its keys cannot be read: ${why}`, 'Its tokens get 503 until they can.');
  }
}

const SINK_REMEDY = 'Records wait in the journal until the sink is back; audit.maxBytes bounds them.';

async function sinkFinding(sink: AuditSink, timeoutMs: number): Promise<Finding> {
  switch (sink.kind) {
    case 'stdout':
      return about('sink', sink.name)('ok', 'standard output');
    case 'file': {
      const sort = about('sink', sink.name);
      try {
        await access(dirname(sink.path), constants.W_OK | constants.X_OK);
        return sort('ok', 'its folder is writable');
      } catch (error) {
        return sort('warning', `its folder cannot be written (${codeOf(error)})`, SINK_REMEDY);
      }
    }
    case 'syslog': {
      const { host, port, protocol, ca } = sink;
      const tls = protocol === 'tls' ? { ca: ca?.reveal() ?? null } : null;
      return peerFinding('sink', { host, port, tls }, timeoutMs, sink.name);
    }
    default:
      return peerFinding('sink', peerOf(sink.url, sink.ca), timeoutMs, sink.name);
  }
}

/** Of an address only the host and the port are used and shown: its path may hold a token. */
function peerOf(address: string, ca: Secret | null): Peer {
  const { hostname, port, protocol } = new URL(address);
  const isTls = protocol === 'https:';
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (isTls ? 443 : 80) : Number(port),
    tls: isTls ? { ca: ca?.reveal() ?? null } : null,
  };
}

async function peerFinding(check: string, peer: Peer, timeoutMs: number, name?: string): Promise<Finding> {
  const place = `${peer.host}:${peer.port}`;
  const sort = about(check, name ?? place);
  const code = await dial(peer, timeoutMs);
  if (code === null) return sort('ok', `${place} takes connections`);
  return sort('warning', `${place} cannot be reached (${code})`, check === 'sink' ? SINK_REMEDY : undefined);
}
