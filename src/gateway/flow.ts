// From the last verdict to the end: record, then forward or answer, then finish. Every transition of an exchange's
// phase stands here. Guarantees: no record, no forward; an answer of ours leaves after its record; a cut exchange
// forwards nothing more. Hot.
import type { Journal } from '#audit/journal.ts';
import type { Clock } from '#model/clock.ts';
import { REASON_OF_CUT } from '#model/cut-denial.ts';
import type { CutReason, EndedBy } from '#model/ended-by.ts';
import type { Log } from '#model/log.ts';
import { type DenialCode, REASONS } from '#model/reason.ts';
import { type Denial, deny, denyByRule, type RuleRef } from '#model/verdict.ts';
import { resetConnection } from '#model/reset-connection.ts';
import type { GatewayMetrics } from '#telemetry/gateway-metrics.ts';
import type { Forwarder, HttpExchange, OutboundExchange, UpgradeExchange } from '#upstream/forwarder.ts';
import { writeAnswer } from './answer.ts';
import type { Exchange, ExchangeEvents } from './exchange.ts';
import { finish, type FinishDeps } from './finish.ts';
import { expiryReason } from './live-exchanges.ts';
import type { PipelineExits } from './pipeline.ts';
import { denialOfGuard, judgeAnswer, recordGuards } from './response-guards.ts';

export interface FlowDeps extends FinishDeps {
  readonly journal: Journal;
  readonly forwarder: Forwarder;
  readonly clock: Clock;
  readonly metrics: GatewayMetrics;
  readonly log: Log;
  /** For the `Allow` header. */
  readonly methods: readonly string[];
}

/** One per gateway. A class, since its methods are the callbacks of every exchange and share one shape. */
export class Flow implements ExchangeEvents, PipelineExits {
  readonly #deps: FlowDeps;

  constructor(deps: FlowDeps) {
    this.#deps = deps;
  }

  holds(x: Exchange, bytes: number): boolean {
    // What still comes of a body when its exchange was cut would be held for ever: `finish` has given back what there was.
    if (x.phase !== 'judging') return false;
    if (!this.#deps.overload.hold(bytes)) {
      this.#deps.overload.shed('held_bodies');
      return false;
    }
    x.heldBytes += bytes;
    return true;
  }

  // ── out of the pipeline ──────────────────────────────────────────────────────────────────────────────────────

  waits(x: Exchange): void {
    this.#deps.live.add(x);
  }

  passed(x: Exchange): void {
    x.phase = 'recording';
    this.#deps.journal.intend(x);
  }

  /** Nothing was forwarded: one complete record, then the answer. */
  refused(x: Exchange, denial: Denial): void {
    setRefusal(x, denial);
    this.#stamp(x);
    this.#deps.journal.refuse(x);
  }

  faulted(x: Exchange, error: unknown, reason: DenialCode): void {
    this.#deps.log.error({ requestId: x.requestId, reason, err: error }, 'a stage failed');
    this.refused(x, deny(reason));
  }

  // ── out of the journal ───────────────────────────────────────────────────────────────────────────────────────

  recorded(x: Exchange): void {
    if (x.phase === 'recording') this.#forward(x);
    else if (x.phase === 'answering') this.#answer(x);
  }

  recordRefused(x: Exchange): void {
    if (x.phase !== 'recording' && x.phase !== 'answering') return;
    x.localAnswer = null;
    x.refusalDetail = null;
    setRefusal(x, deny('audit_unavailable'));
    this.#stamp(x);
    this.#answer(x);
  }

  // ── out of the forwarder ─────────────────────────────────────────────────────────────────────────────────────

