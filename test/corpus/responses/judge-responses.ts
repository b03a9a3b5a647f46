// Judges the cases of a hostile application against the real process: one after the other, each answer whole and then
// byte by byte, with a next client after each that must get its own answer. Ends what it starts.
import type { CorpusRow } from '../../support/corpus-cases.ts';
import { CORPUS_POLICY } from '../../support/corpus-gate.ts';
import type { Dialogue } from '../../support/corpus-client.ts';
import { type RawUpstream, startRawUpstream, type Wire } from '../../support/upstream-wire.ts';
import { problemIn } from '../judge.ts';
import type { JudgedRow } from '../kinds.ts';
import { openTargetGate, type TargetGate } from '../target-gate.ts';
import { type ResponseCase, responseCases } from './response-cases.ts';

const LATE_MS = 4000;
const CLOSES_WITHIN_MS = 1500;
/** Longer answers go whole only. */
const MOST_PIECES = 2000;

/** What the application does with the next head that is not a next client's, and the connection that it came by. */
interface Plan {
  one: ResponseCase | null;
  inPieces: boolean;
  wire: Wire | null;
}

export async function judgeResponses(rows: readonly CorpusRow[]): Promise<readonly JudgedRow[]> {
  const plan: Plan = { one: null, inPieces: false, wire: null };
  await using upstream = await startHostile(plan);
  await using gate = await openTargetGate(CORPUS_POLICY, upstream.port);
  const judged: JudgedRow[] = [];
  for (const one of responseCases(rows)) {
    const failures: string[] = [];
    for (const inPieces of one.answer.length <= MOST_PIECES ? [false, true] : [false]) {
      const mark = inPieces ? 'byte by byte: ' : '';
      for (const why of await failuresOf(one, inPieces, { gate, plan })) failures.push(mark + why);
    }
    judged.push({ id: one.id, failures });
  }
  const crashes = await gate.finish();
  if (crashes.length > 0) judged.push({ id: `${rows[0]?.id}.crash`, failures: crashes });
  return judged;
}

/** Answers the next client by name, and everybody else as planned. */
function startHostile(plan: Plan): Promise<RawUpstream> {
  return startRawUpstream((wire) => {
    let answered = 0;
    wire.socket.setNoDelay(true);
    wire.socket.on('data', () => {
      const heads = wire.text.split('\r\n\r\n');
      for (; answered < heads.length - 1; answered++) {
        const next = /^GET (\/next-\S*) /.exec(heads[answered] ?? '')?.[1];
        if (next !== undefined) wire.send(`HTTP/1.1 200 OK\r\nContent-Length: ${next.length}\r\n\r\n${next}`);
        else if (/^\w+ \/answered /.test(heads[answered] ?? '')) void answer(plan, wire);
      }
    });
  });
}

async function answer(plan: Plan, wire: Wire): Promise<void> {
  const { one, inPieces } = plan;
  if (one === null) return;
  plan.wire = wire;
  if (!inPieces) wire.send(one.answer);
  else {
    for (const byte of one.answer) {
      if (wire.socket.destroyed) return;
      wire.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  if (one.after === 'end') wire.socket.end();
  else if (one.after === 'reset') wire.socket.resetAndDestroy();
}

interface Stage {
  readonly gate: Pick<TargetGate, 'converse'>;
  readonly plan: Plan;
}

async function failuresOf(one: ResponseCase, inPieces: boolean, { gate, plan }: Stage): Promise<string[]> {
  plan.one = one;
  plan.inPieces = inPieces;
  plan.wire = null;
  const method = one.request.slice(0, one.request.indexOf(' '));
  const untilClosed = one.expect.closes === true;
  const dialogue = await gate.converse(one.request, { methods: [method], untilClosed, limitMs: LATE_MS });
  const failures = [...answerFailures(one, dialogue)];
  const wire = plan.wire as Wire | null;
  if (wire === null) return [...failures, 'the request did not reach the application'];
  if (one.later !== '') wire.send(one.later);
  if (one.expect.destroyed === true && !(await closes(wire)))
    failures.push('the connection to the application stayed');
  const target = `/next-${one.id}`;
  const next = await gate.converse(`GET ${target} HTTP/1.1\r\n<HEAD>\r\n\r\n`, { methods: ['GET'] });
  if (next.answers[0]?.status !== 200 || next.answers[0].body !== target)
    failures.push(`the next client received ${JSON.stringify(next.text.slice(0, 300))}`);
  if (one.expect.destroyed === false && wire.socket.destroyed)
    failures.push('the connection to the application was given up');
  for (const { text } of [dialogue, next])
    if (text.includes('evil')) failures.push(`evil came: ${JSON.stringify(text.slice(0, 600))}`);
  return failures;
}

/** What the client saw of it. */
export function answerFailures({ expect, request }: ResponseCase, dialogue: Dialogue): readonly string[] {
  const [answer] = dialogue.answers;
  const seen = JSON.stringify(dialogue.text.slice(0, 300));
  const failures: string[] = [];
  if (dialogue.answers.length > 1) failures.push(`${dialogue.answers.length} answers: ${seen}`);
  if (dialogue.ending === 'stays') failures.push(`the client’s connection stayed open: ${seen}`);
  if (expect.closes === true && !dialogue.gateClosed)
    failures.push('the gate did not close the client’s connection');
  if (expect.broken === true) {
    const reset = dialogue.ending === 'reset' && dialogue.gateClosed;
    const refused = answer?.status === 502 && problemIn(answer)?.['reason'] === 'upstream_bad_response';
    if (!reset && !refused) failures.push(`neither 502 nor a reset: ${seen}`);
    return failures;
  }
  if (answer === undefined) return [...failures, `no answer: ${seen}`];
  if (answer.status !== expect.status)
    failures.push(`status is ${answer.status} instead of ${expect.status}`);
  if (expect.reason !== undefined && problemIn(answer)?.['reason'] !== expect.reason)
    failures.push(`reason is not ${expect.reason}: ${seen}`);
  if (
    expect.contains !== undefined &&
    !answer.text.includes(expect.contains) &&
    !joined(answer.text).includes(expect.contains)
  )
    failures.push(`${expect.contains} is not in ${seen}`);
  for (const name of expect.absent ?? [])
    if (answer.headers[name] !== undefined) failures.push(`${name} came: ${seen}`);
  if (expect.interim !== undefined && dialogue.interim.length !== expect.interim)
    failures.push(`${dialogue.interim.length} interim responses instead of ${expect.interim}`);
  if (request.startsWith('HEAD ') && !dialogue.text.endsWith('\r\n\r\n'))
    failures.push(`a body came: ${seen}`);
  return failures;
}

/** With the data of chunks side by side: where they begin is the gate's to choose. */
function joined(text: string): string {
  return text.replaceAll(/\r\n[0-9a-f]{1,8}\r\n/g, '');
}

async function closes(wire: Wire): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(resolve, CLOSES_WITHIN_MS, false);
  const closed = await Promise.race([wire.closed.then(() => true), promise]);
  clearTimeout(timer);
  return closed;
}
