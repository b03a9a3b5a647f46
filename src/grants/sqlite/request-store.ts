// The embedded RequestStore: access requests as documents in the one SQLite file. Each step runs the rules and writes
// request, history, notice and, at the last approval, the grant in one transaction. An ask is tried out before it is
// kept: the grant it would become is made and rolled back, so that it is held to every limit a grant is. Cold.
import type { AccessRequest } from '#model/access-request.ts';
import type { EpochMs } from '#model/clock.ts';
import { type Actor, type Grant, recordedActor } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import { requestNotice } from '../requests/request-notice.ts';
import {
  approvedRequest,
  askedRequest,
  deniedRequest,
  grantDraftOf,
  lapsedRequest,
  type RequestContext,
  requestStatusAt,
  withdrawnRequest,
} from '../requests/request-rules.ts';
import type {
  RequestApprovalStep,
  RequestLapseFeed,
  RequestStore,
  RequestWish,
} from '../requests/request-store.ts';
import type { GrantWrites } from './grant-writes.ts';
import { addNotice } from './notices.ts';
import {
  addRequest,
  hasPending,
  lapsedRequests,
  nextLapseOf,
  pendingCount,
  requestById,
  requestPage,
  updateRequest,
} from './request-statements.ts';
import type { SettingsSource } from './settings-source.ts';
import type { StoreCore, Transaction } from './store-core.ts';

export interface RequestStoreDeps {
  readonly settingsOf: SettingsSource;
  readonly writes: GrantWrites;
  /** Told of what a lead has to decide; without any nobody of the vendor's is. */
  readonly leadGroups?: readonly string[];
}

export interface SqliteRequestStore extends RequestStore, RequestLapseFeed {}

/** Of one principal for one tenant: nobody's inbox is to be filled with cases made up. */
const MAX_PENDING = 20;

export function createRequestStore(core: StoreCore, deps: RequestStoreDeps): SqliteRequestStore {
  const { clock } = core;
  return {
    ask: (wish, asker) => core.write((tx) => ask(tx, { wish, asker }, deps)),
    approve: (id, step) => core.write((tx) => approve(tx, { id, step }, deps)),
    deny: (id, denial) =>
      core.write((tx) => {
        const after = deniedRequest(existing(tx, id), denial, tx.now);
        return decided(tx, after, { operation: 'deny', by: denial.by });
      }),
    withdraw: (id, { by, expectedRevision }) =>
      core.write((tx) => {
        const at = { now: tx.now, ...(expectedRevision === undefined ? {} : { expectedRevision }) };
        return decided(tx, withdrawnRequest(existing(tx, id), by, at), { operation: 'withdraw', by });
      }),
    get: (id) =>
      core.read((statements) => {
        const found = requestById(statements, id);
        return found === null ? null : asOf(found, clock.now());
      }),
    async list(query) {
      const now = clock.now();
      const page = await core.read(requestPage(query, now));
      return { ...page, items: page.items.map((request) => asOf(request, now)) };
    },
    nextLapse: () => core.read(nextLapseOf),
    claimLapsed: (limit) =>
      core.write((tx) =>
        lapsedRequests(tx.statements, tx.now, limit).map((request) =>
          decided(tx, lapsedRequest(request), { operation: 'lapse', by: null }),
        ),
      ),
    watch: (onChange, onGap) =>
      core.watch(({ kind }) => {
        if (kind === 'request') onChange();
      }, onGap),
  };
}

function ask(
  tx: Transaction,
  { wish, asker }: { readonly wish: RequestWish; readonly asker: Principal },
  deps: RequestStoreDeps,
): AccessRequest {
  const { tenant, caseRef, escalates } = wish;
  const context = contextOf(tx, tenant, deps);
  const { defaultAccess, durations } = context.settings;
  const draft = { ...wish, wanted: { access: defaultAccess, duration: durations.default, ...wish.wanted } };
  const first = escalates === null ? null : requestById(tx.statements, escalates);
  const request = askedRequest({ id: tx.nextId('req'), draft, asker, first }, context);
  const who = { tenant, now: tx.now, issuer: asker.issuer, id: asker.id };
  if (hasPending(tx.statements, { ...who, caseRef })) {
    throw new GrantRefusal('request_pending', 'Wait for its decision, or withdraw it and ask anew.');
  }
  if (pendingCount(tx.statements, who) >= MAX_PENDING) {
    const allowed = `At most ${MAX_PENDING} requests for one tenant wait at a time; withdraw one.`;
    throw new GrantRefusal('requests_too_many', allowed);
  }
  tryOut(tx, request, { context, writes: deps.writes });
  addRequest(tx.statements, request);
  addNotice(tx, requestNotice('request.made', request, asker, deps.leadGroups));
  return recorded(tx, request, { operation: 'ask', by: asker });
}

