// What the gateway file says of the audit: the journal, its key and where records go. Types only: `build-rest.ts` and
// `build-sinks.ts` make them, and guarantee what is said of each value.
import type { Secret } from './secret.ts';
import type { SigningKey } from './config.ts';

export interface AuditConfig {
  readonly directory: string;
  readonly durability: 'os' | 'disk';
  /** Ed25519. */
  readonly signingKey: SigningKey;
  readonly maxBytes: number;
  readonly onFull: 'refuse' | 'dropOldestUnshipped';
  readonly retentionMs: number;
  /** In the order of the file; names are unique. */
  readonly sinks: readonly AuditSink[];
  readonly anonymousPerSecond: number;
}

interface AnySink {
  /** Its own, or its kind. */
  readonly name: string;
  readonly format: 'postern' | 'ocsf';
}

export interface StdoutSink extends AnySink {
  readonly kind: 'stdout';
}

export interface FileSink extends AnySink {
  readonly kind: 'file';
  readonly path: string;
}

export interface PostSink extends AnySink {
  /** http: or https:; never with user information. */
  readonly url: string;
  /** By name in lower case, in the order of the file; values of visible ASCII and spaces. */
  readonly headers: ReadonlyMap<string, Secret>;
  readonly timeoutMs: number;
  readonly maxRecords: number;
  readonly compression: 'gzip' | 'none';
  /** PEM; null: the usual authorities. */
  readonly ca: Secret | null;
}

export interface HttpSink extends PostSink {
  readonly kind: 'http';
  /** `whsec_` and base64 of at least 24 bytes, or at least 24 bytes of text. */
  readonly secret: Secret;
}

export interface OtlpSink extends PostSink {
  readonly kind: 'otlp';
  readonly resource: ReadonlyMap<string, string>;
}

export interface SyslogSink extends AnySink {
  readonly kind: 'syslog';
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  readonly protocol: 'tls' | 'tcp';
  readonly ca: Secret | null;
  /** Both or neither, checked to belong together. */
  readonly cert: Secret | null;
  readonly key: Secret | null;
  readonly facility: number;
  readonly hostname: string | null;
  readonly maxMessageBytes: number;
  readonly timeoutMs: number;
}

export type AuditSink = StdoutSink | FileSink | HttpSink | OtlpSink | SyslogSink;
