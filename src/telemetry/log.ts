// The operational log: boot, reload, faults and shutdown, as JSON lines on standard error (standard output is
// a sink of the audit). Not the audit, and not hot: no line per request but for faults.
import { type Bindings, type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { redacted } from './redact.ts';

type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';

/** `log.info({requestId}, 'sentence')`. Whatever is handed in goes through redaction first. */
export type Log = Logger;

export interface LogDeps {
  readonly level: LogLevel;
  /** Names this process in every line. */
  readonly instance: string;
  /** Standard error, synchronously, unless a test wants to read it. */
  readonly destination?: DestinationStream;
}

const STDERR = 2;

export function createLog(deps: LogDeps): Log {
  const { level, instance } = deps;
  const destination = deps.destination ?? pino.destination({ fd: STDERR, sync: true });
  const log = pino(
    {
      level,
      base: { instance },
      timestamp: stdTimeFunctions.isoTime,
      messageKey: 'message',
      formatters: {
        level: (label) => ({ level: label }),
      },
      hooks: {
        logMethod(args, method) {
          method.apply(this, args.map((arg) => redacted(arg)) as typeof args);
        },
      },
    },
    destination,
  );
  // pino runs the bindings of a child through no formatter; its children inherit this method.
  const { child } = log;
  log.child = function (this: Log, bindings, options) {
    return child.call(this, redacted(bindings) as Bindings, options);
  } as Log['child'];
  return log;
}
