// Makes the sink that an option describes: the one place that knows every kind. Runs in the sink worker.
// Assumes options that the configuration has checked, and that nobody else writes to the same place.
import { createFileSink } from './file-sink.ts';
import { createHttpSink } from './http-sink.ts';
import { createOtlpSink } from './otlp-sink.ts';
import type { Sink } from './sink.ts';
import type { SinkOptions } from './sink-options.ts';
import { createStdoutSink } from './stdout-sink.ts';
import { createSyslogSink } from './syslog-sink.ts';

/** Opens nothing yet that could fail, but for the descriptor of standard output. */
export function createSink(options: SinkOptions): Sink {
  switch (options.kind) {
    case 'stdout':
      return createStdoutSink(options.format);
    case 'file':
      return createFileSink(options);
    case 'http':
      return createHttpSink(options);
    case 'otlp':
      return createOtlpSink(options);
    case 'syslog':
      return createSyslogSink(options);
  }
}
