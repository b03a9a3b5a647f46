// How every part of the store learns what is settled for a tenant: inside its own transaction, so that no change of the
// settings can come between the look and the write. One row is read each time; what it means is remembered. Cold.
import { LRUCache } from 'lru-cache';
import type { TenantId } from '#model/ids.ts';
import type { SettingsDefaults } from '#model/settings-layer.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import { effectiveSettings, type SettingsParts } from '../settings/effective-settings.ts';
import { frozen } from './grant-rows.ts';
import type { Statements } from './statements.ts';

/** The effective settings, every layer merged; the defaults for a tenant nobody has said anything about. */
export type SettingsSource = (statements: Statements, tenant: TenantId) => TenantSettings;

export interface SettingsRow extends SettingsParts {
  /** 0 for a tenant without a row. */
  readonly revision: number;
}

const READ = 'SELECT revision, document FROM tenant_settings WHERE tenant = ?';
const REMEMBERED = 10_000;

const NOTHING: SettingsRow = frozen({ revision: 0, vendor: {}, own: {} });

/** The parts as stored, deeply frozen. A document that cannot be read throws a SyntaxError, as a grant's row does. */
export function settingsRow(statements: Statements, tenant: TenantId): SettingsRow {
  const row = read(statements, tenant);
  return row === undefined
    ? NOTHING
    : frozen({ ...(JSON.parse(row.document) as SettingsParts), revision: row.revision });
}

export function createSettingsSource(defaults: SettingsDefaults): SettingsSource {
  const unsettled = effectiveSettings(defaults, NOTHING);
  const known = new LRUCache<string, TenantSettings>({ max: REMEMBERED });
  return (statements, tenant) => {
    const row = read(statements, tenant);
    if (row === undefined) return unsettled;
    // By the text, not by the revision: one that was rolled back leaves its number to another.
    const found = known.get(row.document);
    if (found !== undefined) return found;
    const settings = effectiveSettings(defaults, JSON.parse(row.document) as SettingsParts);
    known.set(row.document, settings);
    return settings;
  };
}

function read(statements: Statements, tenant: TenantId) {
  return statements.sql(READ).get(tenant) as
    | { readonly revision: number; readonly document: string }
    | undefined;
}
