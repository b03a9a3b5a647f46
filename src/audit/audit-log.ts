// What the audit room says to operators. The operational log (pino) satisfies it, redaction included:
// an error may be handed in whole. Types only.

export interface AuditLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
