// A process that is killed between sending a notice and noting that it was sent: it is sent again with the same ids, and
// what was not sent yet is not lost, wherever the process was.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemClock } from '#model/clock.ts';
import { createStoreCore } from '#grants/sqlite/store-core.ts';
import { testFolder } from '../support/config-files.ts';
import { leaveNotice } from '../support/notices.ts';
import { startNotify } from '../support/notify-gate.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const CHILD = new URL('../support/notify-child.ts', import.meta.url).pathname;
const NOBODY = { staff: { principals: [], groups: [] } };
const COUNT = 25;

function startChild(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--conditions=source', CHILD, ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function leaveMany(path: string): Promise<void> {
  const core = createStoreCore({ path, clock: systemClock });
  for (let i = 0; i < COUNT; i++) await leaveNotice(core, 'grant.given', NOBODY);
  await core.close();
}

const noticesIn = (deliveries: readonly { readonly body: Record<string, unknown> }[]): Set<unknown> =>
  new Set(deliveries.map(({ body }) => (body['data'] as { readonly id: unknown }).id));

describe('a notifier that is killed', () => {
  it('between the answer and the note of it sends the same again, with the same id', async () => {
    using folder = testFolder();
    const store = join(folder.path, 'store.db');
    await using receiver = await startWebhookReceiver({ secret: SECRET });
    await leaveMany(store);
    const child = startChild(store, receiver.url, SECRET, 'dies');
    const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
    expect(signal).toBe('SIGKILL');
    expect(receiver.deliveries).toHaveLength(1);
    const [first] = receiver.deliveries;

    const settings = { webhooks: [{ id: 'hook_1', url: receiver.url, secret: SECRET }] };
    await using gate = startNotify({ folder: folder.path, clock: systemClock, settings, allowPrivate: true });
    await gate.idle();
    expect(noticesIn(receiver.deliveries).size).toBe(COUNT);
    expect(receiver.deliveries).toHaveLength(COUNT + 1);
    const again = receiver.deliveries.slice(1).filter(({ id }) => id === first?.id);
    expect(again.map(({ body }) => body)).toEqual([first?.body]);
  });

  it('at any moment, again and again, loses none', async () => {
    using folder = testFolder();
    const store = join(folder.path, 'store.db');
    await using receiver = await startWebhookReceiver({ secret: SECRET });
    await leaveMany(store);
    for (const count of [1, 5, 12]) {
      const child = startChild(store, receiver.url, SECRET);
      await receiver.took(count);
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    const settings = { webhooks: [{ id: 'hook_1', url: receiver.url, secret: SECRET }] };
    await using gate = startNotify({ folder: folder.path, clock: systemClock, settings, allowPrivate: true });
    await gate.idle();
    expect(noticesIn(receiver.deliveries).size).toBe(COUNT);
    const idOf = new Map(
      receiver.deliveries.map(({ id, body }) => [(body['data'] as { id: unknown }).id, id]),
    );
    for (const { id, body } of receiver.deliveries) {
      expect(idOf.get((body['data'] as { id: unknown }).id)).toBe(id);
    }
  });
});
