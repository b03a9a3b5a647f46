// Whom of the customer's side a notice names besides its admins: the users who gave the grant for themselves.
import { describe, expect, it } from 'vitest';
import { grantNotice } from '#grants/grant-notice.ts';
import { admin, grant, serviceForAda } from '../../support/grants-fixtures.ts';

const uma = { ...admin, kind: 'tenant_user', id: 'u-7', email: 'uma@acme.example' } as const;
const usersOf = (over: Parameters<typeof grant>[0]) => grantNotice('grant.ending', grant(over), null).users;

describe('the notice of a grant', () => {
  it('names the user who gave it or extended it, by the address of their token', () => {
    expect(usersOf({ grantedBy: uma })).toEqual([{ email: 'uma@acme.example' }]);
    expect(usersOf({ widenedBy: [admin, uma] })).toEqual([{ email: 'uma@acme.example' }]);
  });

  it('names nobody whose address is not known, and no admin or service: they are told as admins', () => {
    expect(usersOf({ grantedBy: { ...uma, email: null } })).toBeUndefined();
    expect(usersOf({ grantedBy: serviceForAda, widenedBy: [admin] })).toBeUndefined();
  });
});
