// Which blocks of the gate's own source an input reached, by V8's precise coverage (node:inspector). A look costs about
// a millisecond, so that it is taken for a batch and not for an input; the modules must be loaded after it began.
import { type Profiler, Session } from 'node:inspector';

/** By its URL, where in a script each range begins that V8 told apart so far. */
type Blocks = Map<string, Set<number>>;

export interface Reached {
  /** `url:offset` of blocks that ran now and never before in this view. */
  readonly fresh: ReadonlySet<string>;
  /** Adds them to what is known. */
  keep(): void;
}

export interface BlockCount {
  readonly covered: number;
  readonly known: number;
}

/** What one target looks at. */
export interface CoverageView {
  /** What ran since the last look of any view. */
  look(): Reached;
  count(): BlockCount;
}

export interface Coverage extends Disposable {
  /** Begins anew: nothing ran yet. */
  view(sources: RegExp): CoverageView;
}

/** The state of the whole process: at most one at a time. */
export function startCoverage(): Coverage {
  const session = new Session();
  session.connect();
  const blocks: Blocks = new Map();
  post(session, 'Profiler.enable');
  // Not counted, only whether it ran: V8 then may optimise, and tells a function once until it changes.
  post(session, 'Profiler.startPreciseCoverage', { callCount: false, detailed: true });
  return {
    view: (sources) => viewOf(session, blocks, sources),
    [Symbol.dispose]() {
      post(session, 'Profiler.stopPreciseCoverage');
      session.disconnect();
    },
  };
}

function viewOf(session: Session, blocks: Blocks, sources: RegExp): CoverageView {
  const ran = new Set<string>();
  return {
    look() {
      const fresh = new Set<string>();
      for (const { url, functions } of taken(session)) {
        if (!url.startsWith('file:') || !/\/src\//.test(url)) continue;
        const starts = startsIn(blocks, url);
        const now = painted(functions, starts);
        if (!sources.test(url)) continue;
        for (const start of starts) {
          const block = `${url}:${start}`;
          if (now[start] === 1 && !ran.has(block)) fresh.add(block);
        }
      }
      return {
        fresh,
        keep() {
          for (const block of fresh) ran.add(block);
        },
      };
    },
    count() {
      let known = 0;
      for (const [url, starts] of blocks) if (sources.test(url)) known += starts.size;
      return { covered: ran.size, known };
    },
  };
}

function startsIn(blocks: Blocks, url: string): Set<number> {
  const known = blocks.get(url);
  if (known !== undefined) return known;
  const starts = new Set<number>();
  blocks.set(url, starts);
  return starts;
}

/** One byte for each character: 1 where it ran. Ranges lie within each other, the outer ones first. */
function painted(functions: readonly Profiler.FunctionCoverage[], starts: Set<number>): Uint8Array {
  let end = 0;
  for (const { ranges } of functions) for (const { endOffset } of ranges) end = Math.max(end, endOffset);
  const now = new Uint8Array(end);
  for (const { ranges } of functions) {
    for (const { startOffset, endOffset, count } of ranges) {
      starts.add(startOffset);
      now.fill(count > 0 ? 1 : 0, startOffset, endOffset);
    }
  }
  return now;
}

function taken(session: Session): readonly Profiler.ScriptCoverage[] {
  const answer = post(session, 'Profiler.takePreciseCoverage');
  return (answer as Profiler.TakePreciseCoverageReturnType).result;
}

/** In the same thread it answers before it returns. */
function post(session: Session, method: string, parameters: object = {}): unknown {
  let answer: unknown = null;
  let failure: Error | null = null;
  session.post(method, parameters, (error, result) => {
    failure = error;
    answer = result;
  });
  if (failure !== null) throw failure as Error;
  return answer;
}
