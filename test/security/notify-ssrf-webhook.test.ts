// Attack: a tenant configures a webhook so that the gate asks its own machine, its neighbours or the cloud's metadata
// service: by an address in any spelling, by a name that resolves to one, by a name that resolves to a public address when
// it is checked and to a private one when it is used (DNS rebinding), or by a redirect.
import { describe, expect, it } from 'vitest';
import { systemClock } from '#model/clock.ts';
import type { ClaimedDelivery } from '#notify/notice-outbox.ts';
import type { HostAddress, ResolveHost } from '#notify/resolve-host.ts';
import { postWebhook } from '#notify/webhook-post.ts';
import { createWebhookSender } from '#notify/webhook-sender.ts';
import { AT, noticeOf } from '../support/notices.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

const DELIVERY: ClaimedDelivery = {
  noticeId: 'ntc_1',
  channel: 'webhook',
  recipient: 'hook_1',
  side: 'tenant',
  address: null,
  attempts: 0,
  recipientAttempts: 0,
  plannedAt: AT,
  notice: noticeOf('grant.given'),
};

interface Trial {
  readonly allowPrivate?: boolean;
  readonly resolve?: ResolveHost;
  readonly secret?: string;
}

function sendTo(url: string, { allowPrivate = false, resolve, secret = SECRET }: Trial = {}) {
  const send = createWebhookSender({
    clock: systemClock,
    audience: {
      settingsOf: async () => ({
        notifyEmails: [],
        webhooks: [{ id: 'hook_1', url, secret }],
        timeZone: 'UTC',
      }),
    },
    operatorWebhooks: [],
    dangerouslyAllowPrivateWebhooks: allowPrivate,
    ...(resolve === undefined ? {} : { resolve }),
  });
  return send(DELIVERY, AbortSignal.timeout(5000));
}

const found =
  (...addresses: readonly string[]): ResolveHost =>
  async () =>
    addresses.map((address): HostAddress => ({ address, family: address.includes(':') ? 6 : 4 }));

describe('a webhook of a tenant', () => {
  it.each([
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0177.0.0.1/',
    'https://0/',
    'https://10.1.2.3/',
    'https://169.254.169.254/latest/meta-data/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:a9fe:a9fe]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[fd00:ec2::254]/',
    'https://[fe80::1]/',
    'https://[2002:7f00:1::]/',
    'https://①②⑦.0.0.1/',
  ])('is not asked at a private address: %s', async (url) => {
    expect(await sendTo(url)).toMatchObject({ ok: false, problem: 'address_private' });
  });

  it.each([
    ['a private address', found('10.0.0.1')],
    ['a private one among public ones', found('1.1.1.1', '192.168.0.1')],
    ['an IPv6 one of this machine', found('2606:4700::1', '::1')],
  ])('is not asked at a name that resolves to %s', async (_what, resolve) => {
    expect(await sendTo('https://hook.example/', { resolve })).toMatchObject({ problem: 'address_private' });
  });

  it('is not asked at a name that the machine alone knows', async () => {
    const { ok } = await sendTo('https://localhost/');
    expect(ok).toBe(false);
  });

  it.each(['http://1.1.1.1/', 'ftp://1.1.1.1/', 'file:///etc/passwd', 'data:,x', 'unix:/run/x.sock'])(
    'is asked over https alone: %s',
    async (url) => {
      expect(await sendTo(url)).toMatchObject({ ok: false, problem: 'https_required' });
    },
  );

  it('has no user and no password in its address', async () => {
    expect(await sendTo('https://a:b@1.1.1.1/')).toMatchObject({ problem: 'address_invalid' });
  });

  it('is not asked with a secret that signs nothing', async () => {
    expect(await sendTo('https://1.1.1.1/', { secret: 'whsec_' })).toMatchObject({
      problem: 'secret_invalid',
    });
  });

  it('is not asked where a redirect leads', async () => {
    await using inside = await startWebhookReceiver({ secret: SECRET });
    await using receiver = await startWebhookReceiver({ secret: SECRET });
    for (const status of [301, 302, 303, 307, 308]) {
      receiver.answers.push({ status, headers: { location: inside.url } });
      expect(await sendTo(receiver.url, { allowPrivate: true })).toMatchObject({ problem: `http_${status}` });
    }
    expect(inside.deliveries).toEqual([]);
  });

  it('is asked at the checked address, whatever its name resolves to by then', async () => {
    await using receiver = await startWebhookReceiver({ secret: SECRET });
    let asked = 0;
    const resolve: ResolveHost = async () => {
      asked += 1;
      return [{ address: '127.0.0.1', family: 4 }];
    };
    // The name resolves nowhere: only the addresses that were handed over can have been used.
    const url = `http://rebinding.invalid:${receiver.port}/hook`;
    expect(await sendTo(url, { allowPrivate: true, resolve })).toEqual({ ok: true });
    expect(asked).toBe(1);
    expect(receiver.deliveries).toMatchObject([{ headers: { host: `rebinding.invalid:${receiver.port}` } }]);
  });

  it('is never asked by way of a proxy of the environment', async () => {
    await using receiver = await startWebhookReceiver({ secret: SECRET });
    await using proxy = await startWebhookReceiver({ secret: SECRET });
    process.env['NODE_USE_ENV_PROXY'] = '1';
    process.env['HTTP_PROXY'] = proxy.url;
    try {
      expect(await sendTo(receiver.url, { allowPrivate: true })).toEqual({ ok: true });
    } finally {
      delete process.env['NODE_USE_ENV_PROXY'];
      delete process.env['HTTP_PROXY'];
    }
    expect([receiver.deliveries.length, proxy.deliveries.length]).toEqual([1, 0]);
  });

  it('is refused by the post itself when no address was checked', async () => {
    const url = new URL('http://localhost:9/');
    const post = { url, body: Buffer.alloc(0), headers: {}, ca: null, signal: AbortSignal.timeout(1000) };
    await expect(postWebhook({ ...post, addresses: [] })).rejects.toThrow();
  });
});
