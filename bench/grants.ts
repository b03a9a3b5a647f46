// `npm run bench:grants [-- --grants 1000000] [-- --tenants 50000] [-- --json FILE]`: what the embedded store costs when it
// is full. Creates and revokes are timed through the real store, rules, history and outbox included, until the device has
// them; the lookup is what a request whose tenant is not cached waits for: the tenant's live grants read, frozen and one
// chosen for the principal. Means little while the machine is busy: the load is told, one core's work being 1. Last, a cache
// for a tenth of the tenants is asked for all of them: its entries, and the heap it holds when it was first full and after.
// Exits 1 where creating or revoking takes 10 ms at the 99th percentile, or a lookup 100 µs in the middle, and where the
// cache outgrows what it was configured for.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createGrantCache } from '#grants/grant-cache.ts';
import { DEFAULT_TENANT_SETTINGS } from '#grants/settings/default-settings.ts';
import type { GrantDraft } from '#grants/grant-store.ts';
import { createIdSource } from '#grants/record-id.ts';
import { createSqliteGrantStore, type SqliteGrantStore } from '#grants/sqlite/grant-store.ts';
import { GRANT_COLUMNS, rowOf } from '#grants/sqlite/grant-rows.ts';
import { type EpochMs, systemClock } from '#model/clock.ts';
import { type Actor, chooseInView, type Grant } from '#model/grant.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';

/** `cacheGrowth`: the heap after ten times as many tenants as the cache holds, by the heap when it was first full. */
const LIMITS = { writeP99Ms: 10, lookupP50Us: 100, cacheGrowth: 1.25 };
const DAY = 86_400_000;
const WRITES = 2000;
const LOOKUPS = 20_000;
/** Of a tenant's grants, how many still hold; the others are its past. */
const LIVE_OF_TENANT = 2;

const admin: Actor = {
  kind: 'tenant_admin',
  id: 'u-1',
  issuer: 'https://app.example.com',
  email: 'ada@acme.example',
  name: 'Ada',
  onBehalfOf: null,
};

const sam: Principal = {
  id: 'sam',
  issuer: 'https://idp.vendor.example',
  email: 'sam@vendor.example',
  name: 'Sam',
  groups: ['support'],
  org: 'vendor',
};

const settings = DEFAULT_TENANT_SETTINGS;

function draft(tenant: TenantId, n: number): GrantDraft {
  const now = systemClock.now();
  return {
    tenant,
    startsAt: now,
    expiresAt: (now + DAY) as EpochMs,
    access: 'read',
    audience: { org: 'vendor', groups: ['support'], principals: null },
    roles: ['agent'],
    workspaces: [],
    actAs: null,
    lifts: [],
    caseRef: `CASE-${n}`,
    reason: { type: 'customer_initiated_support', detail: 'The invoice page is empty.' },
  };
}

function tenantAt(n: number): TenantId {
  return `tenant-${n}` as TenantId;
}

/** Rows as the store writes them, without its history: a million calls would measure nothing that two thousand do not. */
function fill(
  path: string,
  { grants, tenants }: { readonly grants: number; readonly tenants: number },
): void {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;');
  const insert = db.prepare(
    `INSERT INTO grants (${GRANT_COLUMNS.join(', ')}) VALUES (${GRANT_COLUMNS.map((name) => `:${name}`).join(', ')})`,
  );
  const ids = createIdSource();
  const now = systemClock.now();
  db.exec('BEGIN');
  for (let i = 0; i < grants; i++) {
    const age = Math.floor(i / tenants);
    const isLive = age < LIVE_OF_TENANT;
    const createdAt = (isLive ? now - 60_000 : now - (age + 10) * DAY) as EpochMs;
    const { access = 'read', ...rest } = draft(tenantAt(i % tenants), i);
    const grant: Grant = {
      ...rest,
      access,
      id: ids.next('grt', createdAt) as GrantId,
      revision: 1,
      startsAt: createdAt,
      expiresAt: (createdAt + DAY) as EpochMs,
      grantedBy: admin,
      createdAt,
      revokedAt: !isLive && i % 3 === 0 ? ((createdAt + 1) as EpochMs) : null,
      revokedBy: !isLive && i % 3 === 0 ? admin : null,
      source: 'direct',
    };
    insert.run(rowOf(grant));
  }
  db.exec('COMMIT');
  db.exec('UPDATE grants SET expiry_claimed = 1 WHERE ends_at < 0 OR revoked_at IS NOT NULL');
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.close();
}

interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

function spreadOf(values: number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 };
}

async function timed(times: number, work: (n: number) => Promise<unknown>): Promise<Spread> {
  const taken: number[] = [];
  for (let i = 0; i < times; i++) {
    const startedAt = performance.now();
    await work(i);
    taken.push(performance.now() - startedAt);
  }
  return spreadOf(taken);
}

/** Tenants far apart, so that each one is read from another page of the file. */
function anyTenant(n: number, tenants: number): TenantId {
  return tenantAt((n * 7919) % tenants);
}

