import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { configOf, parse, problemsOf, smallestWith, told } from '../../support/config-files.ts';

const HOOK = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;
const ENV = {
  SMTPS: 'smtps://gate:p%40ss%2Fw@mail.vendor.example',
  STARTTLS: 'smtp://mail.vendor.example:2525/',
  HOOK,
  SHORT: 'whsec_c2hvcnQ=',
};
const notify = (more: string): string => smallestWith(`notify: ${more}\n`);
const smtp = (name: string, more = ''): string =>
  notify(`{ smtp: { url: { fromEnv: ${name} }, from: support-access@vendor.example${more} } }`);

describe('notify', () => {
  it('reads host, port, credentials and kind of TLS out of the one secret', () => {
    const { smtp: first } = configOf(smtp('SMTPS'), ENV).notify;
    expect(first).toMatchObject({
      host: 'mail.vendor.example',
      port: 465,
      tls: 'implicit',
      credentials: { user: 'gate' },
      from: 'support-access@vendor.example',
      ca: null,
    });
    expect(first?.credentials?.password.reveal()).toBe('p@ss/w');
    expect(configOf(smtp('STARTTLS'), ENV).notify.smtp).toMatchObject({
      port: 2525,
      tls: 'starttls',
      credentials: null,
    });
  });

  it('never prints the password', () => {
    const config = configOf(smtp('SMTPS'), ENV);
    expect(inspect(config.notify, { depth: 9 }) + JSON.stringify(config.notify)).not.toContain('p@ss');
  });

  it('sends in the clear only where the file says so, and warns', () => {
    const result = parse(smtp('STARTTLS', ', dangerouslyAllowPlaintextSmtp: true'), ENV);
    expect(result).toMatchObject({ ok: true, config: { notify: { smtp: { tls: 'plain' } } } });
    expect(told(result.warnings)).toEqual([expect.stringContaining('may go out in the clear')]);
    expect(configOf(smtp('SMTPS', ', dangerouslyAllowPlaintextSmtp: true'), ENV).notify.smtp?.tls).toBe(
      'implicit',
    );
  });

  it('warns that customers’ webhooks may be anywhere', () => {
    const result = parse(notify('{ dangerouslyAllowPrivateWebhooks: true }'));
    expect(told(result.warnings)).toEqual([expect.stringContaining('this machine included')]);
  });

  it('takes webhooks, groups and the address where access is managed', () => {
    const config = configOf(
      notify(`{ webhooks: [{ url: "https://hooks.vendor.example/p", secret: { fromEnv: HOOK } }],
        groups: { support: team@vendor.example }, manageUrl: "https://{tenant}.app.example.com/support" }`),
      ENV,
    ).notify;
    expect(config.webhooks[0]).toMatchObject({ url: 'https://hooks.vendor.example/p', ca: null });
    expect(config.webhooks[0]?.secret.reveal()).toBe(HOOK);
    expect(config.groups).toEqual(new Map([['support', 'team@vendor.example']]));
    expect(config.manageUrl).toBe('https://{tenant}.app.example.com/support');
  });

  it.each([
    'mail.vendor.example:587',
    'https://mail.vendor.example',
    'smtp://',
    'smtp://user@mail.vendor.example',
    'smtps://mail.vendor.example/path',
    'smtps://mail.vendor.example?tls=no',
    'smtps://a:%ff@mail.vendor.example',
  ])('refuses %s as a mail server, and repeats nothing of it', (url) => {
    const problems = told(problemsOf(smtp('URL'), { URL: url }));
    expect(problems).toEqual([
      '4:19 the secret must be smtps://user:password@host:port, or smtp:// for STARTTLS, without a path',
    ]);
  });

  it.each([
    [
      'a sender that is none',
      smtp('SMTPS').replace('support-access@vendor', 'a b@vendor'),
      'is not an e-mail address',
    ],
    [
      'a sender with a name',
      smtp('SMTPS').replace('from: support-access@vendor.example', 'from: "Gate <a@b.example>"'),
      'is not an e-mail address',
    ],
    ['a group without an address', notify('{ groups: { support: team } }'), 'is not an e-mail address'],
    [
      'a short secret',
      notify('{ webhooks: [{ url: "https://a.example", secret: { fromEnv: SHORT } }] }'),
      'at least 24 bytes',
    ],
    [
      'http to elsewhere',
      notify('{ webhooks: [{ url: "http://a.example", secret: { fromEnv: HOOK } }] }'),
      'must be https',
    ],
    [
      'a place to manage access over http',
      notify('{ manageUrl: "http://a.example" }'),
      'must be an https:// address',
    ],
  ])('refuses %s', (_what, text, said) => {
    expect(told(problemsOf(text, ENV))).toEqual([expect.stringContaining(said)]);
  });

  it('refuses two webhooks at one address', () => {
    const one = '{ url: "https://a.example", secret: { fromEnv: HOOK } }';
    expect(told(problemsOf(notify(`{ webhooks: [${one}, ${one}] }`), ENV))).toEqual([
      expect.stringContaining('another webhook has the same address'),
    ]);
  });
});
