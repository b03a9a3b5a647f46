// The gate with the real rooms behind it, over one store: a session is opened, entered by its link, used, and ended by the
// principal, the customer's revoke, a lock, and the next session; each is true for traffic when its call returns.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createGrantAuthority, type GrantAuthority } from '#grants/grant-authority.ts';
import { createGrantCache } from '#grants/grant-cache.ts';
import { createLockAuthority } from '#grants/locks/lock-authority.ts';
import { createLockBoard } from '#grants/locks/lock-board.ts';
import { createLockStore } from '#grants/sqlite/lock-store.ts';
import { createTenantViews } from '#grants/sqlite/tenant-view.ts';
import { standingGrants } from '#grants/standing-grants.ts';
import { type EpochMs, NEVER, systemClock } from '#model/clock.ts';
import type { Actor } from '#model/grant.ts';
import { createSessionAuthority, type SessionAuthority } from '#sessions/session-authority.ts';
import { createSessionCache } from '#sessions/session-cache.ts';
import { acme, admin, DAY, draft, sam, settingsWith, temporaryFolder } from '../support/grants-fixtures.ts';
import { rawConnect } from '../support/raw-client.ts';
import { cookieLine, reasonOf, type SessionGate, startSessionGate } from '../support/session-gate.ts';
import { quietLog, sessionLimits, storesOn, wish } from '../support/sessions-fixtures.ts';

const AS_SAM = 'Authorization: Bearer sam';
const OWN = 'Origin: https://acme.app.test';
const FORM = 'Content-Type: application/x-www-form-urlencoded';
const SECURITY: Actor = { ...admin, kind: 'security', id: 'sec', email: null };
const EVENT_STREAM = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n';

function onEvent(): void {}

function settingsOf() {
  return settingsWith({ sessionsRequired: true, caseRefRequired: false });
}

interface RealGate extends SessionGate {
  readonly grants: GrantAuthority;
  readonly authority: SessionAuthority;
  readonly locks: ReturnType<typeof createLockAuthority>;
}

async function realGate(): Promise<RealGate> {
  const folder = temporaryFolder();
  const clock = systemClock;
  const log = quietLog();
  const stores = storesOn(join(folder.path, 's.db'), clock, settingsOf);
  const views = createTenantViews(stores.core, { settingsOf, standingGrants });
  const grantCache = createGrantCache({ views, clock, maxEntries: 10, ttlMs: 30_000, negativeTtlMs: 2000 });
  const cache = createSessionCache({ store: stores.sessions, clock, maxEntries: 10, ttlMs: 30_000, log });
  const lockStore = createLockStore(stores.core);
  const board = createLockBoard({
    store: lockStore,
    clock,
    log,
    onLocked: (lock) => gate.gateway.locked(lock),
  });
  await board.firstRead;
  const authority = createSessionAuthority({
    store: stores.sessions,
    cache,
    enforcer: {
      sessionEnded: (session) => gate.gateway.sessionEnded(session),
      sessionNarrowed: (session) => gate.gateway.sessionNarrowed(session),
    },
    clock,
    limits: sessionLimits,
    onEvent,
    log,
  });
  const gate = await startSessionGate({
    clock,
    rooms: () => ({ grants: grantCache, sessions: cache, sessionDesk: authority, locks: board }),
    tokens: { sam: { principal: sam, keyId: 'k', expiresAt: NEVER } },
    respond: (request, socket) => {
      if (request.target === '/stream') socket.write(EVENT_STREAM);
      else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    },
  });
  const enforcer = gate.gateway;
  const grants = createGrantAuthority({
    store: stores.grants,
    cache: grantCache,
    enforcer,
    clock,
    log,
    onEvent,
    grantsInUse: () => gate.gateway.grantsInUse(),
  });
  const locks = createLockAuthority({ store: lockStore, board, enforcer, onEvent });
  const closeGate = gate[Symbol.asyncDispose].bind(gate);
  return Object.assign(gate, {
    grants,
    authority,
    locks,
    async [Symbol.asyncDispose]() {
      await closeGate();
      grants[Symbol.dispose]();
      authority[Symbol.dispose]();
      board[Symbol.dispose]();
      await cache[Symbol.asyncDispose]();
      await stores.core.close();
      folder[Symbol.dispose]();
    },
  });
}

function today() {
  const now = systemClock.now();
  return { startsAt: now, expiresAt: (now + DAY) as EpochMs };
}

async function opened(gate: RealGate, access: 'read' | 'write' = 'read') {
  const grant = await gate.grants.create(draft({ access: 'write', ...today() }), admin);
  return { grant, ...(await gate.authority.open(wish({ access, launch: true }))) };
}

async function entered(gate: RealGate, token: string): Promise<string> {
  const form = String(new URLSearchParams({ launch: token }));
  const answer = await gate.ask('POST /-/postern/enter', [OWN, FORM], form);
  expect(answer.status).toBe(303);
  return /__Host-postern=([^;]+)/.exec(answer.headers['set-cookie'] ?? '')?.[1] ?? '';
}

/** An event stream of this session; resolves once its first event is there. */
async function watching(gate: RealGate, header: string) {
  const connection = await rawConnect(gate.port);
  connection.write(gate.bytes('GET /stream', [header]));
  await connection.waitFor('data: 1');
  return connection;
}

