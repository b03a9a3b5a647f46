// The switch in the embedded store: the look at the settings and at what is open, and the change that follows, in one
// transaction, so that two admins who press it together make one grant. Cold.
import type { Actor, Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import {
  type AccessSwitchStore,
  requireSwitch,
  type SwitchOutcome,
  type SwitchWish,
  switchDraft,
  switchGrantOf,
  switchPatch,
} from '../settings/access-switch.ts';
import type { GrantWrites } from './grant-writes.ts';
import type { StoreCore, Transaction } from './store-core.ts';
import type { ViewReader } from './tenant-view.ts';

export interface AccessSwitchDeps {
  readonly writes: GrantWrites;
  readonly viewOf: ViewReader;
}

export function createAccessSwitch(core: StoreCore, { writes, viewOf }: AccessSwitchDeps): AccessSwitchStore {
  return {
    set: (tenant, wish, by) =>
      core.write((tx) => {
        const { settings, grants } = viewOf(tx.statements, tenant, tx.now);
        requireSwitch(settings, wish);
        const current = switchGrantOf(grants);
        const done = change(tx, { tenant, wish, by, current, settings }, writes);
        return Object.freeze({ ...done, view: viewOf(tx.statements, tenant, tx.now) });
      }),
  };
}

interface Press {
  readonly tenant: TenantId;
  readonly wish: SwitchWish;
  readonly by: Actor;
  readonly current: Grant | null;
  readonly settings: ReturnType<ViewReader>['settings'];
}

function change(tx: Transaction, press: Press, writes: GrantWrites): Omit<SwitchOutcome, 'view'> {
  const { tenant, wish, by, current, settings } = press;
  if (!wish.open) {
    if (current === null) return { grant: null, operation: 'unchanged' };
    return { grant: writes.revoke(tx, current.id, by), operation: 'revoked' };
  }
  const context = { tenant, now: tx.now, settings };
  if (current === null)
    return { grant: writes.create(tx, switchDraft(wish, context), by), operation: 'created' };
  const grant = writes.change(tx, current.id, switchPatch(wish, context), by);
  return { grant, operation: grant.revision === current.revision ? 'unchanged' : 'changed' };
}
