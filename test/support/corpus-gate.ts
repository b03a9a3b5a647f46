// The fixture of the bypass corpus: one gate with its deny rules, one byte recorder behind it, one grant, and the
// journal read as it grows. `send` judges a case by everything that can be seen of it.
import { hygieneFailures, type Judged, type Line, TOLD } from '../corpus/judge.ts';
import { fillIn } from './corpus-cases.ts';
import { converse } from './corpus-client.ts';
import { type Gate, startGate } from './gate.ts';
import {
  type RecordedRequest,
  recordingUpstream,
  type RecordingUpstream,
  type Respond,
} from './recording-upstream.ts';

export const CORPUS_POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: corpus }
spec:
  rules:
    - { id: d1, category: export, match: [{ paths: ["/exports/**"] }] }
    - { id: d2, category: email, match: [{ methods: [POST], paths: ["/api/v1/emails/send"] }] }
    - { id: d3, category: billing, match: [{ paths: ["/billing/**"] }] }
    - { id: d4, category: export, match: [{ paths: ["/reports"], query: { format: [csv, xlsx] } }] }
    - { id: d5, category: export, match: [{ paths: ["/graphql"], graphql: { operations: [exportCustomers, sendEmail] } }] }
    - { id: d6, category: email, match: [{ paths: ["/rpc"], jsonrpc: { methods: [email.send] } }] }
    - { id: d7, category: export, match: [{ paths: ["/v1/customers:export", "/v1/$export", "/v1/Export()"] }] }
    - { id: d8, category: export, match: [{ methods: [POST], paths: ["/lists"], json: { /format: [csv, xlsx] } }, { methods: [POST], paths: ["/lists"], form: { format: [csv, xlsx] } }] }
    - { id: m1, category: records, match: [{ methods: [DELETE], paths: ["/records/{id}"] }] }
---
apiVersion: postern/v1
kind: RouteSettings
metadata: { name: slashes }
spec: { paths: ["/files/**"], allow: [encodedSlash] }
---
apiVersion: postern/v1
kind: RouteSettings
metadata: { name: bodies }
spec: { paths: ["/search"], allow: [getBody], headers: [x_app_name] }
`;

/** What a request is recorded as, once: forwarded (`ok`) or refused, by its reason. */
export function outcomesOf(lines: readonly Line[]): readonly string[] {
  return lines.filter(({ k }) => k === 'intent' || k === 'refused').map(({ code }) => code ?? 'ok');
}

export interface CorpusGate extends Judged, AsyncDisposable {
  readonly gate: Gate;
  readonly upstream: RecordingUpstream;
  readonly token: string;
  /** Of the one grant there is. */
  readonly grantId: string;
  /** Host and Authorization of an allowed request. */
  readonly head: string;
  /** Journal lines since the last call. */
  takeLines(): readonly Line[];
}

function toldIn(gate: Gate): Line[] {
  return (gate.journal() as unknown as Line[]).filter(({ k }) => TOLD.has(k));
}

export interface CorpusGateOptions {
  readonly respond?: Respond;
  /** Of another upstream; the recorder then sees nothing. */
  readonly upstreamPort?: number;
  readonly policy?: string;
  readonly config?: Readonly<Record<string, unknown>>;
}

export async function startCorpusGate(options: CorpusGateOptions = {}): Promise<CorpusGate> {
  const upstream = await recordingUpstream(options.respond);
  const gate = await startGate({
    upstreamPort: options.upstreamPort ?? upstream.port,
    policy: options.policy ?? CORPUS_POLICY,
    config: {
      // Each refusal shall have a record of its own, however many come in a second.
      audit: { directory: 'audit', sinks: [], anonymousPerSecond: 1_000_000 },
      ...options.config,
    },
  });
  const { id: grantId } = await gate.grant({});
  const token = await gate.staffToken();
  let requestsTaken = 0;
  let linesTaken = toldIn(gate).length;
  return {
    gate,
    upstream,
    token,
    grantId,
    head: `Host: ${gate.host}\r\nAuthorization: Bearer ${token}`,
    converse: (bytes, dialogue) => converse(gate.dataPort, fillIn(bytes, gate.host, token), dialogue),
    takeForwarded() {
      const taken = upstream.requests.slice(requestsTaken);
      requestsTaken = upstream.requests.length;
      return taken;
    },
    takeLines() {
      const lines = toldIn(gate);
      const taken = lines.slice(linesTaken);
      linesTaken = lines.length;
      return taken;
    },
    async [Symbol.asyncDispose]() {
      await gate[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** Throws when a forwarded request breaks one of the laws that hold whatever was sent. */
export function checkHygiene(request: RecordedRequest): void {
  const failures = hygieneFailures(request);
  if (failures.length > 0) throw new Error(failures.join('\n'));
}
