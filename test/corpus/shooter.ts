// Sends generated requests, many at a time, on raw sockets, and reads what comes back. A request that is one plain head
// shares a connection as long as the gate leaves it open; every other has one of its own, so that no leftover of one
// becomes part of the next. Judges nothing.
import { fillIn } from '../support/corpus-cases.ts';
import { bodyLength } from '../support/corpus-client.ts';
import { parseAnswer, type RawAnswer, type RawConnection, rawConnect } from '../support/raw-client.ts';
import type { GeneratedRequest } from './generated-request.ts';
import { tagged } from './serial-answers.ts';

/** Where to send, and as whom. */
export interface ShotTarget {
  readonly port: number;
  readonly host: string;
  readonly token: string;
}

/** What came back for one request. */
export interface Shot {
  readonly request: GeneratedRequest;
  /** Final answers, in order. */
  readonly answers: readonly RawAnswer[];
  /** What came after the last whole answer. */
  readonly rest: string;
  /** `open`: left for the next request; `stays`: the gate kept it although we said goodbye. */
  readonly ending: 'open' | 'end' | 'reset' | 'stays' | 'refused';
}

export interface ShootOptions {
  readonly parallel: number;
  /** How long to wait for a further answer, once there was one and before there was one. */
  readonly quietMs: number;
  readonly silentMs: number;
  /** How long to wait for what must come: an answer to a plain request, an end after our own. 8 s unless it says so. */
  readonly patienceMs?: number;
}

const SHOOTING: ShootOptions = { parallel: 16, quietMs: 60, silentMs: 400 };
const PATIENCE_MS = 8000;

/** Nothing but a request line and the head that `<HEAD>` stands for. */
const PLAIN = /^[A-Z]+ [^\s\0]+ HTTP\/1\.1\r\n<HEAD>\r\n\r\n$/;

/** In the order in which they end. */
export async function shootAll(
  requests: Iterable<GeneratedRequest>,
  target: ShotTarget,
  take: (shot: Shot) => void,
  options: ShootOptions = SHOOTING,
): Promise<void> {
  const queue = requests[Symbol.iterator]();
  const work = async (): Promise<void> => {
    let shared: RawConnection | null = null;
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      const plain = PLAIN.test(next.value.bytes);
      const connection: RawConnection | null = plain && shared !== null ? shared : await dialled(target.port);
      if (connection === null) {
        take({ request: next.value, answers: [], rest: '', ending: 'refused' });
        continue;
      }
      const shot = await shoot(next.value, connection, { target, options, plain });
      if (plain) shared = shot.ending === 'open' ? connection : null;
      if (shot.ending !== 'open') await connection[Symbol.asyncDispose]();
      take(shot);
    }
    await shared?.[Symbol.asyncDispose]();
  };
  await Promise.all(Array.from({ length: options.parallel }, work));
}

async function dialled(port: number): Promise<RawConnection | null> {
  return await rawConnect(port).catch(() => null);
}

interface ShotPlan {
  readonly target: ShotTarget;
  readonly options: ShootOptions;
  readonly plain: boolean;
}

async function shoot(request: GeneratedRequest, connection: RawConnection, plan: ShotPlan): Promise<Shot> {
  const { target, options, plain } = plan;
  const { patienceMs = PATIENCE_MS } = options;
  const { socket } = connection;
  const start = connection.received().length;
  const isHead = /^\s*HEAD /.test(request.bytes);
  const read = (over: boolean) => readAll(connection.received().slice(start), isHead, over);
  let ended: 'end' | 'reset' | null = null;
  const closed = connection.closed.then((ending) => (ended = ending));
  connection.write(fillIn(tagged(request.bytes, request.id), target.host, target.token));
  // Who is sure of an answer waits for it; who sent half a message does not.
  const silentMs = plain || request.mustForward === true ? patienceMs : options.silentMs;
  let seen = read(false);
  while (seen.answers.length < Math.max(1, request.mostRequests)) {
    const before = connection.received().length;
    await quiet(socket, closed, seen.answers.length === 0 ? silentMs : options.quietMs);
    seen = read(ended !== null);
    if (ended !== null || connection.received().length === before) break;
  }
  const last = seen.answers.at(-1);
  const kept = last !== undefined && seen.rest === '' && last.headers['connection'] !== 'close';
  if (plain && ended === null && kept) return { request, ...seen, ending: 'open' };
  socket.end();
  const limit = new Promise<void>((resolve) => void setTimeout(resolve, patienceMs).unref());
  await Promise.race([closed, limit]);
  return { request, ...read(true), ending: ended ?? 'stays' };
}

/** Resolves when something comes, when the connection closes, or after so long. */
async function quiet(socket: RawConnection['socket'], closed: Promise<unknown>, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const came = () => resolve();
  const timer = setTimeout(came, ms);
  socket.once('data', came);
  void closed.then(came);
  await promise;
  clearTimeout(timer);
  socket.off('data', came);
}

/** A body that did not come once all is `over` belongs to a HEAD somewhere in a pipeline. */
function readAll(received: string, isHead: boolean, over: boolean): Pick<Shot, 'answers' | 'rest'> {
  const answers: RawAnswer[] = [];
  let rest = received;
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return { answers, rest };
    const head = parseAnswer(rest.slice(0, end + 4));
    const after = rest.slice(end + 4);
    if (head.status >= 200) {
      const bare = (isHead && answers.length === 0) || after.startsWith('HTTP/1.') || (over && after === '');
      const length = bodyLength(head, after, bare);
      if (length === null) return { answers, rest };
      answers.push(parseAnswer(rest.slice(0, end + 4 + length)));
      rest = after.slice(length);
    } else rest = after;
  }
}
