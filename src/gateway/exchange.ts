// One request on its way through the gate: a fixed-shape object, filled left to right, that every room reads.
// Guarantees: each transition happens once; whatever is called late or twice is ignored. Hot: one per request,
// no closures; the callbacks of journal and forwarder are methods of the prototype.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Recordable } from '#audit/journal.ts';
import type { CachedGrants } from '#grants/grant-lookup.ts';
import { type EpochMs, type MonotonicMs, NEVER } from '#model/clock.ts';
import type { CutReason, EndedBy } from '#model/ended-by.ts';
import type { ExchangeKind } from '#model/exchange.ts';
import type { Grant } from '#model/grant.ts';
import type { RequestId, TenantId } from '#model/ids.ts';
import type { Credential, Principal } from '#model/principal.ts';
import type { DenialCode, ReasonCode } from '#model/reason.ts';
import type { RequestTarget } from '#model/request-target.ts';
import type { SupportSession } from '#model/session.ts';
import type { RuleRef } from '#model/verdict.ts';
import type { CompiledPolicy, GuardVerdict, RouteSettings } from '#policy/compiled-policy.ts';
import type { RequestBody } from '#policy/request-body.ts';
import type { Transfer } from '#upstream/forwarder.ts';
import type { ClientConnection } from './client-connection.ts';
import type { PrincipalUsage } from './principal-limits.ts';
import { RequestHead } from './raw-headers.ts';

const NO_STRINGS: readonly string[] = Object.freeze([]);
const NO_RULES: readonly RuleRef[] = Object.freeze([]);
const NO_HEADERS: string[] = [];

/** Where an exchange stands. It only ever moves down this list. */
export type Phase = 'judging' | 'recording' | 'forwarding' | 'answering' | 'finished';

/** An answer of the gate's own that is not a refusal: the key set and the pages under the reserved prefix. */
export interface LocalAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly cacheControl: string;
  /** Besides those three: name, value, name, value … */
  readonly headers: readonly string[];
}

/** What an exchange tells the gateway. One object for all exchanges, so that an exchange holds no closure. */
export interface ExchangeEvents {
  /** Takes room for bytes of its body that are held; false when there is none. */
  holds(x: Exchange, bytes: number): boolean;
  recorded(x: Exchange): void;
  recordRefused(x: Exchange): void;
  authorityLost(x: Exchange): CutReason | null;
  handedOver(x: Exchange): void;
  guardResponse(x: Exchange, status: number, fields: readonly string[], contentLength: number): number;
  responseStarted(x: Exchange, status: number): void;
  failed(x: Exchange, reason: DenialCode, endedBy: EndedBy): void;
  ended(x: Exchange, endedBy: EndedBy): void;
}

export interface ExchangeStart {
  readonly requestId: RequestId;
  readonly receivedAt: EpochMs;
  readonly startedAt: MonotonicMs;
}

export class Exchange implements Recordable {
  readonly events: ExchangeEvents;
  /** Null for what the parser refused: there is no message then, only bytes. */
  readonly req: IncomingMessage | null;
  /** Null for an upgrade, which Node hands over as a bare socket. */
  readonly res: ServerResponse | null;
  readonly connection: ClientConnection;
  /** The client's side of a tunnel; null unless this is an upgrade. */
  readonly socket: Duplex | null;
  readonly upgradeHead: Buffer | null;

  readonly requestId: RequestId;
  readonly receivedAt: EpochMs;
  readonly startedAt: MonotonicMs;
  readonly method: string;
  readonly httpVersion: string;
  readonly rawTarget: string;
  readonly head: RequestHead = new RequestHead();

  phase: Phase = 'judging';
  /** Set for what never became a request: it is recorded and answered in its turn, and not judged. */
  parserRefusal: DenialCode | null = null;
  kind: ExchangeKind = 'http';
  host = '';
  hostName = '';
  target: RequestTarget | null = null;
  routePath = '';
  forwardPath = '';
  traceId = '';
  credential: Credential | null = null;
  tenant: TenantId | null = null;
  /** The hash of the browser's cookie, where that is the credential; empty otherwise. */
  cookieHash = '';
  /** What holds for the tenant now: its settings, its grants, and what stands without one. */
  view: CachedGrants | null = null;
  /** The one grant it is judged under, its access no wider than the session's. */
  grant: Grant | null = null;
  session: SupportSession | null = null;
  /** `session` says what there is, be it that there is none. */
  sessionIsKnown = false;
  /** Something of the tenant changed while it waited: what was read before counts no more (enforcement.ts). */
  mustLookAgain = false;
  looks = 0;
  grantCacheResult: 'hit' | 'miss' | 'none' = 'none';
  grantCacheAgeMs = 0;
  /** When the grant ends, as it is now: a change under which the exchange goes on may move it. */
  grantEndsAt: EpochMs = NEVER;
  /** When the earliest of grant, session and credential ends (authority-end.ts). */
  authorityEndsAt: EpochMs = 0 as EpochMs;
  policy: CompiledPolicy | null = null;
  settings: RouteSettings | null = null;
  policyDigest = '';
  /** The one workspace that the request names. */
  workspace: string | null = null;
  heldBody: Buffer | null = null;
  /** Bytes of its body for which room was taken (overload.ts). */
  heldBytes = 0;
  /** What the policy read in it. */
  body: RequestBody | null = null;
  /** A rule in shadow mode would have to see the body. */
  wantsBody = false;
  usage: PrincipalUsage | null = null;
  localAnswer: LocalAnswer | null = null;
  /** A path below the reserved prefix: its query may hold a secret of ours, and is not recorded. */
  isReserved = false;
  expectsContinue = false;
  /** Set when the parser refused the body while the exchange was being recorded. */
  brokenBody: DenialCode | null = null;

