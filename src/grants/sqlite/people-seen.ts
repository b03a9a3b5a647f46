// People seen, in the one file. Guarantees: at most one write per person and hour unless their token says something else
// now, over all processes; what was seen is remembered in a bounded cache so that most calls do not touch the file. Cold.
import { LRUCache } from 'lru-cache';
import type { TenantId } from '#model/ids.ts';
import type { Addressee, PeopleSeen, SeenPerson } from '../people-seen.ts';
import type { StoreCore } from './store-core.ts';

const HOUR_MS = 3_600_000;
const MAX_REMEMBERED = 20_000;
/** Staff belong to no tenant. */
const NO_TENANT = '';

const SEEN = `INSERT INTO people_seen (side, tenant, issuer, id, email, last_seen_at, document)
  VALUES (:side, :tenant, :issuer, :id, :email, :now, :document)
  ON CONFLICT (side, tenant, issuer, id) DO UPDATE
  SET email = excluded.email, last_seen_at = excluded.last_seen_at, document = excluded.document`;
const GONE = `DELETE FROM people_seen WHERE side = 'admin' AND tenant = :tenant AND issuer = :issuer AND id = :id`;
const ERASE = 'DELETE FROM people_seen WHERE id = :id';
const ADMINS = `SELECT DISTINCT email FROM people_seen
  WHERE side = 'admin' AND tenant = :tenant AND email IS NOT NULL ORDER BY issuer, id`;
const STAFF_IN = `SELECT DISTINCT email FROM people_seen
  WHERE side = 'staff' AND tenant = '' AND email IS NOT NULL AND last_seen_at >= :since
    AND (:org IS NULL OR json_extract(document, '$.org') = :org)
    AND EXISTS (SELECT 1 FROM json_each(document, '$.groups') AS own
      WHERE own.value IN (SELECT value FROM json_each(:groups)))
  ORDER BY issuer, id`;
const STAFF_NAMED = `SELECT email FROM people_seen
  WHERE side = 'staff' AND tenant = '' AND email IS NOT NULL AND issuer = :issuer AND id = :id`;

type Side = 'admin' | 'staff';

export function createSqlitePeopleSeen(core: StoreCore): PeopleSeen {
  /** What was last written and when, by side, tenant and person. */
  const written = new LRUCache<string, { readonly text: string; readonly at: number }>({
    max: MAX_REMEMBERED,
  });

  async function seen(side: Side, tenant: string, person: SeenPerson): Promise<void> {
    const { issuer, id, email, groups, org } = person;
    const key = JSON.stringify([side, tenant, issuer, id]);
    const document = JSON.stringify({ groups, org });
    const text = `${email}\n${document}`;
    const before = written.get(key);
    const now = core.clock.now();
    if (before?.text === text && now - before.at < HOUR_MS && now >= before.at) return;
    // Said before it is done, so that a hundred calls at once write one row.
    written.set(key, { text, at: now });
    try {
      await core.write(({ statements }) => {
        statements.sql(SEEN).run({ side, tenant, issuer, id, email, now, document });
      });
    } catch {
      written.delete(key);
    }
  }

  return {
    adminSeen: (tenant, person) => seen('admin', tenant, { ...person, groups: [], org: null }),
    staffSeen: (person) => seen('staff', NO_TENANT, person),
    async adminGone(tenant, { issuer, id }) {
      const key = JSON.stringify(['admin', tenant, issuer, id]);
      const isKnown = written.delete(key) || (await isAdmin(core, tenant, { issuer, id }));
      if (!isKnown) return;
      await core
        .write(({ statements }) => statements.sql(GONE).run({ tenant, issuer, id }))
        .catch(() => undefined);
    },
    async erase(id) {
      written.clear();
      await core.write(({ statements }) => statements.sql(ERASE).run({ id }));
    },
    adminsOf: (tenant) => core.read(({ sql }) => sql(ADMINS).all({ tenant }) as unknown as Addressee[]),
    staffIn: (groups, org, since) =>
      core.read(
        ({ sql }) =>
          sql(STAFF_IN).all({ groups: JSON.stringify(groups), org, since }) as unknown as Addressee[],
      ),
    staffNamed: (principals) =>
      core.read(({ sql }) =>
        principals.flatMap(
          ({ issuer, id }) => sql(STAFF_NAMED).all({ issuer, id }) as unknown as Addressee[],
        ),
      ),
  };
}

const IS_ADMIN = `SELECT 1 FROM people_seen
  WHERE side = 'admin' AND tenant = :tenant AND issuer = :issuer AND id = :id`;

/** A plain read first: most users of a customer never were admins, and a write for each call would be one too many. */
async function isAdmin(
  core: StoreCore,
  tenant: TenantId,
  { issuer, id }: Pick<SeenPerson, 'issuer' | 'id'>,
): Promise<boolean> {
  const found = core.read(({ sql }) => sql(IS_ADMIN).get({ tenant, issuer, id }) !== undefined);
  return found.catch(() => false);
}
