// Brings the outbox into the journal: what a command or the control API asked to have recorded. Guarantees: each event
// is handed over at least once, in order, and stays in the outbox until a whole turn has passed in which the journal
// took records; an erasure is told to the writer even while the journal takes none. Off the forwarding path.
import type { AuditLog } from '../audit-log.ts';
import { EVENT_CODES } from '../event-codes.ts';
import type { LifecycleEvent } from '../journal.ts';
import type { OutboxEvent, SubjectStore } from './subject-store.ts';

export interface OutboxPumpDeps {
  readonly store: Pick<SubjectStore, 'version' | 'outbox' | 'taken'>;
  /** Whether the journal takes records now. */
  readonly available: () => boolean;
  readonly onEvent: (event: LifecycleEvent) => void;
  /** Somebody was erased: what was remembered of people does not count any more. May be called for nothing. */
  readonly onErased: () => void;
  readonly log: AuditLog;
  /** How often the store is looked at. Default 1 s. */
  readonly everyMs?: number;
}

export interface OutboxPump extends Disposable {
  /** Looks now: after an erasure or an event of this process, which `version` does not show. */
  poke(): void;
}

const EVERY_MS = 1000;
const BATCH = 200;

interface PumpState {
  /** Handed over since the last turn, and in the turn before it. */
  fresh: number[];
  waiting: number[];
  lastHanded: number;
  lastErased: number;
  /** The store's version when it was last looked at; null to look whatever it is. */
  seen: number | null;
  failing: boolean;
}

/** Looks at once, then every second; a store that is away is asked again. */
export function startOutboxPump(deps: OutboxPumpDeps): OutboxPump {
  const state: PumpState = {
    fresh: [],
    waiting: [],
    lastHanded: 0,
    lastErased: 0,
    seen: null,
    failing: false,
  };

  function safely(work: (deps: OutboxPumpDeps, state: PumpState) => void): void {
    try {
      work(deps, state);
      state.failing = false;
    } catch (error) {
      state.seen = null;
      if (!state.failing) deps.log.error({ err: error }, 'the subjects’ store is away');
      state.failing = true;
    }
  }

  const timer = setInterval(() => safely(turn), deps.everyMs ?? EVERY_MS);
  timer.unref();
  safely(look);
  return {
    poke: () => safely(look),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

function turn(deps: OutboxPumpDeps, state: PumpState): void {
  if (!deps.available()) {
    // What was handed over may have been lost with it: everything again, later.
    state.fresh = [];
    state.waiting = [];
    state.lastHanded = 0;
    look(deps, state);
    state.seen = null;
    return;
  }
  if (isIdle(deps, state)) return;
  deps.store.taken(state.waiting);
  state.waiting = state.fresh;
  state.fresh = [];
  look(deps, state);
}

/** Nobody else wrote and nothing is left over: then there is nothing to read either. */
function isIdle({ store }: OutboxPumpDeps, state: PumpState): boolean {
  const version = store.version();
  const same = version === state.seen && state.fresh.length === 0 && state.waiting.length === 0;
  state.seen = version;
  return same;
}

function look(deps: OutboxPumpDeps, state: PumpState): void {
  const events = deps.store.outbox(BATCH);
  for (const { id, event } of events) {
    if (id <= state.lastErased || !isErasure(event)) continue;
    deps.onErased();
    state.lastErased = id;
  }
  if (!deps.available()) return;
  for (const event of events) if (event.id > state.lastHanded) hand(event, deps, state);
  // More than one batch: the rest comes when these are taken.
  if (events.length === BATCH) state.seen = null;
}

function hand({ id, event }: OutboxEvent, { onEvent, log }: OutboxPumpDeps, state: PumpState): void {
  const parsed = parse(event);
  if (parsed === null) log.error({ outbox: id }, 'an event that a command left for the journal is none');
  else onEvent(parsed);
  state.lastHanded = id;
  state.fresh.push(id);
}

function isErasure(text: string): boolean {
  return parse(text)?.event === 'subject.erased';
}

/** Null for what no command of this version wrote. */
function parse(text: string): LifecycleEvent | null {
  try {
    const event = JSON.parse(text) as LifecycleEvent | null;
    if (event === null || !Object.hasOwn(EVENT_CODES, event.event)) return null;
    const { tenant = null, grant = null, actor = null, details = {} } = event;
    return { event: event.event, tenant, grant, actor, details };
  } catch {
    return null;
  }
}
