// Secrets and personal values that reach the operational log or the audit by accident: a header object logged
// whole, a library's error text, a token in a query. Neither may show them.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { PosternError } from '#model/fault.ts';
import { createLog, type Log } from '#telemetry/log.ts';
import { ANONYMOUS, fakeExchange } from '../support/audit-exchange.ts';
import { testDirectory, testJournal } from '../support/audit-journal.ts';

const JWT = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZ2VudCJ9.c2lnbmF0dXJl';
const SECRETS = [JWT, 'psk_0123456789abcdef', 's3cret-value', 'ada@vendor.example', 'hunter2'];

function captured(): { readonly log: Log; text(): string; last(): Record<string, unknown> } {
  const lines: string[] = [];
  const log = createLog({
    level: 'trace',
    instance: 'gw-1',
    destination: { write: (line) => void lines.push(line) },
  });
  return {
    log,
    text: () => lines.join(''),
    last: () => JSON.parse(lines.at(-1) ?? 'null') as Record<string, unknown>,
  };
}

describe('the operational log', () => {
  it.each<[string, (log: Log) => void]>([
    ['an authorization header', (log) => log.info({ authorization: `Bearer ${JWT}` }, 'x')],
    ['a cookie, deep down', (log) => log.info({ a: { b: { Cookie: 'session=s3cret-value' } } }, 'x')],
    ['headers logged whole', (log) => log.info({ headers: { 'x-anything': 's3cret-value' } }, 'x')],
    ['a raw header list', (log) => log.info({ rawHeaders: ['Authorization', `Bearer ${JWT}`] }, 'x')],
    ['an access token', (log) => log.info({ access_token: 's3cret-value' }, 'x')],
    ['a client secret', (log) => log.info({ clientSecret: 's3cret-value' }, 'x')],
    ['a private key', (log) => log.info({ 'private-key': 's3cret-value' }, 'x')],
    ['a password', (log) => log.info({ password: 'hunter2' }, 'x')],
    ['an email under its key', (log) => log.info({ email: 'ada@vendor.example' }, 'x')],
    ['an email under another key', (log) => log.info({ who: 'ada@vendor.example' }, 'x')],
    ['a token in a message', (log) => log.info(`refused ${JWT}`)],
    ['a token in a message with fields', (log) => log.info({ a: 1 }, `refused Bearer s3cret-value`)],
    ['a token handed to a placeholder', (log) => log.info('refused %s', JWT)],
    ['a service key', (log) => log.info({ text: 'key psk_0123456789abcdef used' }, 'x')],
    ['userinfo of a URL', (log) => log.info({ url: 'postgres://app:hunter2@db.example/x' }, 'x')],
    ['a secret in a query', (log) => log.info({ url: '/a?access_token=s3cret-value&b=1' }, 'x')],
    ['a list', (log) => log.info({ list: [`Bearer ${JWT}`] }, 'x')],
    ['an error', (log) => log.error(new Error(`cannot use ${JWT}`), 'x')],
    ['an error under a key', (log) => log.error({ err: new Error('ada@vendor.example s3cret-value') }, 'x')],
    [
      'the cause of a fault',
      (log) =>
        log.error({ err: new PosternError('STORE_UNAVAILABLE', 'down', new Error('s3cret-value')) }, 'x'),
    ],
    ['a child logger', (log) => log.child({ token: 's3cret-value' }).info('x')],
  ])('does not show %s', (_name, say) => {
    const { log, text } = captured();
    say(log);
    expect(text()).not.toBe('');
    for (const secret of SECRETS) expect(text()).not.toContain(secret);
  });

  it('keeps what operators need: level, time, message, request id, code of a fault', () => {
    const { log, last } = captured();
    const cause = Object.assign(new Error('SELECT secret'), { code: 'SQLITE_BUSY' });
    const requestId = '0198f2a0-0000-7000-8000-000000000001';
    log
      .child({ requestId })
      .error({ err: new PosternError('STORE_UNAVAILABLE', 'grants cannot be read', cause) }, 'it failed');
    expect(last()).toMatchObject({
      level: 'error',
      instance: 'gw-1',
      requestId,
      message: 'it failed',
      err: { code: 'STORE_UNAVAILABLE', message: 'grants cannot be read', cause: 'SQLITE_BUSY' },
    });
    expect(Date.parse(String(last()['time']))).not.toBeNaN();
  });

  it('writes one line however the message breaks', () => {
    const { log, text } = captured();
    log.info({ path: '/a\r\n{"forged":1}' }, 'x\n{"forged":true}\u2028');
    expect(text().split('\n')).toHaveLength(2);
  });
});

it('the audit holds no query value, no fragment and no userinfo, refused or not', async () => {
  using directory = testDirectory();
  const file = path.join(path.dirname(directory.path), 'out.ndjson');
  const journal = testJournal(directory.path, { sinks: [{ kind: 'file', path: file }] });
  for (const rawTarget of [
    `/a?access_token=${JWT}`,
    `/a\u0001?x=s3cret-value#hunter2`,
    'http://ada:hunter2@host/a?b=s3cret-value',
    `/a?${JWT}`,
  ]) {
    journal.refuse(fakeExchange({ ...ANONYMOUS, target: null, rawTarget, reason: 'bad_request_target' }));
  }
  const target = {
    path: '/a',
    query: `token=s3cret-value&code=hunter2`,
    hasQuery: true,
    encodedSlash: false,
    encodedPercent: false,
  };
  const x = fakeExchange({ target });
  journal.intend(x);
  journal.complete(x);
  await journal.close(5000);
  const text = directory.text() + readFileSync(file, 'utf8');
  for (const secret of [JWT, 's3cret-value', 'hunter2']) expect(text).not.toContain(secret);
  expect(text).toContain('"queryKeys":["token","code"]');
});
