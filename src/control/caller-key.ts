// One text for one caller, for what is kept per caller: counts, keys of repeated calls. A hash, so that it is of one length
// and says no name where it is stored. Assumes an authenticated identity. Cold.
import { createHash } from 'node:crypto';
import type { ControlIdentity } from '#authn/control-authenticator.ts';

/** 43 characters of base64url. Two tenants of one person are two callers. */
export function callerKeyOf(identity: ControlIdentity): string {
  return createHash('sha256')
    .update(JSON.stringify(partsOf(identity)))
    .digest('base64url');
}

function partsOf(identity: ControlIdentity): readonly string[] {
  switch (identity.kind) {
    case 'customer':
      return ['customer', identity.issuer, identity.id, identity.tenant];
    case 'staff':
      return ['staff', identity.principal.issuer, identity.principal.id];
    case 'service':
      return ['service', identity.name];
  }
}