describe('a session through the gate', () => {
  it('is opened, entered by its link, and reads only', async () => {
    await using gate = await realGate();
    await gate.grants.create(draft({ access: 'write', ...today() }), admin);
    expect(reasonOf(await gate.ask('GET /tickets', [AS_SAM]))).toBe('session_required');
    const { launch, session } = await gate.authority.open(wish({ launch: true }));
    const shown = await gate.ask(`GET /-/postern/enter?launch=${launch?.token ?? ''}`);
    expect(shown.body).toContain(sam.email ?? '');
    const cookie = await entered(gate, launch?.token ?? '');
    expect((await gate.ask('GET /tickets', [cookieLine(cookie)])).status).toBe(200);
    expect(gate.records.at(-1)).toMatchObject({ session: { id: session.id }, grant: { access: 'read' } });
    expect(reasonOf(await gate.ask('POST /tickets', [cookieLine(cookie), OWN], 'x'))).toBe('read_only');
    // The same session, by the token.
    expect((await gate.ask('GET /tickets', [AS_SAM])).status).toBe(200);
    const again = await gate.ask('POST /-/postern/enter', [OWN, FORM], `launch=${launch?.token ?? ''}`);
    expect(reasonOf(again)).toBe('credential_invalid');
  });

  it('follows a newer token of its principal: by cookie no group that it does not name', async () => {
    await using gate = await realGate();
    const audience = { org: 'vendor', groups: ['support'], principals: null };
    await gate.grants.create(draft({ audience, ...today() }), admin);
    const { launch, session } = await gate.authority.open(wish({ launch: true }));
    const cookie = cookieLine(await entered(gate, launch?.token ?? ''));
    await using before = await watching(gate, cookie);
    await gate.authority.principalSeen({ ...sam, groups: [...sam.groups, 'new'] });
    expect(before.socket.destroyed).toBe(false);
    // Another group is gone: the grant covers them still, what runs by it is cut, and rules see what is left.
    await gate.authority.principalSeen({ ...sam, groups: ['support'] });
    await before.closed;
    expect(gate.records.at(-1)).toMatchObject({ routePath: '/stream', endedBy: 'narrowed' });
    expect((await gate.ask('GET /tickets', [cookie])).status).toBe(200);
    expect(gate.records.at(-1)?.credential?.principal.groups).toEqual(['support']);
    // A token that names it again gives nothing back.
    await gate.authority.principalSeen(sam);
    await gate.ask('GET /tickets', [cookie]);
    expect(gate.records.at(-1)?.credential?.principal.groups).toEqual(['support']);
    // Without the group that the grant is for the session is over.
    await using after = await watching(gate, cookie);
    await gate.authority.principalSeen({ ...sam, groups: ['tier-2'] });
    await after.closed;
    expect(reasonOf(await gate.ask('GET /tickets', [cookie]))).toBe('session_ended');
    expect(gate.records.at(-1)?.session ?? session).toMatchObject({ id: session.id });
  });

  it.each<
    [string, (gate: RealGate, session: Awaited<ReturnType<typeof opened>>) => Promise<unknown>, string]
  >([
    [
      'when its principal ends it',
      (gate, { session }) => gate.authority.end(session.id, { ending: 'left', by: null, note: null }),
      'session_ended',
    ],
    [
      'when the customer revokes its grant',
      (gate, { grant }) => gate.grants.revoke(grant.id, admin),
      'revoked',
    ],
    [
      'when security locks the tenant',
      (gate) =>
        gate.locks.set(
          { target: { kind: 'tenant', tenant: acme }, message: 'Hold on.', endsAt: null },
          SECURITY,
        ),
      'locked',
    ],
    [
      'when its principal opens another',
      (gate) => gate.authority.open(wish({ launch: false })),
      'session_ended',
    ],
  ])('is over for its stream %s', async (_what, end, endedBy) => {
    await using gate = await realGate();
    const session = await opened(gate);
    const cookie = cookieLine(await entered(gate, session.launch?.token ?? ''));
    await using stream = await watching(gate, cookie);
    await end(gate, session);
    expect(gate.records.find(({ routePath }) => routePath === '/stream')?.endedBy).toBe(endedBy);
    await stream.closed;
    const after = await gate.ask('GET /tickets', [cookie]);
    expect(after.status).toBe(403);
  });

  it('is left in the browser, with a note that is kept', async () => {
    await using gate = await realGate();
    const { launch, session } = await opened(gate);
    const cookie = cookieLine(await entered(gate, launch?.token ?? ''));
    const left = await gate.ask('POST /-/postern/leave', [OWN, FORM, cookie], 'note=Reset+the+import.');
    expect(left.body).toContain('The support session has ended.');
    const ended = await gate.authority.end(session.id, { ending: 'vendor', by: null, note: null });
    expect(ended).toMatchObject({ endedBy: 'left', note: 'Reset the import.' });
    expect(reasonOf(await gate.ask('GET /tickets', [cookie]))).toBe('session_ended');
    expect(reasonOf(await gate.ask('GET /tickets', [AS_SAM]))).toBe('session_required');
  });
});
