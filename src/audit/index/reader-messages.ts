// What the main thread and the worker that reads the audit say to each other: questions and answers by number, faults by
// code, since an error loses its class on the way. Types only.
import type { FaultCode } from '#model/fault.ts';
import type { AuditReader } from './audit-reader.ts';

export interface ReaderStart {
  readonly directory: string;
  readonly maxTailBytes: number;
}

type Asked = Omit<AuditReader, 'close'>;

export type Question = {
  [Method in keyof Asked]: {
    readonly id: number;
    readonly method: Method;
    readonly argument: Parameters<Asked[Method]>[0];
  };
}[keyof Asked];

export type Answer =
  | { readonly id: number; readonly value: unknown }
  /** Null: a RangeError. */
  | { readonly id: number; readonly fault: FaultCode | null; readonly message: string };