  reason: ReasonCode = 'ok';
  denialNote: string | null = null;
  /** One sentence for the client besides the reason: a lock's message, how to open a session. */
  refusalDetail: string | null = null;
  rule: RuleRef | null = null;
  shadowRules: readonly RuleRef[] = NO_RULES;
  /** What the guards made of the answer's head; null until it came, and where there are none. */
  guardVerdict: GuardVerdict | null = null;
  shadowGuards: readonly RuleRef[] = NO_RULES;

  upstreamHeaders: string[] = NO_HEADERS;
  upstreamPath = '';
  maxBodyBytes = 0;
  headersTimeoutMs = 0;
  idleTimeoutMs = 0;
  status = 0;
  upstreamStatus = 0;
  upstreamError: string | null = null;
  bytesIn = 0;
  bytesOut = 0;
  decisionMs = 0;
  upstreamMs = 0;
  durationMs = 0;
  endedBy: EndedBy | null = null;
  /** Set when authority ended before the exchange did; nothing is forwarded from then on. */
  cutReason: CutReason | null = null;
  transfer: Transfer | null = null;
  /** Whether its record was begun while it runs, because it takes long. */
  isToldOf = false;
  /** Its place in the list of live exchanges; written by exchange-list.ts alone. */
  isLive = false;
  livePrevious: Exchange | null = null;
  liveNext: Exchange | null = null;
  responseHasStarted = false;

  constructor(
    events: ExchangeEvents,
    start: ExchangeStart,
    connection: ClientConnection,
    message: ClientMessage,
  ) {
    this.events = events;
    this.requestId = start.requestId;
    this.receivedAt = start.receivedAt;
    this.startedAt = start.startedAt;
    this.connection = connection;
    this.req = message.req;
    this.res = message.res;
    this.socket = message.socket;
    this.upgradeHead = message.upgradeHead;
    this.method = message.method;
    this.httpVersion = message.httpVersion;
    this.rawTarget = message.rawTarget;
  }

  get peerIp(): string {
    return this.connection.peerIp;
  }

  get clientIp(): string {
    return this.connection.peerIp;
  }

  get rawSocket(): Socket {
    return this.connection.rawSocket;
  }

  get secure(): boolean {
    return this.connection.secure;
  }

  get userAgent(): string {
    return this.head.userAgent;
  }

  /** Read once, when its record is written. */
  get recordedQuery(): string {
    if (this.policy === null || this.target === null || this.target.query === '' || this.isReserved)
      return '';
    return this.policy.recordedQuery(this.target.query);
  }

  /** Whatever the parser refused is answered over its socket, as an upgrade is, and is none. */
  get isUpgrade(): boolean {
    return this.socket !== null && this.parserRefusal === null;
  }

  get hasBody(): boolean {
    return this.head.contentLength !== 0;
  }

  get contentType(): string {
    return this.head.contentType;
  }

  get tenantClass(): string | null {
    return this.view === null ? null : this.view.settings.class;
  }

  /** For rules: whether it belongs to a support session. */
  get hasSession(): boolean {
    return this.session !== null;
  }

  /** With `tenant` and `caseRef`: whom a lock may be about, as far as is known. */
  get principal(): Principal | null {
    return this.credential === null ? null : this.credential.principal;
  }

  /** A session's is its grant's, where that has one (stages/grant.ts). */
  get caseRef(): string | null {
    if (this.session !== null && this.session.caseRef !== null) return this.session.caseRef;
    return this.grant === null ? null : this.grant.caseRef;
  }

  /** Every line of a header of the request; `name` in lower case. Never `headersDistinct`: it hides what it joins. */
  headerValues(name: string): readonly string[] {
    const raw = this.req?.rawHeaders ?? NO_STRINGS;
    const values: string[] = [];
    for (let i = 0; i < raw.length; i += 2) {
      if (raw[i]?.toLowerCase() === name) values.push(raw[i + 1] as string);
    }
    return values;
  }

  get contentLength(): number {
    return this.head.contentLength;
  }

  get allowedHeaders(): readonly string[] {
    return this.settings === null ? NO_STRINGS : this.settings.headers;
  }

  recorded(): void {
    this.events.recorded(this);
  }

  recordRefused(): void {
    this.events.recordRefused(this);
  }

  authorityLost(): CutReason | null {
    return this.events.authorityLost(this);
  }

  handedOver(): void {
    this.events.handedOver(this);
  }

  get hasGuards(): boolean {
    return this.policy !== null && this.policy.hasGuards;
  }

  guardResponse(status: number, fields: readonly string[], contentLength: number): number {
    return this.events.guardResponse(this, status, fields, contentLength);
  }

  responseStarted(status: number): void {
    this.events.responseStarted(this, status);
  }

  failed(reason: DenialCode, endedBy: EndedBy): void {
    this.events.failed(this, reason, endedBy);
  }

  ended(endedBy: EndedBy): void {
    this.events.ended(this, endedBy);
  }
}

/** What Node handed over: a request with its response, an upgrade with its socket, or bytes it could not parse. */
export interface ClientMessage {
  readonly req: IncomingMessage | null;
  readonly res: ServerResponse | null;
  readonly socket: Duplex | null;
  readonly upgradeHead: Buffer | null;
  readonly method: string;
  readonly httpVersion: string;
  readonly rawTarget: string;
}
