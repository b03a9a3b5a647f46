import { describe, expect, it } from 'vitest';
import type { EpochMs } from '#model/clock.ts';
import { messageIdOf, signatureKeyOf, signedHeaders } from '#notify/webhook-signature.ts';
import { webhookBody } from '#notify/webhook-sender.ts';
import { noticeOf } from '../../support/notices.ts';

describe('a signature', () => {
  it('is the one of the example in the Standard Webhooks specification', () => {
    const key = signatureKeyOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw') as Buffer;
    const body = Buffer.from('{"test": 2432232314}');
    const headers = signedHeaders(key, 'msg_p5jXN8AQM9LWM0D4loKWxJek', {
      body,
      now: 1614265330_999 as EpochMs,
    });
    expect(headers).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
  });

  it.each(['', 'whsec_', 'whsec_!!!', 'whsec_c2hvcnQ=', 'short'])(
    'is never made with what is no key: %j',
    (secret) => {
      expect(signatureKeyOf(secret)).toBeNull();
    },
  );
});

describe('the id of a message', () => {
  it('is the same for the same notice and recipient, and another for every other', () => {
    const key = { noticeId: 'ntc_1', channel: 'webhook', recipient: 'hook_1' } as const;
    expect(messageIdOf(key)).toBe(messageIdOf({ ...key }));
    expect(messageIdOf(key)).toMatch(/^msg_[0-9a-f]{32}$/);
    const others = [
      { ...key, noticeId: 'ntc_2' },
      { ...key, recipient: 'hook_2' },
      { ...key, channel: 'email' as const },
    ];
    expect(new Set([key, ...others].map(messageIdOf)).size).toBe(4);
  });
});

describe('the body', () => {
  it('says what happened, when, to whom, and the facts as they are', () => {
    const notice = noticeOf('grant.revoked');
    expect(JSON.parse(webhookBody(notice).toString())).toEqual({
      type: 'grant.revoked',
      timestamp: '2030-01-15T12:00:00.000Z',
      data: {
        id: 'ntc_grant.revoked',
        tenant: 'acme',
        by: { name: 'Bo', email: 'bo@acme.example' },
        staff: notice.staff,
        facts: notice.facts,
      },
    });
  });
});
