import { describe, expect, it } from 'vitest';
import { createEmergencyAuthority, type EmergencyEvent } from '#grants/emergencies/emergency-authority.ts';
import { createLockAuthority, type LockEvent } from '#grants/locks/lock-authority.ts';
import { createLockBoard } from '#grants/locks/lock-board.ts';
import { acme } from '../../support/grants-fixtures.ts';
import {
  emergencyDraft,
  lockPlace,
  onSam,
  onAcme,
  quinn,
  rita,
  samAtAcme,
} from '../../support/lock-fixtures.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

function setUp() {
  const place = lockPlace();
  const { locks: store, emergencies, core } = place.open();
  const { clock } = place;
  const steps: string[] = [];
  const events: (LockEvent | EmergencyEvent)[] = [];
  const board = createLockBoard({
    store,
    clock,
    log: silent,
    onLocked: ({ id }) => steps.push(`late ${id}`),
  });
  const onEvent = (event: LockEvent | EmergencyEvent) => {
    steps.push(event.event);
    events.push(event);
  };
  const enforcer = {
    locked: () => void steps.push(board.lockFor(samAtAcme, clock.now()) === null ? 'cut too early' : 'cut'),
  };
  return {
    place,
    board,
    store,
    core,
    steps,
    events,
    locks: createLockAuthority({ store, board, enforcer, onEvent }),
    emergencies: createEmergencyAuthority({
      store: emergencies,
      cache: { invalidate: (tenant) => void steps.push(`forgot ${tenant}`) },
      onEvent,
    }),
    async [Symbol.asyncDispose]() {
      board[Symbol.dispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

describe('setting a lock', () => {
  it('has told the board and cut the traffic when it returns, and says so after that', async () => {
    await using t = setUp();
    await t.board.firstRead;
    const held = await t.locks.set({ target: onSam, message: null, endsAt: null }, quinn);
    expect(t.board.lockFor(samAtAcme, t.place.clock.now())?.id).toBe(held.id);
    expect(t.steps.filter((step) => !step.startsWith('late'))).toEqual(['cut', 'lock.set']);
  });

  it('says nothing in the journal of whom it is on, and to which tenant it belongs', async () => {
    await using t = setUp();
    await t.locks.set({ target: onSam, message: 'sam@vendor.example left', endsAt: null }, quinn);
    await t.locks.set({ target: onAcme, message: null, endsAt: null }, quinn);
    expect(t.events).toMatchObject([
      { tenant: null, details: { kind: 'principal' }, actor: { id: 'quinn' } },
      { tenant: acme, details: { kind: 'tenant' } },
    ]);
    expect(JSON.stringify(t.events.map(({ details }) => details))).not.toMatch(/sam|vendor\.example/);
  });

  it('does nothing when the store refuses or is away', async () => {
    await using t = setUp();
    const draft = { target: onSam, message: null, endsAt: null };
    const refused = t.locks.set(draft, { ...quinn, kind: 'staff' });
    await expect(refused).rejects.toMatchObject({ code: 'security_required' });
    await t.core.close();
    await expect(t.locks.set(draft, quinn)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(t.steps).toEqual([]);
  });

  it('is undone by lifting it, said once', async () => {
    await using t = setUp();
    const { id } = await t.locks.set({ target: onSam, message: null, endsAt: null }, quinn);
    await t.locks.lift(id, rita);
    await t.locks.lift(id, rita);
    expect(t.board.lockFor(samAtAcme, t.place.clock.now())).toBeNull();
    expect(t.events.map(({ event }) => event)).toEqual(['lock.set', 'lock.lifted']);
  });
});

describe('breaking the glass', () => {
  it('is true for traffic when the confirmation returns, and said with the grant', async () => {
    await using t = setUp();
    const { id } = await t.emergencies.ask(emergencyDraft(), quinn);
    const { grant } = await t.emergencies.confirm(id, rita);
    expect(t.steps).toEqual(['break_glass.asked', 'forgot acme', 'break_glass.used']);
    expect(t.events).toMatchObject([
      { tenant: acme, grant: null, actor: { id: 'quinn' }, details: { emergency: id, access: 'write' } },
      { tenant: acme, grant: { id: grant.id, revision: 1 }, actor: { id: 'rita' } },
    ]);
    expect(JSON.stringify(t.events.map(({ details }) => details))).not.toMatch(/vendor\.example|Invoices/);
  });
});
