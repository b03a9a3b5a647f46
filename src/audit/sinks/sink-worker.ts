// Entry of the worker thread that ships records to the sinks. Started by `publisher.ts` alone.
// Owns nothing but its pumps: everything it knows after a restart comes from the journal and the cursors.
import { parentPort, workerData } from 'node:worker_threads';
import { createFileSink } from './file-sink.ts';
import type { Sink } from './sink.ts';
import type { FromWorker, ToWorker, WorkerStart } from './sink-messages.ts';
import type { SinkOptions } from './sink-options.ts';
import { SinkPump } from './sink-pump.ts';
import { createStdoutSink } from './stdout-sink.ts';

function createSink(options: SinkOptions): Sink {
  return options.kind === 'stdout' ? createStdoutSink() : createFileSink(options.path);
}

function tell(message: FromWorker): void {
  parentPort?.postMessage(message, []);
}

const { directory, instance, sinks, segment, length } = workerData as WorkerStart;
const pumps = sinks.map(
  ({ name, options }) =>
    new SinkPump({
      name,
      directory,
      instance,
      sink: createSink(options),
      start: { segment, offset: length },
      nowMs: () => performance.now(),
      report: (progress) => tell({ type: 'progress', sink: name, progress }),
      notice: (fields, text) => tell({ type: 'notice', fields, text }),
    }),
);

parentPort?.on('message', (message: ToWorker) => {
  if (message.type === 'reopen') {
    for (const pump of pumps) pump.reopen();
    return;
  }
  const end = { segment: message.segment, offset: message.length };
  if (message.type === 'wrote') {
    for (const pump of pumps) pump.wrote(end);
    return;
  }
  void Promise.all(pumps.map((pump) => pump.drain(end))).then(() => tell({ type: 'drained' }));
});

// A pump ends only by a fault of its own code: the worker dies of it, is counted and started again.
await Promise.all(pumps.map((pump) => pump.run()));