  authorityLost(x: Exchange): CutReason | null {
    return x.cutReason ?? expiryReason(x, this.#deps.clock.now());
  }

  handedOver(x: Exchange): void {
    x.decisionMs = this.#deps.clock.monotonic() - x.startedAt;
    // Sent. What the policy read in it stays, for a policy that comes while the answer does.
    x.heldBody = null;
    if (x.heldBytes !== 0) this.#deps.overload.release(x.heldBytes);
    x.heldBytes = 0;
  }

  guardResponse(x: Exchange, status: number, fields: readonly string[], contentLength: number): number {
    const verdict = judgeAnswer(x, { status, fields, contentLength }, this.#deps.log);
    x.guardVerdict = verdict;
    x.shadowGuards = verdict.shadowRules;
    return verdict.denial === null ? verdict.maxBodyBytes : -1;
  }

  responseStarted(x: Exchange, status: number): void {
    x.responseHasStarted = true;
    x.status = status;
    if (x.kind === 'http') return;
    this.#deps.metrics.streamStarted(x.kind);
    this.#deps.journal.started(x);
  }

  failed(x: Exchange, reason: DenialCode, endedBy: EndedBy): void {
    if (x.phase !== 'forwarding') return;
    if (x.responseHasStarted) this.#end(x, endedBy);
    else this.#fail(x, endedBy === 'guard' ? denialOfGuard(x) : deny(reason), endedBy);
  }

  ended(x: Exchange, endedBy: EndedBy): void {
    if (x.phase === 'forwarding') this.#end(x, endedBy);
  }

  // ── from the connection, and from whoever ends authority ─────────────────────────────────────────────────────

  /** Ends an exchange whose authority ended; it is over when this returns. `rule`: of a new policy that denies it. */
  cut(x: Exchange, reason: CutReason, rule: RuleRef | null = null): void {
    if (x.cutReason !== null || x.phase === 'finished' || x.phase === 'answering') return;
    x.cutReason = reason;
    x.rule = rule;
    this.#deps.metrics.exchangeCut(reason);
    if (x.phase === 'forwarding') this.#endCut(x, reason);
    else if (x.phase === 'judging') this.refused(x, denialOfCut(x, reason));
    // In `recording` the journal calls back within this turn, and `#forward` sees the cut.
  }

  clientGone(x: Exchange): void {
    if (x.phase === 'judging') {
      x.endedBy = 'client';
      this.refused(x, deny('client_closed'));
    } else if (x.phase === 'forwarding') {
      x.transfer?.clientGone();
      this.#end(x, 'client');
    }
  }

  /** The parser refused the rest of the body: answered where nothing was sent yet. */
  bodyBroken(x: Exchange, reason: DenialCode): void {
    if (x.phase === 'judging') {
      this.refused(x, deny(reason));
    } else if (x.phase === 'recording') {
      // The journal calls back, and `#forward` sees it.
      x.brokenBody = reason;
    } else if (x.phase === 'forwarding' && !x.responseHasStarted) {
      x.transfer?.clientGone();
      this.#fail(x, deny(reason), 'client');
    } else if (x.phase !== 'answering') {
      // (An answer on its way closes the connection anyway, since the body is unread.)
      // Its close ends the exchange, wherever it stands.
      resetConnection(x.connection.rawSocket, x.connection.socket);
    }
  }

  #forward(x: Exchange): void {
    const lost = this.authorityLost(x);
    if (lost !== null) {
      this.#fail(x, denialOfCut(x, lost), lost);
      return;
    }
    if (x.connection.socket.destroyed) {
      this.#end(x, 'client');
      return;
    }
    if (x.brokenBody !== null) {
      this.#fail(x, deny(x.brokenBody), 'client');
      return;
    }
    x.phase = 'forwarding';
    if (x.expectsContinue && x.heldBody === null) x.res?.writeContinue();
    const { forwarder } = this.#deps;
    const transfer =
      x.res === null
        ? forwarder.upgrade(x as OutboundExchange as UpgradeExchange)
        : forwarder.forward(x as HttpExchange);
    // It may have failed at once; then there is nothing left to cut.
    if (this.#isForwarding(x)) x.transfer = transfer;
  }

  /** A call, so that the compiler does not believe the phase is still what it was before the forwarder ran. */
  #isForwarding(x: Exchange): boolean {
    return x.phase === 'forwarding';
  }

  #endCut(x: Exchange, reason: CutReason): void {
    x.transfer?.cut(reason);
    if (!this.#isForwarding(x)) return;
    if (x.responseHasStarted) this.#end(x, reason);
    else this.#fail(x, denialOfCut(x, reason), reason);
  }

  /** After an intent: the completion says what the client is told instead of the upstream's answer. */
  #fail(x: Exchange, denial: Denial, endedBy: EndedBy): void {
    setRefusal(x, denial);
    x.endedBy = endedBy;
    this.#stamp(x);
    this.#deps.journal.complete(x, x);
  }

  #end(x: Exchange, endedBy: EndedBy): void {
    x.endedBy = endedBy;
    if (x.guardVerdict !== null) recordGuards(x, x.guardVerdict);
    this.#stamp(x);
    finish(x, this.#deps);
    this.#deps.journal.complete(x);
  }

  #answer(x: Exchange): void {
    writeAnswer(x, this.#deps.methods);
    finish(x, this.#deps);
  }

  #stamp(x: Exchange): void {
    x.durationMs = this.#deps.clock.monotonic() - x.startedAt;
    if (x.decisionMs > 0) x.upstreamMs = x.durationMs - x.decisionMs;
  }
}

/** What a client is told whose exchange was cut before it had an answer. */
function denialOfCut(x: Exchange, reason: CutReason): Denial {
  return x.rule === null ? deny(REASON_OF_CUT[reason]) : denyByRule(x.rule);
}

function setRefusal(x: Exchange, denial: Denial): void {
  x.phase = 'answering';
  x.rule = denial.rule;
  x.denialNote = denial.note;
  x.reason = x.localAnswer === null ? denial.reason : 'ok';
  x.status = x.localAnswer === null ? REASONS[denial.reason].status : x.localAnswer.status;
}
