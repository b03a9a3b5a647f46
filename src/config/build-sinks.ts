// The sinks of the audit: addresses, secrets, names. Cold.
// Guarantees: every name is unique, since a cursor belongs to it; no two sinks write to one place; nothing leaves this
// machine in the clear unless the file says so loudly; every header and secret can be sent as it is.
import { X509Certificate } from 'node:crypto';
import type { AuditSink, PostSink, SyslogSink } from './audit-config.ts';
import { sinkHeaderProblem } from './header-names.ts';
import { quoted } from './problem.ts';
import type { Reader } from './reader.ts';
import { type Secret, secretOf } from './secret.ts';
import { tlsProblem } from './tls-material.ts';
import { isLoopback, postUrlProblem } from './urls.ts';
import { pointerTo } from './yaml-source.ts';

/** What the Standard Webhooks specification asks for, at the least. */
export const MIN_SECRET_BYTES = 24;
const SECRET_PREFIX = 'whsec_';
const NOTHING = secretOf('', null);

/** Every kind by its key; where none is known the schema has said so. */
export function buildSinks(reader: Reader): readonly AuditSink[] {
  const sinks = Array.from({ length: reader.count('/audit/sinks') }, (_, index): AuditSink => {
    const pointer = `/audit/sinks/${index}`;
    if (reader.has(`${pointer}/http`)) return buildHttp(reader, `${pointer}/http`);
    if (reader.has(`${pointer}/otlp`)) return buildOtlp(reader, `${pointer}/otlp`);
    if (reader.has(`${pointer}/syslog`)) return buildSyslog(reader, `${pointer}/syslog`);
    if (!reader.has(`${pointer}/file`)) {
      return { kind: 'stdout', ...buildAny(reader, `${pointer}/stdout`, 'stdout') };
    }
    const file = `${pointer}/file`;
    return { kind: 'file', ...buildAny(reader, file, 'file'), path: reader.path(`${file}/path`) };
  });
  refuseTwins(reader, sinks);
  return sinks;
}

function buildAny(reader: Reader, pointer: string, kind: string): Pick<AuditSink, 'name' | 'format'> {
  const name = reader.text(`${pointer}/name`);
  const format = reader.text(`${pointer}/format`) === 'ocsf' ? 'ocsf' : 'postern';
  return { name: name === '' ? kind : name, format };
}

function buildHttp(reader: Reader, pointer: string): AuditSink {
  const secret = reader.secret(`${pointer}/secret`);
  if (secret !== null && signatureBytes(secret.reveal()) < MIN_SECRET_BYTES) {
    reader.problem(
      `${pointer}/secret`,
      `the secret must be whsec_ and base64, or a text, of at least ${MIN_SECRET_BYTES} bytes`,
    );
  }
  return { kind: 'http', ...buildPost(reader, pointer, 'http'), secret: secret ?? NOTHING };
}

function buildOtlp(reader: Reader, pointer: string): AuditSink {
  const names = reader.keys(`${pointer}/resource`);
  const resource = new Map(
    names.map((name) => [name, reader.text(pointerTo(`${pointer}/resource`, name))] as const),
  );
  if (names.includes('')) reader.problem(`${pointer}/resource`, 'the name of an attribute is empty');
  return { kind: 'otlp', ...buildPost(reader, pointer, 'otlp'), resource };
}

function buildPost(reader: Reader, pointer: string, kind: 'http' | 'otlp'): PostSink {
  const url = reader.text(`${pointer}/url`);
  const isPlainAllowed = reader.flag(`${pointer}/dangerouslyAllowPlainHttp`);
  const problem = url === '' ? null : postUrlProblem(url, isPlainAllowed);
  if (problem !== null) reader.problem(`${pointer}/url`, `url ${problem}`);
  if (isPlainAllowed) {
    reader.warn(
      `${pointer}/dangerouslyAllowPlainHttp`,
      'records may leave this machine in the clear: whoever stands between reads names, addresses and tokens',
    );
  }
  return {
    ...buildAny(reader, pointer, kind),
    url,
    headers: buildHeaders(reader, `${pointer}/headers`),
    timeoutMs: reader.durationMs(`${pointer}/timeout`, '1s', '5m'),
    maxRecords: reader.number(`${pointer}/maxRecords`),
    compression: reader.text(`${pointer}/compression`) === 'none' ? 'none' : 'gzip',
    ca: buildAuthorities(reader, `${pointer}/tls/ca`),
  };
}

