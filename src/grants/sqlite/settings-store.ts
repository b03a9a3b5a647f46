// Tenant settings in the embedded store: a row for each tenant that has some, the history beside every other one's. A
// change is judged, written and told in one transaction. A change of class that takes the system's own access away leaves
// access off: what the switch had opened ends with it. Cold.
import { randomBytes } from 'node:crypto';
import { type Actor, type Grant, recordedActor } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { TenantId } from '#model/ids.ts';
import type { WebhookSettings } from '#model/tenant-settings.ts';
import { effectiveSettings, type SettingsParts } from '../settings/effective-settings.ts';
import { changedParts, type SettingsRules } from '../settings/settings-rules.ts';
import type {
  SettingsChange,
  SettingsOutcome,
  SettingsStore,
  StoredSettings,
} from '../settings/settings-store.ts';
import { frozen } from './grant-rows.ts';
import type { GrantWrites } from './grant-writes.ts';
import { type SettingsRow, settingsRow } from './settings-source.ts';
import type { StoreCore, Transaction } from './store-core.ts';
import type { ViewReader } from './tenant-view.ts';

export interface SettingsStoreDeps {
  readonly rules: SettingsRules;
  readonly writes: GrantWrites;
  readonly viewOf: ViewReader;
}

const WRITE = `INSERT INTO tenant_settings (tenant, revision, changed_at, document)
  VALUES (:tenant, :revision, :changed_at, :document)
  ON CONFLICT (tenant) DO UPDATE SET revision = :revision, changed_at = :changed_at, document = :document`;

const SECRET_BYTES = 32;

export function createSettingsStore(core: StoreCore, deps: SettingsStoreDeps): SettingsStore {
  const { defaults } = deps.rules;
  return {
    read: (tenant) =>
      core.read((statements) => {
        const row = settingsRow(statements, tenant);
        return frozen({ tenant, ...row, effective: effectiveSettings(defaults, row) });
      }),
    change: (change, by) => core.write((tx) => changeIn(tx, change, { by, ...deps })),
  };
}

interface ChangeContext extends SettingsStoreDeps {
  readonly by: Actor;
}

function changeIn(tx: Transaction, change: SettingsChange, context: ChangeContext): SettingsOutcome {
  const { tenant, patch, expectedRevision } = change;
  const { rules, by, viewOf } = context;
  const before = settingsRow(tx.statements, tenant);
  if (before.revision !== expectedRevision) {
    const now = `their revision is now ${before.revision}`;
    throw new GrantRefusal('stale_revision', `Read the settings again; ${now}.`);
  }
  const make = {
    id: () => tx.nextId('hook'),
    secret: () => `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`,
  };
  const parts = changedParts(before, patch, { rules, by, make });
  const wasSystem = viewOf(tx.statements, tenant, tx.now).settings.systemAccess !== null;
  const changed = parts !== before;
  const settings = changed ? write(tx, tenant, { before, parts, context }) : storedOf(tenant, before, rules);
  const ends =
    changed && wasSystem && settings.effective.systemAccess === null && parts.own.suspended !== true;
  const revoked = ends ? closeSwitch(tx, tenant, context) : [];
  return frozen({
    settings,
    view: viewOf(tx.statements, tenant, tx.now),
    changed,
    newWebhooks: changed ? newWebhooks(before, parts, patch.part) : [],
    revoked,
  });
}

function storedOf(tenant: TenantId, row: SettingsRow, { defaults }: SettingsRules): StoredSettings {
  const { revision, vendor, own } = row;
  return { tenant, revision, vendor, own, effective: effectiveSettings(defaults, row) };
}

interface Writing {
  readonly before: SettingsRow;
  readonly parts: SettingsParts;
  readonly context: ChangeContext;
}

function write(tx: Transaction, tenant: TenantId, { before, parts, context }: Writing): StoredSettings {
  const revision = before.revision + 1;
  const { vendor, own } = parts;
  const document = JSON.stringify({ vendor, own });
  tx.statements.sql(WRITE).run({ tenant, revision, changed_at: tx.now, document });
  tx.changed({
    kind: 'settings',
    id: tenant,
    tenant,
    operation: 'change',
    by: recordedActor(context.by),
    document: { revision, vendor: withoutSecrets(vendor), own: withoutSecrets(own) },
  });
  return storedOf(tenant, { revision, vendor, own }, context.rules);
}

/** The history is read by people; what signs messages is none of it. */
function withoutSecrets<Part extends SettingsParts['vendor'] | SettingsParts['own']>(part: Part): object {
  const { webhooks, ...rest } = part;
  return webhooks === undefined ? rest : { ...rest, webhooks: webhooks.map(({ id, url }) => ({ id, url })) };
}

function newWebhooks(
  before: SettingsParts,
  after: SettingsParts,
  part: 'vendor' | 'own',
): readonly WebhookSettings[] {
  const known = before[part].webhooks ?? [];
  return (after[part].webhooks ?? []).filter(
    ({ id, secret }) => !known.some((one) => one.id === id && one.secret === secret),
  );
}

function closeSwitch(
  tx: Transaction,
  tenant: TenantId,
  { by, viewOf, writes }: ChangeContext,
): readonly Grant[] {
  return viewOf(tx.statements, tenant, tx.now)
    .grants.filter(({ source }) => source === 'switch')
    .map(({ id }) => writes.revoke(tx, id, by));
}
