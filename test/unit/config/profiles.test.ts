// Profiles: the five shipped ones say what their stories say, own ones stand beside the configuration file, and every
// mistake is told with its place.
import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import type { Config } from '#config/config.ts';
import { loadConfig } from '#config/load-config.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import { effectiveSettings } from '#grants/settings/effective-settings.ts';
import { settingsBody } from '#control/settings-schemas.ts';
import {
  configAt,
  configOf,
  problemsOf,
  smallestWith,
  testFolder,
  told,
} from '../../support/config-files.ts';

const PROFILES = ['account-access', 'account-assumption', 'login-access', 'manage-access', 'support-access'];
/** Whom of the vendor's people the switch lets in; everybody where there is none. */
const GROUPS: ReadonlyMap<string, readonly string[]> = new Map([
  ['login-access', ['login-access']],
  ['manage-access', ['support']],
]);

const under = (profile: string): Config => configOf(smallestWith(`grants: { profile: ${profile} }\n`));
const settingsOf = (profile: string, vendor = {}): TenantSettings =>
  effectiveSettings(under(profile).grants.settings, { vendor, own: {} });

describe('the shipped profiles', () => {
  it('are five, each valid, with the schema named for editors', () => {
    const files = readdirSync('config/profiles');
    expect(files.toSorted()).toEqual(PROFILES.map((name) => `${name}.yaml`));
    for (const file of files) {
      const [first] = readFileSync(`config/profiles/${file}`, 'utf8').split('\n');
      expect(first).toBe('# yaml-language-server: $schema=../schemas/profile.schema.json');
    }
    for (const name of PROFILES) expect(under(name).grants.settings.profile).toBe(name);
    expect([...configOf(smallestWith('')).grants.settings.profiles.keys()].toSorted()).toEqual(PROFILES);
  });

  it('name five times who the staff are, and always ask for a session', () => {
    for (const name of PROFILES) {
      expect(settingsOf(name), name).toMatchObject({
        sessionsRequired: true,
        sessionIdleMs: 1_800_000,
        sessionMaxMs: 28_800_000,
        defaultAccess: 'write',
        switchGrant: {
          access: 'write',
          audience: { org: 'vendor', groups: GROUPS.get(name) ?? null, principals: null },
        },
        suspended: false,
        breakGlass: false,
      });
    }
  });

  it('account assumption: reading stands, periods are offered, trial accounts are open by their class', () => {
    expect(settingsOf('account-assumption')).toMatchObject({
      standing: 'read',
      systemAccess: null,
      liftable: ['destructive'],
      durations: { presets: ['1d', '1w', '1mo', '1y'], indefinite: true },
      mayGrant: { kind: 'admins' },
      reasonRequired: false,
      caseRefRequired: false,
      switchGrant: { roles: ['agent'] },
    });
    expect(settingsOf('account-assumption', { class: 'trial' }).systemAccess).toBe('write');
  });

  it('support access: a date of one day to five years away, a notice, nothing liftable', () => {
    expect(settingsOf('support-access')).toMatchObject({
      standing: 'none',
      liftable: [],
      notice: { version: '1', text: expect.stringContaining('can see the data') },
      durations: { min: '1d', max: '5y', wholeDays: 1, indefinite: false, presets: [] },
    });
  });

  it('manage access: one week to one month, for admins with the permission', () => {
    expect(settingsOf('manage-access')).toMatchObject({
      standing: 'none',
      liftable: [],
      durations: { default: '1w', max: '1mo' },
      mayGrant: { kind: 'permission', permission: 'manage_support_access' },
    });
  });

  it('login access: verified by the vendor, fourteen days a case, for licensed users, not for governments', () => {
    expect(settingsOf('login-access')).toMatchObject({
      vendorVerification: 'required',
      durations: { max: '14d', maxPerCase: '14d' },
      mayGrant: { kind: 'licensed_users' },
      reasonRequired: true,
      caseRefRequired: true,
      excludedOrgs: [],
    });
    expect(settingsOf('login-access', { class: 'gov' }).excludedOrgs).toEqual(['vendor']);
  });

  it('account access: sensitive data can be lifted, and the notice says what cannot be prevented', () => {
    expect(settingsOf('account-access')).toMatchObject({
      liftable: ['sensitive'],
      notice: { text: expect.stringContaining('cannot be prevented') },
      durations: { indefinite: false },
    });
  });
});

