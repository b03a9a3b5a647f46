// Sends raw bytes on a connection of their own and reads every answer until the gate closes it, so that a smuggled
// request shows as one answer too many. Bounded in time.
import { parseAnswer, type RawAnswer, rawConnect } from './raw-client.ts';

export interface Dialogue {
  /** Final answers, in order; interim ones apart. */
  readonly answers: readonly RawAnswer[];
  readonly interim: readonly number[];
  readonly text: string;
  /** Whether the gate closed first, before we said goodbye. */
  readonly gateClosed: boolean;
  readonly ending: 'end' | 'reset' | 'stays';
}

export interface DialogueOptions {
  /** HEAD answers have no body, whatever their length says. */
  readonly methods: readonly string[];
  /** Waits for the gate to close by itself instead of saying goodbye after the answers. */
  readonly untilClosed?: boolean;
  readonly limitMs?: number;
}

/** One answer per method is waited for. */
export async function converse(port: number, bytes: string, options: DialogueOptions): Promise<Dialogue> {
  const { methods, untilClosed = false, limitMs = 10_000 } = options;
  await using connection = await rawConnect(port);
  let over = false;
  const limit = Promise.withResolvers<'stays'>();
  const timer = setTimeout(() => limit.resolve('stays'), limitMs);
  const answered = Promise.withResolvers<void>();
  connection.socket.on('data', () => {
    if (readAnswers(connection.received(), methods).answers.length >= methods.length) answered.resolve();
  });
  const closed = connection.closed.then((ending) => {
    over = true;
    return ending;
  });
  connection.write(bytes);
  if (!untilClosed) await Promise.race([answered.promise, closed, limit.promise]);
  const gateClosed = over;
  if (!untilClosed) connection.socket.end();
  const ending = await Promise.race([closed, limit.promise]);
  clearTimeout(timer);
  const text = connection.received();
  return { ...readAnswers(text, methods), text, gateClosed: gateClosed || (untilClosed && over), ending };
}

function readAnswers(received: string, methods: readonly string[]): Pick<Dialogue, 'answers' | 'interim'> {
  const answers: RawAnswer[] = [];
  const interim: number[] = [];
  let text = received;
  for (;;) {
    const end = text.indexOf('\r\n\r\n');
    if (end < 0) return { answers, interim };
    const head = parseAnswer(text.slice(0, end + 4));
    if (head.status < 200) {
      interim.push(head.status);
      text = text.slice(end + 4);
      continue;
    }
    const length = bodyLength(head, text.slice(end + 4), methods[answers.length] === 'HEAD');
    if (length === null) return { answers, interim };
    answers.push(parseAnswer(text.slice(0, end + 4 + length)));
    text = text.slice(end + 4 + length);
  }
}

/** How much of `rest` is the body of `head`; null when it is not all there. */
export function bodyLength({ status, headers }: RawAnswer, rest: string, isHead: boolean): number | null {
  if (isHead || status === 204 || status === 304) return 0;
  if (headers['transfer-encoding'] === 'chunked') {
    const end = rest.indexOf('0\r\n\r\n');
    return end < 0 ? null : end + 5;
  }
  const length = Number(headers['content-length'] ?? 0);
  return rest.length < length ? null : length;
}
