// An index that answers with more than it was asked for (a wrong filter, a damaged file, a forged cursor) must not
// become one customer reading another's records: the edge of the control API looks at each record again.
import { expect, it } from 'vitest';
import { record } from '../support/control-audit.ts';
import { startControl, WISH } from '../support/control-server.ts';

it('withholds whatever a reader answers that is not of the tenant, and says so in the log', async () => {
  await using t = await startControl();
  const lookalikes = ['globex', 'Acme', 'acme ', null, undefined, ['acme'], { toString: () => 'acme' }];
  t.audit.records = [record({ id: 'mine' }), ...lookalikes.map((tenant) => record({ tenant, id: 'other' }))];
  const { status, body } = await t.call('ada', 'GET', '/v1/tenants/acme/records');
  expect(status).toBe(200);
  expect((body['items'] as { id: string }[]).map(({ id }) => id)).toEqual(['mine']);
  expect(t.logged).toEqual([expect.objectContaining({ withheld: lookalikes.length })]);
  expect(t.audit.events[0]?.details).toMatchObject({ count: 1 });
});

it('shows nobody who came under another tenant’s grant', async () => {
  await using t = await startControl();
  const mine = await t.call('ada', 'POST', '/v1/tenants/acme/grants', WISH);
  const other = await t.call('gil', 'POST', '/v1/tenants/globex/grants', WISH);
  t.audit.last = [{ subject: 'sub_other', actor: null, grantId: String(other.body['id']), lastAt: 0 }];
  const { body } = await t.call('ada', 'GET', '/v1/tenants/acme/access');
  expect(body).toEqual({ items: [{ grant: mine.body, lastActiveAt: null, lastActive: [] }] });
});