function buildHeaders(reader: Reader, pointer: string): ReadonlyMap<string, Secret> {
  const headers = new Map<string, Secret>();
  for (const name of reader.keys(pointer)) {
    const place = pointerTo(pointer, name);
    const lower = name.toLowerCase();
    const problem = sinkHeaderProblem(name);
    if (problem !== null) reader.problem(place, `${quoted(name)} ${problem}`);
    if (headers.has(lower)) reader.problem(place, `${quoted(name)} stands here twice, but for letter case`);
    const text = reader.text(place);
    const value = text === '' ? reader.secret(place) : secretOf(text, null);
    if (value !== null && !/^[\x20-\x7e]+$/.test(value.reveal())) {
      reader.problem(place, 'the value holds a line break or another character that is not visible ASCII');
    }
    headers.set(lower, value ?? NOTHING);
  }
  return headers;
}

function buildSyslog(reader: Reader, pointer: string): SyslogSink {
  const { host, port } = buildAddress(reader, `${pointer}/address`);
  const protocol = reader.text(`${pointer}/protocol`) === 'tcp' ? 'tcp' : 'tls';
  const hasTls = ['ca', 'cert', 'key'].some((key) => reader.has(`${pointer}/tls/${key}`));
  if (protocol === 'tcp' && hasTls) reader.problem(`${pointer}/tls`, 'tls has no meaning with protocol: tcp');
  if (protocol === 'tcp' && host !== '' && !isLoopback(host)) {
    reader.warn(
      `${pointer}/protocol`,
      'records leave this machine in the clear: whoever stands between reads names and addresses',
    );
  }
  const hostname = reader.text(`${pointer}/hostname`);
  return {
    kind: 'syslog',
    ...buildAny(reader, pointer, 'syslog'),
    host,
    port,
    protocol,
    ca: buildAuthorities(reader, `${pointer}/tls/ca`),
    ...buildOwnCertificate(reader, `${pointer}/tls`),
    facility: reader.number(`${pointer}/facility`),
    hostname: hostname === '' ? null : hostname,
    maxMessageBytes: reader.sizeBytes(`${pointer}/maxMessageBytes`, '1KiB', '1MiB'),
    timeoutMs: reader.durationMs(`${pointer}/timeout`, '1s', '5m'),
  };
}

function buildAddress(reader: Reader, pointer: string): { readonly host: string; readonly port: number } {
  const text = reader.text(pointer);
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  if (port > 65_535) reader.problem(pointer, `${quoted(text)}: a port is 1 to 65535`);
  return { host: text.slice(0, Math.max(colon, 0)).replace(/^\[|\]$/g, ''), port };
}

function buildOwnCertificate(reader: Reader, pointer: string): Pick<SyslogSink, 'cert' | 'key'> {
  const isPair = reader.has(`${pointer}/cert`) === reader.has(`${pointer}/key`);
  if (!isPair) reader.problem(pointer, 'cert and key go together');
  const cert = reader.has(`${pointer}/cert`) ? reader.secret(`${pointer}/cert`) : null;
  const key = reader.has(`${pointer}/key`) ? reader.secret(`${pointer}/key`) : null;
  if (cert !== null && key !== null) {
    const problem = tlsProblem({ cert, key });
    if (problem !== null) reader.problem(pointer, problem);
  }
  return { cert, key };
}

/** OpenSSL passes over what is no certificate, and every receiver would then be refused. */
export function buildAuthorities(reader: Reader, pointer: string): Secret | null {
  if (!reader.has(pointer)) return null;
  const pem = reader.secret(pointer);
  if (pem !== null && !isCertificate(pem.reveal())) {
    reader.problem(pointer, 'the authorities must be certificates in PEM');
  }
  return pem;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/** Of the key it stands for; 0 for what says it is base64 and is none. */
export function signatureBytes(secret: string): number {
  if (!secret.startsWith(SECRET_PREFIX)) return Buffer.byteLength(secret);
  const text = secret.slice(SECRET_PREFIX.length);
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64').length : 0;
}

function refuseTwins(reader: Reader, sinks: readonly AuditSink[]): void {
  const places = new Set<string>();
  const names = new Set<string>(['index']);
  for (const [index, sink] of sinks.entries()) {
    const pointer = `/audit/sinks/${index}`;
    const place = placeOf(sink);
    if (places.has(place)) reader.problem(pointer, 'another sink writes to the same place');
    else if (names.has(sink.name)) {
      const hasName = reader.has(`${pointer}/${sink.kind}/name`);
      reader.problem(
        hasName ? `${pointer}/${sink.kind}/name` : pointer,
        hasName
          ? `the name ${quoted(sink.name)} is taken`
          : `another sink is called ${quoted(sink.name)}: give this one a name, under which its place in the journal is kept`,
      );
    }
    places.add(place);
    names.add(sink.name);
  }
}

/** Two sinks writing to one place would tear each other's lines, or send everything twice. */
function placeOf(sink: AuditSink): string {
  switch (sink.kind) {
    case 'stdout':
      return sink.kind;
    case 'file':
      return `file ${sink.path}`;
    case 'syslog':
      return `syslog ${sink.host} ${sink.port} ${sink.format}`;
    default:
      return `${sink.kind} ${sink.url} ${sink.format}`;
  }
}
