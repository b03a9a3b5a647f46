// Who was seen with a verified token lately: admins of a customer and members of the vendor's staff, so that notices find
// them. Only what a token said of its owner, never what somebody said of somebody else. Cold.
import type { EpochMs } from '#model/clock.ts';
import type { TenantId } from '#model/ids.ts';

export interface SeenPerson {
  readonly issuer: string;
  readonly id: string;
  /** Verified; null where the token has none. */
  readonly email: string | null;
  /** Of staff; empty for admins. */
  readonly groups: readonly string[];
  /** Of staff; null for admins. */
  readonly org: string | null;
}

export interface Addressee {
  readonly email: string;
}

export interface PeopleSeen {
  /**
   * Written at most once an hour per person, unless what the token says has changed. Never rejects: a store that is away
   * is asked again at the person's next call, so callers need not wait for it.
   */
  adminSeen(tenant: TenantId, person: Omit<SeenPerson, 'groups' | 'org'>): Promise<void>;
  staffSeen(person: SeenPerson): Promise<void>;
  /** A token says that they are no admin of this tenant any more: they hear nothing more. Never rejects. */
  adminGone(tenant: TenantId, person: Pick<SeenPerson, 'issuer' | 'id'>): Promise<void>;
  /** Removes whatever is kept of a person by this id, whoever issued it. Rejects with STORE_UNAVAILABLE. */
  erase(id: string): Promise<void>;
  /** With an address, each address once, in the order of their ids; the same for the others. Reject with STORE_UNAVAILABLE. */
  adminsOf(tenant: TenantId): Promise<readonly Addressee[]>;
  /** Members of any of the groups, of this organisation (null: of any), seen since then. */
  staffIn(groups: readonly string[], org: string | null, since: EpochMs): Promise<readonly Addressee[]>;
  staffNamed(
    principals: readonly { readonly issuer: string; readonly id: string }[],
  ): Promise<readonly Addressee[]>;
}