describe('the profile schema', () => {
  const schema = JSON.parse(readFileSync('config/schemas/profile.schema.json', 'utf8')) as {
    definitions: { settings: { properties: Record<string, { description?: string }> } };
  };

  it('is a valid schema in which every setting is described', () => {
    expect(new Ajv({ strict: false }).validateSchema(schema)).toBe(true);
    for (const [key, node] of Object.entries(schema.definitions.settings.properties)) {
      expect(node.description ?? JSON.stringify(node), key).toMatch(/[a-z]/);
    }
  });

  it('has the keys that the control API has for the vendor’s part, but for what is one tenant’s', () => {
    const { properties } = settingsBody as object as { properties: Record<string, unknown> };
    const ofOneTenant = new Set(['class', 'profile', 'suspended', 'webhooks', 'onBehalfOf']);
    const keys = Object.keys(properties).filter((key) => !ofOneTenant.has(key));
    expect(Object.keys(schema.definitions.settings.properties).toSorted()).toEqual(keys.toSorted());
  });
});

const HEAD = 'apiVersion: postern/v1\nkind: Profile\n';

describe('a profile of one’s own', () => {
  it('stands beside the configuration file, before a shipped one of the same name', () => {
    using folder = testFolder();
    folder.write('profiles/manage-access.yaml', `${HEAD}settings: { approvals: 3 }\n`);
    folder.write('profiles/ours.yaml', `${HEAD}settings: { standing: read }\n`);
    folder.write('profiles/notes.txt', 'no profile');
    const file = folder.write('postern.yaml', smallestWith('grants: { profile: manage-access }\n'));
    const { settings } = configAt(file).grants;
    expect(settings.profiles.get('manage-access')?.settings).toEqual({ approvals: 3 });
    expect(settings.profiles.get('ours')?.settings).toEqual({ standing: 'read' });
  });

  it('has its mistakes told with file, line and column, whether or not it is chosen', () => {
    using folder = testFolder();
    folder.write(
      'profiles/ours.yaml',
      `${HEAD}settings:\n  standing: reed\n  timeZone: Mars/Olympus\n  liftable: [self-grant]\n  durations: { max: 2q }\n  sessionIdle: 90d\n  suspended: true\nclasses:\n  Trial: {}\n`,
    );
    folder.write('profiles/thin.yaml', `${HEAD}settings:\n  durations: { presets: [1mo] }\n`);
    const file = folder.write('postern.yaml', smallestWith(''));
    const result = loadConfig({ file, env: {} });
    const problems = result.ok ? [] : result.problems;
    expect(told(problems)).toEqual([
      '4:13 settings.standing: expected none or read, not "reed"; did you mean "read"?',
      '5:13 settings.timeZone: A time zone has a name of the IANA database, such as Europe/Berlin or UTC',
      '6:3 settings.liftable: Rules of these categories are never lifted: self-grant, user-admin, permissions, credentials',
      '7:21 settings.durations.max: expected a duration with its unit, such as 8h, 14d, 4w, 1mo or 5y, not "2q"',
      '9:3 unknown key "suspended"; known here: standing, sessionsRequired, sessionIdle, sessionMax, liftable, vendorVerification, notice, timeZone, durations, mayGrant, reasonRequired, caseRefRequired, caseRefPattern, approvals, leadFirst, requestLifetime, defaultAccess, switchGrant, breakGlass, notifyEmails, auditRetention',
      '11:3 a key of classes is a name of lower-case letters, digits, underscores and hyphens, at most 32',
      '4:26 settings.durations.presets[0]: A duration on offer is never shorter than the least and never longer than the greatest',
    ]);
    expect(problems[0]?.file).toMatch(/ours\.yaml$/);
    expect(problems.at(-1)?.file).toMatch(/thin\.yaml$/);
  });
});

describe('the audit retention of a profile or a class of it', () => {
  it.each([
    ['settings: { auditRetention: 60d }', '60d', []],
    ['settings: { auditRetention: 60d }', '59d', ['ours']],
    ['settings: {}\nclasses: { trial: { auditRetention: 60d } }', '59d', ['ours']],
  ])('%s with audit.retention of %s is refused at start by %j', (text, retention, refused) => {
    using folder = testFolder();
    folder.write('profiles/ours.yaml', `${HEAD}${text}\n`);
    const file = folder.write('postern.yaml', smallestWith(`audit: { retention: ${retention} }\n`));
    const result = loadConfig({ file, env: {} });
    expect(result.ok ? [] : told(result.problems)).toEqual(
      refused.map((name) => `4:21 audit.retention is shorter than auditRetention of the profile "${name}"`),
    );
  });

  it('is not compared with a retention that is none', () => {
    using folder = testFolder();
    folder.write('profiles/ours.yaml', `${HEAD}settings: { auditRetention: 60d }\n`);
    const file = folder.write('postern.yaml', smallestWith('audit: { retention: 1h }\n'));
    const result = loadConfig({ file, env: {} });
    expect(result.ok ? [] : told(result.problems)).toEqual(['4:21 audit.retention: from 1d to 520w, not 1h']);
  });
});

