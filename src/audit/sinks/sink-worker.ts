// Entry of the worker thread behind the journal: signs it, indexes it, and ships its records to the sinks. Started by
// `publisher.ts` alone. Everything it knows after a restart comes from the journal and the cursors.
import { parentPort, workerData } from 'node:worker_threads';
import { Notary } from '../chain/notary.ts';
import { findNotaryStart } from '../chain/notary-start.ts';
import { INDEX_NAME, Indexer } from '../index/indexer.ts';
import type { Position } from '../segment-tail.ts';
import { openSubjectStore } from '../subjects/sqlite-subject-store.ts';
import { createSink } from './create-sink.ts';
import type { Durable, FromWorker, SinkProgress, ToWorker, WorkerStart } from './sink-messages.ts';
import { SinkPump, type WrittenEnd } from './sink-pump.ts';

function tell(message: FromWorker): void {
  parentPort?.postMessage(message, []);
}

function notice(fields: object, text: string): void {
  tell({ type: 'notice', fields, text });
}

const { directory, instance, sinks, signingKey, segment, length, coveredTo } = workerData as WorkerStart;
const nowMs = (): number => performance.now();
const subjects = openSubjectStore({ directory, readOnly: true });
const start: Position = { segment, offset: length };
const pumps = sinks.map(
  ({ name, options }) =>
    new SinkPump({
      name,
      directory,
      instance,
      keys: subjects,
      sink: createSink(options),
      start,
      nowMs,
      report: (progress) => tell({ type: 'progress', sink: name, progress }),
      notice,
    }),
);
const notary = openNotary();
const indexer = new Indexer({
  directory,
  start,
  nowMs,
  report: reportIndex,
  notice,
  follower: notary,
});
notary?.follow(indexer);

/** What is not signed yet may no more be removed than what is not indexed. */
function reportIndex(progress: SinkProgress): void {
  const segmentLeft = Math.min(progress.segment, notary?.segment ?? progress.segment);
  tell({ type: 'progress', sink: INDEX_NAME, progress: { ...progress, segment: segmentLeft } });
}

/** Null where nothing is signed. */
function openNotary(): Notary | null {
  const left = signingKey === null ? null : findNotaryStart(directory, coveredTo);
  if (signingKey === null || left === null) return null;
  return new Notary({
    directory,
    start: left,
    key: signingKey,
    nowMs,
    epochMs: Date.now,
    publish: (text, to) => tell({ type: 'checkpoint', text, to }),
    notice,
  });
}

parentPort?.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'reopen':
      for (const pump of pumps) pump.reopen();
      return;
    case 'removed':
      indexer.forgetSegmentsBelow(message.belowSegment);
      return;
    case 'wrote':
      wrote(message);
      return;
    case 'finish':
      void finish(message);
      return;
    default:
      void drain(message);
  }
});

function endOf(durable: Durable): WrittenEnd {
  return { segment: durable.segment, offset: durable.length, records: durable.records };
}

function wrote(durable: Durable): void {
  const end = endOf(durable);
  notary?.wrote(end);
  indexer.wrote(end, durable.records);
  for (const pump of pumps) pump.wrote(end);
}

async function finish(durable: Durable): Promise<void> {
  const end = endOf(durable);
  indexer.wrote(end, durable.records);
  await notary?.finish(end);
  tell({ type: 'finished' });
}

async function drain(durable: Durable): Promise<void> {
  const end = endOf(durable);
  await Promise.all([...pumps.map((pump) => pump.drain(end)), indexer.drain(end, durable.records)]);
  tell({ type: 'drained' });
}

notary?.wrote(start);
// A pump ends only by a fault of its own code: the worker dies of it, is counted and started again.
await Promise.all(pumps.map((pump) => pump.run()));
