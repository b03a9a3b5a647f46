// Decodes OTLP requests by the protobuf definitions that OpenTelemetry publishes with its exporters, so that the shape of
// what is sent is judged by something that is not ours.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

interface Message {
  fromObject(value: unknown): unknown;
  verify(value: unknown): string | null;
  encode(value: unknown): { finish(): Uint8Array };
  decode(bytes: Uint8Array): unknown;
  toObject(value: unknown, options: object): unknown;
}

export interface DecodedAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

export interface DecodedRecord {
  readonly timeUnixNano: string;
  readonly observedTimeUnixNano: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly eventName: string;
  readonly body: { readonly stringValue: string };
  readonly attributes: readonly DecodedAttribute[];
  readonly traceId?: Buffer;
}

export interface DecodedRequest {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly DecodedAttribute[] };
    readonly scopeLogs: readonly {
      readonly scope: { readonly name: string };
      readonly logRecords: readonly DecodedRecord[];
    }[];
  }[];
}

const root = require('@opentelemetry/otlp-transformer/build/src/generated/root.js') as {
  opentelemetry: { proto: { collector: { logs: { v1: { ExportLogsServiceRequest: Message } } } } };
};
const official = root.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;

/**
 * The JSON text of a request, through the binary form and back: what the definitions do not know is gone afterwards, and
 * a field of the wrong type throws. Trace ids are hex in this encoding alone (OTLP, "JSON Protobuf Encoding").
 */
export function decodeRequest(text: string): DecodedRequest {
  const parsed: unknown = JSON.parse(text, (key, value: unknown) =>
    key === 'traceId' && typeof value === 'string' ? Buffer.from(value, 'hex') : value,
  );
  const message = official.fromObject(parsed);
  const problem = official.verify(message);
  if (problem !== null) throw new Error(problem);
  const decoded = official.decode(official.encode(message).finish());
  return official.toObject(decoded, { longs: String, enums: Number, bytes: Buffer }) as DecodedRequest;
}