describe('the gateway’s own words on settings', () => {
  it('stand above the profile, classes key by key', () => {
    const config = configOf(
      smallestWith(
        'grants:\n  profile: account-assumption\n  settings: { timeZone: Asia/Tokyo, durations: { default: 1d } }\n  classes: { trial: { approvals: 2 }, gov: { excludedOrgs: [vendor] } }\n',
      ),
    );
    const settings = (name: string) =>
      effectiveSettings(config.grants.settings, { vendor: { class: name }, own: {} });
    expect(settings('standard')).toMatchObject({
      timeZone: 'Asia/Tokyo',
      durations: { default: '1d', max: '1y' },
    });
    expect(settings('trial')).toMatchObject({ systemAccess: 'write', approvals: 2 });
    expect(settings('gov')).toMatchObject({ excludedOrgs: ['vendor'] });
  });

  it('are the limits and the floor for sessions where there is no profile', () => {
    const config = configOf(
      smallestWith(
        'grants: { limits: { default: 1d, max: 3d } }\nsessions: { required: false, idle: 10m, max: 1h }\n',
      ),
    );
    expect(config.sessions).toEqual({ required: false, idleMs: 600_000, maxMs: 3_600_000 });
    const settings = effectiveSettings(config.grants.settings, { vendor: {}, own: {} });
    expect(settings).toMatchObject({
      durations: { default: '1d', max: '3d' },
      sessionsRequired: false,
      sessionIdleMs: 600_000,
      sessionMaxMs: 3_600_000,
      reasonRequired: true,
      caseRefRequired: true,
    });
  });

  it.each([
    [
      'grants: { profile: manage-acces }',
      '4:20 there is no profile "manage-acces"; did you mean "manage-access"?',
    ],
    [
      'grants: { profile: manage-access, limits: { max: 3d } }',
      '4:35 grants.limits has no meaning here: the profile says how long grants last, and grants.settings.durations what differs',
    ],
    ['grants: { settings: { durations: { default: 20d } } }', '4:23 grants.settings.durations: The least'],
    [
      'grants: { profile: account-assumption, classes: { trial: { durations: { max: 1w } } } }',
      '4:60 grants.classes.trial.durations.presets[2]: A duration on offer',
    ],
    [
      'grants: { settings: { standing: write } }',
      '4:33 grants.settings.standing: expected none or read, not "write"',
    ],
    ['grants: { settings: { systemAccess: write } }', '4:23 unknown key "systemAccess"'],
    [
      'grants: { classes: { gov: { liftable: [permissions] } } }',
      '4:29 grants.classes.gov.liftable: Rules of these',
    ],
    [
      'grants: { settings: { mayGrant: { kind: permission } } }',
      '4:23 grants.settings.mayGrant.permission is missing',
    ],
    [
      'grants: { settings: { auditRetention: 401d } }',
      '4:39 grants.settings.auditRetention: A tenant’s records are shown for 400d at most',
    ],
    [
      'audit: { retention: 30d }\ngrants: { classes: { gov: { auditRetention: 31d } } }',
      '5:45 grants.classes.gov.auditRetention: A tenant’s records are shown for 30d at most',
    ],
    ['sessions: { idle: 2h, max: 1h }', '4:19 sessions.idle must not exceed sessions.max'],
    ['sessions: { idle: 1s }', '4:19 sessions.idle: from 1m to 24h, not 1s'],
  ])('%s is refused at its place', (text, expected) => {
    const found = told(problemsOf(smallestWith(`${text}\n`)));
    expect(found.map((one) => one.slice(0, expected.length))).toContain(expected);
  });

  it('let a service manage tenants', () => {
    const env = { KEY: 'a'.repeat(64) };
    const text = smallestWith('').replace(
      'support: [',
      'services: [{ name: p, keyHash: { fromEnv: KEY }, may: [tenants, grants] }], support: [',
    );
    expect(configOf(text, env).identity.services[0]?.may).toEqual(['tenants', 'grants']);
  });
});