interface Approval {
  readonly id: string;
  readonly step: RequestApprovalStep;
}

function approve(
  tx: Transaction,
  { id, step }: Approval,
  deps: RequestStoreDeps,
): { readonly request: AccessRequest; readonly grant: Grant | null } {
  const before = existing(tx, id);
  const context = contextOf(tx, before.tenant, deps);
  const { by } = step;
  const after = approvedRequest(before, step, context);
  if (after.status !== 'approved') {
    tryOut(tx, after, { context, writes: deps.writes });
    updateRequest(tx.statements, after);
    if (step.stage === 'lead') addNotice(tx, requestNotice('request.lead_approved', after, by));
    return { request: recorded(tx, after, { operation: 'approve', by }), grant: null };
  }
  const grant = deps.writes.create(tx, grantDraftOf(after, context, step.notice), by);
  const request = decided(tx, { ...after, grantId: grant.id }, { operation: 'approve', by });
  return { request, grant };
}

function contextOf(tx: Transaction, tenant: TenantId, { settingsOf }: RequestStoreDeps): RequestContext {
  return { now: tx.now, settings: settingsOf(tx.statements, tenant) };
}

const SAVE = 'SAVEPOINT trying_out';
const UNDO = 'ROLLBACK TO trying_out';
const RELEASE = 'RELEASE trying_out';

/** What the tenant's own settings would say of it: who gives it is nobody yet. */
const THE_TENANT: Actor = Object.freeze({
  kind: 'system',
  id: 'request',
  issuer: 'urn:postern:system',
  email: null,
  name: null,
  onBehalfOf: null,
});

interface Trial {
  readonly context: RequestContext;
  readonly writes: GrantWrites;
}

/** Throws the GrantRefusal that making this grant now would meet; leaves no trace either way. */
function tryOut(tx: Transaction, request: AccessRequest, { context, writes }: Trial): void {
  const { statements } = tx;
  statements.sql(SAVE).run();
  try {
    writes.create({ ...tx, changed() {} }, grantDraftOf(request, context), THE_TENANT);
  } finally {
    statements.sql(UNDO).run();
    statements.sql(RELEASE).run();
  }
}

function existing(tx: Transaction, id: string): AccessRequest {
  const request = requestById(tx.statements, id);
  if (request !== null) return request;
  throw new GrantRefusal('request_unknown', 'Name a request by the id it was made with.');
}

interface Stamp {
  readonly operation: 'ask' | 'approve' | 'deny' | 'withdraw' | 'lapse';
  readonly by: Actor | Principal | null;
}

function decided(tx: Transaction, request: AccessRequest, stamp: Stamp): AccessRequest {
  updateRequest(tx.statements, request);
  addNotice(tx, requestNotice('request.decided', request, stamp.by));
  return recorded(tx, request, stamp);
}

/** Writes the history; hands out what is stored, frozen, and nothing of the caller's. */
function recorded(tx: Transaction, request: AccessRequest, { operation, by }: Stamp): AccessRequest {
  const { id, tenant } = request;
  const who = by !== null && 'kind' in by ? recordedActor(by) : by;
  tx.changed({ kind: 'request', id, tenant, operation, by: who, document: request });
  return requestById(tx.statements, id) as AccessRequest;
}

function asOf(request: AccessRequest, now: EpochMs): AccessRequest {
  const status = requestStatusAt(request, now);
  return status === request.status ? request : Object.freeze({ ...request, status });
}
