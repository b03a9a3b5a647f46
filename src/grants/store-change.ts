// What a store tells its listeners after a commit: which thing of which tenant is another one now. Never what it says:
// whoever listens reads it again. Cold.
import type { TenantId } from '#model/ids.ts';

/** `settings` have the tenant as their id. */
export type ChangedKind = 'grant' | 'settings' | 'request' | 'session' | 'lock' | 'emergency';

export interface StoreChange {
  readonly kind: ChangedKind;
  readonly id: string;
  /** Null for what is about no one tenant, such as a lock on a principal. */
  readonly tenant: TenantId | null;
  /** True when another process or connection committed it, so that nobody here has enforced it yet. */
  readonly elsewhere: boolean;
}

export interface ChangeSource {
  /**
   * `onChange` comes after the commit, once for each change. `onGap`: notifications may have been lost, so drop every
   * cache and look at everything that is in use.
   */
  watch(onChange: (change: StoreChange) => void, onGap: () => void): Disposable;
}
