// What the configuration says of a sink, and how a sink is called everywhere else.
// Plain data that can be cloned to the worker. Secrets stand here revealed: an option is never logged or put into an error.

/** How a record is written: as it is, or as an OCSF API Activity event (../ocsf.ts). Default `postern`. */
export type RecordFormat = 'postern' | 'ocsf';

interface AnySink {
  /** Lower-case kebab, unique among the sinks; the cursor belongs to it. Default: the kind, numbered. */
  readonly name?: string;
  readonly format?: RecordFormat;
}

export interface StdoutOptions extends AnySink {
  readonly kind: 'stdout';
}

export interface FileOptions extends AnySink {
  readonly kind: 'file';
  /** Absolute. */
  readonly path: string;
}

/** What is posted somewhere: through `http-post.ts`. */
interface PostOptions extends AnySink {
  /** http: or https:, without user information or fragment. */
  readonly url: string;
  /** Sent with each request, names in lower case: tokens stand in here. */
  readonly headers: Readonly<Record<string, string>>;
  /** From the request to the end of its response. */
  readonly timeoutMs: number;
  /** Of one request; 1 or more. */
  readonly maxRecords: number;
  readonly compression: 'gzip' | 'none';
  /** PEM of the authorities that are trusted instead of the usual ones; null: the usual ones. */
  readonly ca: string | null;
}

export interface HttpOptions extends PostOptions {
  readonly kind: 'http';
  /** What batches are signed with: `whsec_` and base64, or at least 24 bytes of text. */
  readonly secret: string;
}

export interface OtlpOptions extends PostOptions {
  readonly kind: 'otlp';
  /** Attributes of the resource, beside those that Postern sets; `service.name` may be overridden. */
  readonly resource: Readonly<Record<string, string>>;
}

export interface SyslogOptions extends AnySink {
  readonly kind: 'syslog';
  /** An IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'tls';
  /** PEM; looked at with `protocol: tls` only. Null: the usual authorities, no certificate of ours. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  /** RFC 5424 section 6.2.1, 0 to 23. */
  readonly facility: number;
  /** Null: that of the machine. */
  readonly hostname: string | null;
  /** Of one message, its header included; a longer record is cut down to fit as the sink's page says. */
  readonly maxMessageBytes: number;
  /** To connect, and to hand over what was written. */
  readonly timeoutMs: number;
}

export type SinkOptions = StdoutOptions | FileOptions | HttpOptions | OtlpOptions | SyslogOptions;

/** The label of each sink in metrics and the name of its cursor: its own, or its kind numbered from the second on. */
export function namesOf(sinks: readonly SinkOptions[]): readonly string[] {
  const seen = new Map<string, number>();
  return sinks.map(({ kind, name }) => {
    if (name !== undefined) return name;
    const count = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, count);
    return count === 1 ? kind : `${kind}-${count}`;
  });
}
