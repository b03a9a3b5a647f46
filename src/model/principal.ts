// Who is asking: the authenticated support person or service, and the credential that proved it.
// Made by authn after verification; everyone else may trust it until `expiresAt`.
import type { EpochMs } from './clock.ts';
import { mailboxOf } from './mail-address.ts';

export interface Principal {
  /** The identity provider's stable subject; unique only together with `issuer`. */
  readonly id: string;
  readonly issuer: string;
  /** Null where the provider did not say, or said that it is not verified. */
  readonly email: string | null;
  readonly name: string | null;
  readonly groups: readonly string[];
  /** Pinned by configuration to the issuer, never a free claim. */
  readonly org: string;
}

/** A verified credential. Frozen; shared by every request that carries the same token. */
export interface Credential {
  readonly principal: Principal;
  /** The key that signed it: when that key is withdrawn, so is the credential. */
  readonly keyId: string;
  readonly expiresAt: EpochMs;
}

/** What tells who somebody is. */
interface Person {
  readonly id: string;
  readonly issuer: string;
  readonly email: string | null;
}

/**
 * One human under two issuers is one actor: same (issuer, id), or same verified address, however it is spelled. An id that
 * is an address counts as one. Errs towards yes: a needless refusal is seen and mended, a self-grant would not be.
 */
export function isSamePerson(a: Person, b: Person): boolean {
  if (a.id === b.id && a.issuer === b.issuer) return true;
  if (isAddressOf(a.email, b)) return true;
  return a.id.includes('@') && isAddressOf(a.id, b);
}

/** Whether mail to `address` reaches this person. Null: there is none. */
export function isAddressOf(address: string | null, { id, email }: Pick<Person, 'id' | 'email'>): boolean {
  if (address === null) return false;
  const mailbox = mailboxOf(address);
  if (email !== null && mailboxOf(email) === mailbox) return true;
  return id.includes('@') && mailboxOf(id) === mailbox;
}
