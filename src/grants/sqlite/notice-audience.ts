// Whom notices go to, as the notify room asks for it (notify/notice-outbox.ts, satisfied structurally): what a tenant's
// settings name, and the people who were seen. Reads only; rejects with STORE_UNAVAILABLE. Cold.
import type { TenantId } from '#model/ids.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import type { PeopleSeen } from '../people-seen.ts';
import type { SettingsSource } from './settings-source.ts';
import type { StoreCore } from './store-core.ts';

export interface NoticeAudienceDeps {
  readonly core: StoreCore;
  readonly settings: SettingsSource;
  readonly people: PeopleSeen;
}

export interface SqliteNoticeAudience extends Pick<PeopleSeen, 'adminsOf' | 'staffIn' | 'staffNamed'> {
  settingsOf(tenant: TenantId): Promise<Pick<TenantSettings, 'notifyEmails' | 'webhooks' | 'timeZone'>>;
}

export function createSqliteNoticeAudience({
  core,
  settings,
  people,
}: NoticeAudienceDeps): SqliteNoticeAudience {
  const { adminsOf, staffIn, staffNamed } = people;
  return {
    adminsOf,
    staffIn,
    staffNamed,
    settingsOf: (tenant) =>
      core.read((statements) => {
        const { notifyEmails, webhooks, timeZone } = settings(statements, tenant);
        return { notifyEmails, webhooks, timeZone };
      }),
  };
}