async function measure(store: SqliteGrantStore, tenants: number) {
  const made: GrantId[] = [];
  const create = await timed(WRITES, async (n) => {
    made.push((await store.create(draft(anyTenant(n, tenants), n), admin)).id);
  });
  const change = await timed(WRITES, (n) => store.change(made[n] as GrantId, { access: 'write' }, admin));
  const revoke = await timed(WRITES, (n) => store.revoke(made[n] as GrantId, admin));
  await timed(LOOKUPS / 10, (n) => store.activeFor(anyTenant(n, tenants)));
  const lookup = await timed(LOOKUPS, async (n) => {
    const grants = await store.activeFor(anyTenant(n + 1, tenants));
    const chosen = chooseInView({ grants, settings, standing: [] }, sam, systemClock.now());
    if (typeof chosen === 'string') throw new Error(`nothing was chosen: ${chosen}`);
  });
  return { create, change, revoke, lookup };
}

/** Collects what nothing holds any more; Node has no other way to say it from within. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

interface CacheFigures {
  readonly maxEntries: number;
  readonly tenants: number;
  readonly entries: number;
  /** What the cache holds once it is full, and after all tenants. */
  readonly fullMiB: number;
  readonly afterMiB: number;
}

async function measureCache(store: SqliteGrantStore, tenants: number): Promise<CacheFigures> {
  const maxEntries = Math.max(1, Math.floor(tenants / 10));
  const collect = collector();
  const heapMiB = () => {
    collect();
    return process.memoryUsage().heapUsed / 1_048_576;
  };
  const cache = createGrantCache({
    views: {
      tenantView: async (tenant) => ({ grants: await store.activeFor(tenant), settings, standing: [] }),
    },
    clock: systemClock,
    maxEntries,
    ttlMs: 3_600_000,
    negativeTtlMs: 3_600_000,
  });
  const emptyMiB = heapMiB();
  for (let i = 0; i < maxEntries; i++) await cache.grantsOf(tenantAt(i));
  const fullMiB = heapMiB() - emptyMiB;
  for (let i = maxEntries; i < tenants; i++) await cache.grantsOf(tenantAt(i));
  const afterMiB = heapMiB() - emptyMiB;
  return { maxEntries, tenants, entries: cache.size, fullMiB, afterMiB };
}

function cacheLine({ maxEntries, tenants, entries, fullMiB, afterMiB }: CacheFigures): string {
  return (
    `cache for ${maxEntries} tenants`.padEnd(28) +
    ` ${entries} entries after ${tenants} tenants; ` +
    `heap +${fullMiB.toFixed(1)} MiB when first full, +${afterMiB.toFixed(1)} MiB after all`
  );
}

function isBounded({ maxEntries, entries, fullMiB, afterMiB }: CacheFigures): boolean {
  return entries <= maxEntries && afterMiB <= fullMiB * LIMITS.cacheGrowth;
}

function line(name: string, spread: Spread, unit: 'ms' | 'µs'): string {
  const show = (ms: number) => (unit === 'ms' ? ms : ms * 1000).toFixed(unit === 'ms' ? 2 : 1).padStart(9);
  return `${name.padEnd(28)} p50 ${show(spread.p50)} ${unit}   p99 ${show(spread.p99)} ${unit}   max ${show(spread.max)} ${unit}`;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      grants: { type: 'string', default: '1000000' },
      tenants: { type: 'string', default: '50000' },
      json: { type: 'string' },
    },
  });
  const size = { grants: Number(values.grants), tenants: Number(values.tenants) };
  const folder = mkdtempSync(join(tmpdir(), 'postern-bench-grants-'));
  const path = join(folder, 'postern.db');
  try {
    const store = createSqliteGrantStore({ path, clock: systemClock, settings: () => settings });
    await store.ping();
    const startedAt = performance.now();
    fill(path, size);
    const filledS = (performance.now() - startedAt) / 1000;
    const mib = statSync(path).size / 1_048_576;
    const figures = await measure(store, size.tenants);
    const cache = await measureCache(store, size.tenants);
    await store.close();
    process.stdout.write(
      `${size.grants} grants of ${size.tenants} tenants, ${mib.toFixed(0)} MiB, filled in ${filledS.toFixed(0)} s; ` +
        `load ${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} cores\n` +
        `${line('create', figures.create, 'ms')}\n${line('change (widen)', figures.change, 'ms')}\n` +
        `${line('revoke', figures.revoke, 'ms')}\n${line('lookup (tenant, principal)', figures.lookup, 'µs')}\n` +
        `${cacheLine(cache)}\n`,
    );
    if (values.json !== undefined)
      writeFileSync(values.json, JSON.stringify({ ...size, mib, ...figures, cache }));
    const slowest = Math.max(figures.create.p99, figures.revoke.p99);
    const isFast = slowest < LIMITS.writeP99Ms && figures.lookup.p50 * 1000 < LIMITS.lookupP50Us;
    const held = isFast && isBounded(cache);
    process.stdout.write(held ? 'held\n' : 'NOT held\n');
    process.exitCode = held ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main();
