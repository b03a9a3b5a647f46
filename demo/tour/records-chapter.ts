// Last part: the published records say all of it, each found by the id of its request.
import { valueAt } from './records.ts';
import { expect } from './steps.ts';
import type { Story } from './tour.ts';

export async function tellRecords(story: Story, grantId: string): Promise<void> {
  const { chapter, step, records, expectations } = story;
  chapter('The records say all of it');
  for (const event of ['grant.created', 'grant.revoked']) {
    await step(`${event}, by Ada`, async () => {
      const record = await records.find(
        event,
        (one) => one['event'] === event && valueAt(one, 'grant.id') === grantId,
      );
      expect('actor', valueAt(record, 'actor.id'), 'acme-ada');
      expect('tenant', record['tenant'], 'acme');
    });
  }
  for (const { what, requestId, event, members } of expectations) {
    await step(`${event}: ${what}`, async () => {
      expect('the request has an id', requestId.length > 0, true);
      const record = await records.find(
        what,
        (one) => one['requestId'] === requestId && one['event'] === event,
      );
      for (const [path, value] of Object.entries(members)) expect(path, valueAt(record, path), value);
    });
  }
}
