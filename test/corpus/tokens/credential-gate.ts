// The gate as the cases of credentials need it, in a process of its own: raw requests in, answers out, what reached the
// application, and the journal as text, so that a case can be held against all of it. Whoever opens it disposes of it.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gateClients, type GateClients, gateFiles, type GateOptions } from '../../support/gate.ts';
import { startProcess } from '../../support/gate-process.ts';
import { type RawAnswer, rawRequest } from '../../support/raw-client.ts';
import {
  type RecordedRequest,
  type RecordingUpstream,
  recordingUpstream,
} from '../../support/recording-upstream.ts';
import type { TestIssuer } from '../../support/signing.ts';
import { fatalLines } from '../target-gate.ts';

export interface CredentialGate extends AsyncDisposable {
  readonly clients: GateClients;
  readonly workforce: TestIssuer;
  readonly upstream: RecordingUpstream;
  readonly dataPort: number;
  readonly controlPort: number;
  /** A request, byte for byte, with `Connection: close`. */
  ask(at: 'data' | 'control', line: string, headers: readonly string[], body?: string): Promise<RawAnswer>;
  /** A call of the control API with this bearer; throws unless it is answered 2xx. */
  call(bearer: string, method: string, path: string, body?: object): Promise<Record<string, unknown>>;
  /** Everything written to the journal since `mark`, once it says what became of as many requests. */
  writtenSince(mark: number, outcomes: number): Promise<string>;
  mark(): number;
  /** What is wrong with the process: nothing while it lives and complains of nothing. */
  complaints(): readonly string[];
}

const LATE_MS = 2000;
const OUTCOME = /^\{[^\n]*"k":"(?:intent|refused)"/gm;

export async function openCredentialGate(
  options: Omit<GateOptions, 'upstreamPort'>,
): Promise<CredentialGate> {
  const upstream = await recordingUpstream();
  const files = await gateFiles({
    ...options,
    upstreamPort: upstream.port,
    config: {
      audit: { directory: 'audit', sinks: [], anonymousPerSecond: 1_000_000 },
      log: { level: 'info' },
      ...options.config,
    },
  });
  const gate = await startProcess(files.folder);
  const journal = () => journalText(join(files.folder, 'audit'));
  const portAt = (at: 'data' | 'control') => (at === 'data' ? gate.dataPort : gate.controlPort);
  let ended = false;
  gate.child.once('exit', () => void (ended = true));
  return {
    clients: gateClients(gate.controlPort, files),
    workforce: files.workforce,
    upstream,
    dataPort: gate.dataPort,
    controlPort: gate.controlPort,
    ask: (at, line, headers, body = '') => rawRequest(portAt(at), rawBytes(line, headers, body)),
    async call(bearer, method, path, body) {
      const response = await fetch(`http://127.0.0.1:${gate.controlPort}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${bearer}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return JSON.parse(text) as Record<string, unknown>;
    },
    mark: () => journal().length,
    async writtenSince(mark, outcomes) {
      const until = performance.now() + LATE_MS;
      for (;;) {
        const text = journal().slice(mark);
        if ((text.match(OUTCOME)?.length ?? 0) >= outcomes || performance.now() > until) return text;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
    complaints: () => [...(ended ? ['the process ended'] : []), ...fatalLines(gate.log())],
    async [Symbol.asyncDispose]() {
      gate.child.kill('SIGTERM');
      await gate.exited;
      await upstream[Symbol.asyncDispose]();
      rmSync(files.folder, { recursive: true, force: true });
    },
  };
}

function rawBytes(line: string, headers: readonly string[], body: string): string {
  const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return `${[`${line} HTTP/1.1`, ...headers, 'Connection: close', ...length].join('\r\n')}\r\n\r\n${body}`;
}

function journalText(directory: string): string {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.ndjson'))
    .toSorted()
    .map((name) => readFileSync(join(directory, name), 'latin1'))
    .join('');
}

/** Outcomes in the journal's text: `intent`, or the reason of the refusal. */
export function outcomesIn(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { readonly k: string; readonly code?: string })
    .filter(({ k }) => k === 'intent' || k === 'refused')
    .map(({ k, code }) => (k === 'intent' ? 'intent' : (code ?? 'refused')));
}

/** The status and, of problem details, the reason: `401 credential_invalid`. */
export function shortly({ status, body }: RawAnswer): string {
  const reason = /"reason":"([a-z_]+)"/.exec(body)?.[1];
  return reason === undefined ? String(status) : `${status} ${reason}`;
}

/** Write access for an hour. */
export function grantDraft(audience: object): object {
  return {
    audience,
    access: 'write',
    duration: '1h',
    caseRef: 'CASE-1',
    reason: { type: 'customer_initiated_support', detail: 'the import fails' },
  };
}

/** Values of one header of a request that arrived; `name` in lower case. */
export function valuesOf({ headers }: RecordedRequest, name: string): readonly string[] {
  return headers.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

/** What was wrong with the person that the application was told of; `expected` are claims, null for none. */
export function toldFailures(
  request: RecordedRequest,
  expected: Readonly<Record<string, string | null>> = {},
): readonly string[] {
  const assertions = valuesOf(request, 'x-support-assertion');
  const payload = Buffer.from(assertions[0]?.split('.')[1] ?? '', 'base64url').toString();
  const claims = JSON.parse(payload || '{}') as Record<string, unknown>;
  const failures = assertions.length === 1 ? [] : [`${assertions.length} assertions arrived`];
  if (valuesOf(request, 'authorization').length > 0) failures.push('a credential arrived');
  for (const [name, value] of Object.entries(expected)) {
    const told = claims[name] ?? null;
    if (told !== value) failures.push(`${name} arrived as ${JSON.stringify(told)}`);
  }
  return failures;
}

/** Where a piece of what was secret stands, among `places` by their names. */
export function spilled(
  places: Readonly<Record<string, string>>,
  pieces: Iterable<string>,
): readonly string[] {
  const all = [...pieces];
  return Object.entries(places)
    .filter(([, text]) => all.some((piece) => text.includes(piece)))
    .map(([where]) => `a piece of the credential in the ${where}`);
}
