// The operational log as the rooms see it; telemetry/log.ts makes it. Never an audit record, never on the warm path.
// Fields hold no secret and no personal value; redaction behind it is the second line, not the first.

export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}
