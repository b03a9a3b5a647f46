// From a file's `notify:` to a mail and a webhook that arrive: the joining of configuration, store and notifier.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT_SETTINGS } from '#grants/settings/default-settings.ts';
import { createStoreCore } from '#grants/sqlite/store-core.ts';
import { type EpochMs, systemClock } from '#model/clock.ts';
import { openAccess } from '../../src/compose-access.ts';
import { openNotices } from '../../src/compose-notify.ts';
import { configOf, SMALLEST, smallestWith, testFolder } from '../support/config-files.ts';
import { acme, admin, draft, sam } from '../support/grants-fixtures.ts';
import { partOf, startMailReceiver } from '../support/mail-receiver.ts';
import { leaveNotice } from '../support/notices.ts';
import { wish } from '../support/request-fixtures.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const HOOK = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const say = (): void => undefined;
const log = { debug: say, info: say, warn: say, error: say };

describe('notify in the gateway’s file', () => {
  it('sends mail with its credentials and signs for its webhooks', async () => {
    using folder = testFolder();
    await using mail = await startMailReceiver({ credentials: { user: 'gate', password: 'p@ss' } });
    await using hook = await startWebhookReceiver({ secret: HOOK });
    const env = { SMTP_URL: `smtp://gate:p%40ss@127.0.0.1:${mail.port}`, HOOK };
    folder.write('ca.pem', mail.ca);
    const text = smallestWith(`notify:
  smtp: { url: { fromEnv: SMTP_URL }, from: gate@vendor.example, tls: { ca: { fromFile: ca.pem } } }
  webhooks: [{ url: "${hook.url}", secret: { fromEnv: HOOK } }]
  groups: { tier-2: tier-2@vendor.example }
  manageUrl: "https://{tenant}.app.example.com/support"
`);
    const { notify } = configOf(text, env, join(folder.path, 'postern.yaml'));
    const core = createStoreCore({ path: join(folder.path, 'store.db'), clock: systemClock });
    await using opened = new AsyncDisposableStack();
    opened.defer(() => core.close());
    const start = { config: notify, core, settings: () => DEFAULT_TENANT_SETTINGS, clock: systemClock, log };
    const { people, metrics } = openNotices(start, opened);
    await people.adminSeen(acme, { issuer: 'https://app', id: 'u-1', email: 'ada@acme.example' });
    await leaveNotice(core, 'grant.given', { staff: { principals: [], groups: ['tier-2'] } });
    await Promise.all([mail.took(2), hook.took(1)]);
    expect(mail.mails.map(({ to, user }) => [to[0], user]).toSorted()).toEqual([
      ['ada@acme.example', 'gate'],
      ['tier-2@vendor.example', 'gate'],
    ]);
    const toAda = mail.mails.find(({ to }) => to[0] === 'ada@acme.example');
    expect(toAda === undefined ? '' : partOf(toAda, 'text/plain')).toContain(
      'at https://acme.app.example.com/support.',
    );
    expect(hook.deliveries).toMatchObject([{ isSigned: true, body: { type: 'grant.given' } }]);
    while ((await metrics.backlog()).due > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(metrics.counts()).toContainEqual({ channel: 'email', result: 'sent', count: 2 });
  });
});

describe('identity.roles.lead in the gateway’s file', () => {
  it('is who hears of a request that a lead has first, and of a grant that awaits verification', async () => {
    using folder = testFolder();
    const text = SMALLEST.replace(
      'example }] }',
      'example }], roles: { lead: { groups: [support-leads] } } }',
    );
    const settings = '{ leadFirst: true, vendorVerification: required }';
    const store = `{ sqlite: { path: ${join(folder.path, 'store.db')} } }`;
    const config = configOf(`${text}grants: { store: ${store}, settings: ${settings} }\n`);
    await using opened = new AsyncDisposableStack();
    const start = { config, clock: systemClock, log, cacheObserver: undefined };
    const { core, requests, grants } = openAccess(start, opened);
    const asker = { ...sam, issuer: 'https://idp.example', org: 'idp.example' };
    await requests.ask(wish({ wanted: { ...wish().wanted, lifts: [] } }), asker);
    const now = systemClock.now();
    const period = { startsAt: now, expiresAt: (now + 3_600_000) as EpochMs };
    const audience = { org: asker.org, groups: null, principals: null };
    await grants.create(draft({ ...period, audience }), admin);
    const told = `SELECT document ->> 'event', document ->> 'deciders' FROM notices ORDER BY id`;
    const notices = await core.read(({ sql }) => sql(told).all().map(Object.values));
    expect(notices).toEqual([
      ['request.made', '["support-leads"]'],
      ['grant.given', '["support-leads"]'],
    ]);
  });
});
