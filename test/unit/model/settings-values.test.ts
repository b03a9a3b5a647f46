// What a value of settings may be: each wrong one its own code, place and sentence.
import { describe, expect, it } from 'vitest';
import { type ClassRules, readLayer, type VendorPart } from '#model/settings-layer.ts';
import { contradictions, layerProblems } from '#model/settings-values.ts';
import { DEFAULT_TENANT_SETTINGS } from '#grants/settings/default-settings.ts';

const CONTEXT = {
  dangerouslyAllowHttpWebhooks: false,
  classes: new Set(['trial']),
  profiles: new Set(['support-access']),
  recordsKeptMs: 400 * 86_400_000,
};
const hook = (url: string) => ({ webhooks: [{ id: 'hook_a', url, secret: 'whsec_a' }] });
const told = (layer: ClassRules & VendorPart) =>
  layerProblems(layer, CONTEXT).map(({ code, pointer }) => `${code} ${pointer}`);

describe('a value of settings', () => {
  it.each([
    [{ timeZone: 'Mars/Olympus' }, 'time_zone_unknown /timeZone'],
    [{ timeZone: '+02:00' }, 'time_zone_unknown /timeZone'],
    [{ durations: { max: '2q' } }, 'duration_invalid /durations/max'],
    [{ durations: { max: '101y' } }, 'duration_invalid /durations/max'],
    [{ durations: { presets: ['1d', '0d'] } }, 'duration_invalid /durations/presets/1'],
    [{ caseRefPattern: '(a+)+' }, 'case_pattern_unsafe /caseRefPattern'],
    [{ liftable: ['destructive', 'self-grant'] }, 'never_liftable /liftable'],
    [{ notifyEmails: ['a@acme.example', 'a@acme.example,b@x.example'] }, 'email_invalid /notifyEmails/1'],
    [{ notifyEmails: ['a@acme.example\r\nBcc: x@x.example'] }, 'email_invalid /notifyEmails/0'],
    [hook('http://hooks.acme.example/x'), 'webhook_url_invalid /webhooks/0/url'],
    [hook('https://u:p@hooks.acme.example/x'), 'webhook_url_invalid /webhooks/0/url'],
    [hook('ftp://hooks.acme.example/x'), 'webhook_url_invalid /webhooks/0/url'],
    [hook('https://hooks.acme.example/x#y'), 'webhook_url_invalid /webhooks/0/url'],
    [{ class: 'vip' }, 'class_unknown /class'],
    [{ profile: 'vip' }, 'profile_unknown /profile'],
    [{ sessionIdleMs: 1000 }, 'duration_invalid /sessionIdle'],
    [readLayer({ requestLifetime: '1mo' }), 'duration_invalid /requestLifetime'],
    [readLayer({ auditRetention: '401d' }), 'retention_too_long /auditRetention'],
    [
      { switchGrant: { audience: { org: null, groups: [], principals: null } } },
      'empty_audience /switchGrant/audience',
    ],
  ] as readonly (readonly [ClassRules & VendorPart, string])[])('%j is refused', (layer, expected) => {
    expect(told(layer)).toEqual([expected]);
    for (const { sentence } of layerProblems(layer, CONTEXT)) expect(sentence).toMatch(/^[A-Z].*\.$/);
  });

  it('is allowed as people mean it', () => {
    const layer = readLayer({
      class: 'trial',
      profile: 'support-access',
      timeZone: 'America/Argentina/Buenos_Aires',
      durations: { presets: ['1d', '1mo'], default: '1w', max: '5y', maxPerCase: null },
      sessionIdle: '15m',
      auditRetention: '400d',
      caseRefPattern: 'CASE-[0-9]+',
      notifyEmails: ["o'neill+support@acme.co.example"],
      switchGrant: { audience: { org: 'vendor' } },
      ...hook('https://hooks.acme.example:8443/x?y=1'),
    });
    expect(told(layer as VendorPart)).toEqual([]);
    expect(layer).toMatchObject({
      sessionIdleMs: 900_000,
      switchGrant: { audience: { org: 'vendor', groups: null, principals: null } },
    });
    expect(
      layerProblems(hook('http://127.0.0.1:1/x'), { ...CONTEXT, dangerouslyAllowHttpWebhooks: true }),
    ).toEqual([]);
  });

  it.each([
    [{ min: '2d', default: '1d' }, 'durations_contradict /durations'],
    [{ default: '30d', max: '1mo' }, 'durations_contradict /durations'],
    [{ presets: ['1d', '31d'] }, 'preset_out_of_limits /durations/presets/1'],
    [{ presets: ['1h'], min: '1d' }, 'preset_out_of_limits /durations/presets/0'],
  ])('together with the others, %j does not fit', (durations, expected) => {
    const settings = { durations: { ...DEFAULT_TENANT_SETTINGS.durations, ...durations } };
    expect(contradictions(settings).map(({ code, pointer }) => `${code} ${pointer}`)).toEqual([expected]);
  });

  it('compares months and years by the calendar: twelve months are a year', () => {
    const durations = {
      ...DEFAULT_TENANT_SETTINGS.durations,
      default: '12mo',
      max: '1y',
      presets: ['1mo', '4w'],
    };
    expect(contradictions({ durations })).toEqual([]);
  });
});
