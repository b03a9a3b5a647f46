// What the control API refuses is documented, each code with its status and its sentence, and so is every key of a tenant's
// settings with what the shipped profiles make of it. The tables are written from the code: POSTERN_WRITE_DOCS=1 writes them
// anew; otherwise this finds out that somebody forgot to.
import { describe, expect, it } from 'vitest';
import { CONTROL_PROBLEMS } from '#control/control-problem.ts';
import { settingsBody } from '#control/settings-schemas.ts';
import { effectiveSettings, NO_SETTINGS_DEFAULTS } from '#grants/settings/effective-settings.ts';
import { readProfiles } from '#config/profile-files.ts';
import { GRANT_REFUSALS } from '#model/grant-refusal.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import { between, hold, read } from '../support/documented-tables.ts';

type Table = Readonly<Record<string, { readonly status: number; readonly title: string }>>;

/** By status, then by name. */
function tableOf(table: Table): string {
  const rows = Object.entries(table)
    .toSorted(([a, { status: first }], [b, { status: second }]) => first - second || (a < b ? -1 : 1))
    .map(([code, { status, title }]) => `| \`${code}\` | ${status} | ${title} |`);
  return ['| problem type | status | what it says |', '|---|---|---|', ...rows].join('\n');
}

const REFUSALS = [
  '<!-- refusals: written from src/model/grant-refusal.ts -->',
  '<!-- end of refusals -->',
] as const;
const PROBLEMS = [
  '<!-- problems: written from src/control/control-problem.ts -->',
  '<!-- end of problems -->',
] as const;
const PROFILES = ['<!-- profiles: written from config/profiles -->', '<!-- end of profiles -->'] as const;

describe('the problem types of the control API', () => {
  it('docs/grants.md has every refusal with its status and its sentence', () => {
    hold('docs/grants.md', REFUSALS, tableOf(GRANT_REFUSALS));
  });

  it('docs/control-api-clients.md has every problem of the API’s own', () => {
    hold('docs/control-api-clients.md', PROBLEMS, tableOf(CONTROL_PROBLEMS));
  });

  it('are told apart: no refusal has the name of a problem', () => {
    expect(Object.keys(GRANT_REFUSALS).filter((code) => code in CONTROL_PROBLEMS)).toEqual([]);
  });

  it('would miss one that is not documented', () => {
    const more = { ...GRANT_REFUSALS, undocumented: { status: 418, title: 'Nobody wrote this down' } };
    expect(between('docs/grants.md', REFUSALS)).not.toBe(tableOf(more));
  });
});

const SHOWN = [
  'standing',
  'liftable',
  'vendorVerification',
  'durations.presets',
  'durations.default',
  'durations.min',
  'durations.max',
  'durations.indefinite',
  'durations.maxPerCase',
  'durations.wholeDays',
  'mayGrant',
  'reasonRequired',
  'caseRefRequired',
  'defaultAccess',
  'sessionsRequired',
  'switchGrant.audience',
  'switchGrant.roles',
] as const;

function shown(settings: TenantSettings, key: string): string {
  const value = key
    .split('.')
    .reduce<unknown>((at, part) => (at as Readonly<Record<string, unknown>>)[part], settings);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  const values = typeof value === 'object' ? Object.values(value ?? {}).flat() : [value];
  return values.filter((one) => one !== null).join(' ') || '–';
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function profileTable(): string {
  const { profiles } = readProfiles('/nowhere');
  const names = [...profiles.keys()].toSorted();
  const of = (profile: string | null): TenantSettings =>
    effectiveSettings({ ...NO_SETTINGS_DEFAULTS, profiles, profile }, { vendor: {}, own: {} });
  const columns = [of(null), ...names.map(of)];
  const head = ['', 'without', ...names.map((name) => `\`${name}\``)];
  const rows = SHOWN.map((key) => line([`\`${key}\``, ...columns.map((settings) => shown(settings, key))]));
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows].join('\n');
}

describe('tenant settings', () => {
  it('docs/settings.md has a row for every key that may be settled, and for no other', () => {
    const { properties } = settingsBody as unknown as { properties: Readonly<Record<string, unknown>> };
    const rows = [...read('docs/settings.md').matchAll(/^\| `(\w+)`/gm)].map(([, key]) => key as string);
    const keys = Object.keys(properties).filter((key) => key !== 'onBehalfOf');
    expect(keys.filter((key) => !rows.includes(key))).toEqual([]);
    expect(rows.filter((key) => key !== 'durations' && !keys.includes(key))).toEqual([]);
  });

  it('docs/profiles.md shows what the shipped profiles say', () => {
    hold('docs/profiles.md', PROFILES, profileTable());
  });
});
