// What holds without a grant: the class's own access (trial accounts) and the standing tier, as grants that no store keeps
// and nobody revokes; the tenant's settings end them. Pure, made anew for each load of a tenant's view, so not hot.
import { createHash } from 'node:crypto';
import type { EpochMs } from '#model/clock.ts';
import type { Access, Actor, Grant } from '#model/grant.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';

const SYSTEM: Actor = Object.freeze({
  kind: 'system',
  id: 'postern',
  issuer: 'urn:postern:system',
  email: null,
  name: null,
  onBehalfOf: null,
});

const SINCE_EVER = 0 as EpochMs;
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** A time that no clock will show: no grant of a store ever has an id that begins so. */
const NO_TIME = '7ZZZZZZZZZ';
const HASHED_CHARS = 16;

/**
 * Frozen, the wider first; empty where nothing stands, where the tenant has suspended support, and where the settings
 * name nobody. An id is the tenant's and the kind's for good. The revision is another one whenever what is given is, since
 * caches go by it; here it says nothing of an order.
 */
export function standingGrants(tenant: TenantId, settings: TenantSettings): readonly Grant[] {
  const { systemAccess, standing, suspended, switchGrant } = settings;
  const { org, groups, principals } = switchGrant.audience;
  if (suspended || (org === null && groups === null && principals === null)) return NONE;
  const made: Grant[] = [];
  if (systemAccess !== null) made.push(standingGrant(tenant, systemAccess, settings));
  if (standing === 'read' && systemAccess !== 'read') made.push(standingGrant(tenant, 'read', settings));
  return Object.freeze(made);
}

const NONE: readonly Grant[] = Object.freeze([]);

function standingGrant(
  tenant: TenantId,
  access: Access,
  { systemAccess, switchGrant }: TenantSettings,
): Grant {
  const { audience, roles, workspaces } = switchGrant;
  const kind = access === systemAccess ? 'class' : 'tier';
  return Object.freeze({
    id: idOf(tenant, kind),
    tenant,
    revision: 1 + (digestOf([access, audience, roles, workspaces]).readUInt32BE() >>> 1),
    startsAt: SINCE_EVER,
    expiresAt: null,
    access,
    audience,
    roles,
    workspaces,
    actAs: null,
    lifts: NOTHING,
    caseRef: null,
    reason: null,
    grantedBy: SYSTEM,
    createdAt: SINCE_EVER,
    revokedAt: null,
    revokedBy: null,
    source: 'standing',
  });
}

const NOTHING: readonly string[] = Object.freeze([]);

function idOf(tenant: TenantId, kind: 'class' | 'tier'): GrantId {
  const digest = digestOf([tenant, kind]);
  let text = '';
  for (let i = 0; i < HASHED_CHARS; i++) text += ALPHABET.charAt((digest[i] as number) & 31);
  return `grt_${NO_TIME}${text}` as GrantId;
}

function digestOf(what: readonly unknown[]): Buffer {
  return createHash('sha256').update(JSON.stringify(what)).digest();
}
