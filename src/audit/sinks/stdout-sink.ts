// Writes records to the process's standard output, from the worker and without ever waiting for its reader.
// Assumes that nothing else writes there: the operational log goes to standard error.
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { ndjson } from './ndjson.ts';
import type { Sink } from './sink.ts';
import type { RecordFormat } from './sink-options.ts';

const STDOUT = 1;

export function createStdoutSink(format?: RecordFormat): Sink<Buffer> {
  const fd = openWithoutWaiting();
  return {
    encode: (records) => ndjson(records, format),
    write(lines, from) {
      try {
        return Promise.resolve(writeSync(fd, lines, from, lines.length - from));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return Promise.resolve(0);
        return Promise.reject(error as Error);
      }
    },
    sync: () => Promise.resolve(),
    reopen: () => undefined,
    close() {
      if (fd !== STDOUT) closeSync(fd);
      return Promise.resolve();
    },
  };
}

/**
 * A pipe opened anew can be written without blocking, whatever the inherited descriptor is set to: a reader
 * that has stopped must not be able to hold up the worker, and through it the shutdown.
 */
function openWithoutWaiting(): number {
  const { O_APPEND, O_NONBLOCK, O_WRONLY } = constants;
  try {
    return openSync('/proc/self/fd/1', O_WRONLY | O_APPEND | O_NONBLOCK);
  } catch {
    return STDOUT;
  }
}
