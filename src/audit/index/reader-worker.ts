// Entry of the worker thread that reads the audit for the control API. Started by `worker-audit-reader.ts` alone.
// Answers one question after the other; it writes nothing and knows nothing between two questions.
import { parentPort, workerData } from 'node:worker_threads';
import { PosternError } from '#model/fault.ts';
import { openSubjectStore } from '../subjects/sqlite-subject-store.ts';
import { createAuditReader } from './create-audit-reader.ts';
import type { Answer, Question, ReaderStart } from './reader-messages.ts';

const { directory, maxTailBytes } = workerData as ReaderStart;
const people = openSubjectStore({ directory, readOnly: true });
const reader = createAuditReader({ directory, people, maxTailBytes });

function answered(question: Question): Promise<unknown> {
  switch (question.method) {
    case 'records':
      return reader.records(question.argument);
    case 'visits':
      return reader.visits(question.argument);
    default:
      return reader.lastActive(question.argument);
  }
}

parentPort?.on('message', (question: Question) => {
  const { id } = question;
  void answered(question)
    .then(
      (value): Answer => ({ id, value }),
      (error: unknown): Answer => {
        const fault =
          error instanceof PosternError ? error.code : error instanceof RangeError ? null : 'INTERNAL';
        return { id, fault, message: error instanceof Error ? error.message : 'not an error' };
      },
    )
    .then((answer) => parentPort?.postMessage(answer, []));
});
