import { describe, expect, it } from 'vitest';
import { tenantStatus } from '#control/tenant-status.ts';
import { at, DAY, grant, HOUR, sam, START } from '../../support/grants-fixtures.ts';

const closed = { open: false, openUntil: null, access: null };

describe('the status of a tenant', () => {
  it('is closed without a grant that is active now', () => {
    expect(tenantStatus([], START, null)).toEqual(closed);
    const dead = [grant({ startsAt: at(1) }), grant({ expiresAt: START }), grant({ revokedAt: START })];
    expect(tenantStatus(dead, START, null)).toEqual(closed);
  });

  it('is open until the last end, as wide as the widest', () => {
    const open = [grant({ access: 'write', expiresAt: at(HOUR) }), grant({ expiresAt: at(DAY) })];
    expect(tenantStatus(open, START, null)).toEqual({
      open: true,
      openUntil: '2030-01-16T12:00:00.000Z',
      access: 'write',
    });
    expect(tenantStatus([...open, grant({ expiresAt: null })], START, null).openUntil).toBeNull();
  });

  it('shows a member of staff only what covers them', () => {
    const other = grant({ access: 'write', audience: { org: 'other', groups: null, principals: null } });
    expect(tenantStatus([other], START, sam)).toEqual(closed);
    expect(tenantStatus([other, grant()], START, sam)).toMatchObject({ open: true, access: 'read' });
  });
});
