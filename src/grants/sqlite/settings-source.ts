// How every part of the store learns what is settled for a tenant: inside its own transaction, so that no change of the
// settings can come between the look and the write. Cold.
import type { TenantId } from '#model/ids.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import type { Statements } from './statements.ts';

/** The effective settings, every layer merged; the defaults for a tenant nobody has said anything about. */
export type SettingsSource = (statements: Statements, tenant: TenantId) => TenantSettings;
