// Random lives of support access by random people, held against a simple model after each step: grants, requests, settings,
// sessions, locks and broken glass. Nothing is done that the model forbids and nothing refused that it allows; nobody uses
// what they gave, approved or verified, and nobody is in a millisecond past an end, a lock or a suspension.
// `POSTERN_GRANT_RUNS` sets how many sequences are tried; 200 by default.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { START } from '../../support/grants-fixtures.ts';
import { KEY, type Tenant, TENANTS } from '../../support/life-model/actors.ts';
import { look, stagesOf } from '../../support/life-model/gate.ts';
import type { Life, LifeSession } from '../../support/life-model/life.ts';
import { NOTHING_OWN, type VendorWord } from '../../support/life-model/settings.ts';
import type { Place } from '../../support/life-model/agreement.ts';
import { take } from '../../support/life-model/steps.ts';
import { step, vendorWord } from '../../support/life-model/wishes.ts';
import { actorOf, openWorld, patchOf, tenantId, type World } from '../../support/life-model/world.ts';

const RUNS = Number(process.env['POSTERN_GRANT_RUNS'] ?? 200);

const settled = (vendor: VendorWord) => ({ revision: 1, vendor, own: NOTHING_OWN });

/** Both tenants settled by the vendor, and nothing else. */
async function begin(world: World, words: Readonly<Record<Tenant, VendorWord>>): Promise<Life> {
  await world.begin(START);
  for (const tenant of TENANTS) {
    const patch = patchOf({ part: 'vendor', says: words[tenant] });
    await world.settings.change({ tenant: tenantId(tenant), patch, expectedRevision: 0 }, actorOf(KEY));
  }
  return {
    now: START,
    settled: { acme: settled(words.acme), globex: settled(words.globex) },
    grants: [],
    requests: [],
    sessions: [],
    locks: [],
    emergencies: [],
    history: new Map(TENANTS.map((tenant) => [tenant, ['change']])),
  };
}

/** A step moves each thing by one revision at most, and none back. */
async function checkRevisions({ world, life }: Place): Promise<void> {
  const known = [...life.grants, ...life.requests].map(({ id, revision }) => [id, revision] as const);
  expect(await world.revisions()).toEqual(new Map(known));
}

async function checkSessions({ world, life }: Place): Promise<void> {
  for (const tenant of TENANTS) {
    const open = await world.sessionStore.openOf(tenantId(tenant));
    const whose = open.map(({ principal }) => `${principal.issuer} ${principal.id}`);
    expect(new Set(whose).size).toBe(whose.length);
    const known = life.sessions.filter((one) => one.tenant === tenant && one.endedAt === null);
    expect(open.map(({ id }) => id).toSorted()).toEqual(known.map(({ id }) => id).toSorted());
  }
}

/** What each thing came to be, and everything that was done to it. */
async function checkEnd({ world, life }: Place): Promise<void> {
  expect(await world.history()).toEqual(life.history);
  for (const session of life.sessions) {
    const stored = await world.sessionStore.get(session.id as Parameters<World['sessionStore']['get']>[0]);
    expect(stored).toMatchObject(pickEnd(session));
  }
  for (const request of life.requests) {
    const stored = await world.requestStore.get(request.id);
    const isLapsed = request.status.startsWith('awaiting') && life.now >= request.lapsesAt;
    expect(stored?.status).toBe(isLapsed ? 'lapsed' : request.status);
  }
  for (const grant of life.grants) {
    const { items } = await world.grantStore.revisions(grant.id as never, 500, null);
    expect(items.map((one) => one.grant.revision)).toEqual(
      Array.from({ length: grant.revision }, (_, i) => grant.revision - i),
    );
  }
}

function pickEnd({ endedAt, endedBy, endsAt, note }: LifeSession) {
  return { endedAt, endedBy, endsAt, note };
}

describe('the life of support access', () => {
  it(`agrees with the model in ${RUNS} random sequences`, { timeout: 120_000 + RUNS * 500 }, async () => {
    await using world = openWorld();
    const stages = stagesOf(world);
    const done = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(
        fc.record({ acme: vendorWord, globex: vendorWord }),
        fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }),
        async (words, steps) => {
          const life = await begin(world, words);
          const place = { world, life, done };
          for (const one of steps) {
            await take(place, one);
            await checkRevisions(place);
            await checkSessions(place);
            await look({ world, life, stages });
          }
          await checkEnd(place);
        },
      ),
      { numRuns: RUNS },
    );
    // A model that lets nothing happen proves nothing.
    for (const wish of COMES_TRUE.split(' '))
      expect({ wish, done: done.get(wish) ?? 0 }).not.toEqual({ wish, done: 0 });
  });
});

const COMES_TRUE =
  'create both change revoke verify press settle ask approve deny withdraw open use end lock lift break confirm';
