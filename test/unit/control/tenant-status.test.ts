import { describe, expect, it } from 'vitest';
import { tenantStatus } from '#control/tenant-status.ts';
import { standingGrants } from '#grants/standing-grants.ts';
import type { Grant } from '#model/grant.ts';
import type { TenantView } from '#model/tenant-settings.ts';
import { acme, at, DAY, grant, HOUR, sam, settingsWith, START } from '../../support/grants-fixtures.ts';

const closed = { open: false, openUntil: null, access: null };

const audience = { org: 'vendor', groups: null, principals: null };
const switchGrant = { access: 'write', audience, roles: [], workspaces: [] } as const;

function view(grants: readonly Grant[], over: Parameters<typeof settingsWith>[0] = {}): TenantView {
  const settings = settingsWith({ switchGrant, ...over });
  return { grants, settings, standing: standingGrants(acme, settings) };
}

describe('the status of a tenant', () => {
  it('is closed without a grant that is active now', () => {
    expect(tenantStatus(view([]), START, null)).toEqual(closed);
    const dead = [grant({ startsAt: at(1) }), grant({ expiresAt: START }), grant({ revokedAt: START })];
    expect(tenantStatus(view(dead), START, null)).toEqual(closed);
  });

  it('is open until the last end, as wide as the widest', () => {
    const open = [grant({ access: 'write', expiresAt: at(HOUR) }), grant({ expiresAt: at(DAY) })];
    expect(tenantStatus(view(open), START, null)).toEqual({
      open: true,
      openUntil: '2030-01-16T12:00:00.000Z',
      access: 'write',
    });
    expect(tenantStatus(view([...open, grant({ expiresAt: null })]), START, null).openUntil).toBeNull();
  });

  it('shows a member of staff only what covers them', () => {
    const other = grant({ access: 'write', audience: { org: 'other', groups: null, principals: null } });
    expect(tenantStatus(view([other]), START, sam)).toEqual(closed);
    expect(tenantStatus(view([other, grant()]), START, sam)).toMatchObject({ open: true, access: 'read' });
  });

  it('is open where the class gives access by itself, and closed where support only has the standing tier', () => {
    const byClass = view([], { class: 'trial', systemAccess: 'write' });
    expect(tenantStatus(byClass, START, null)).toEqual({ open: true, openUntil: null, access: 'write' });
    expect(tenantStatus(view([], { standing: 'read' }), START, null)).toEqual(closed);
  });

  it('is closed while the customer has suspended support, whatever was given before', () => {
    expect(tenantStatus(view([grant()], { suspended: true }), START, null)).toEqual(closed);
  });
});
