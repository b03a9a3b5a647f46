// The 32 things that support can never do in a CRM (policies/README.md): for each but number 20, which is a limit of
// grants, a rule of the category that decides reads and writes as the list says, and a test case with the number.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadPolicySets, type PolicySetWithTests } from '#cli/policy-sets.ts';
import { decide, type FactsOptions } from '../../support/policy-sets.ts';

interface Listed {
  readonly number: number;
  readonly rule: string;
  readonly category: string;
  readonly reads: 'open' | 'denied';
  /** A sample; POST is denied on it, GET as `reads` says. */
  readonly path: string;
  /** Below `policies`. */
  readonly file: string;
}

/** The files of the directory itself hold the categories that are on by default. */
const TOP_LEVEL: Readonly<Record<string, string>> = {
  export: 'exports.yaml',
  email: 'email.yaml',
  'email-config': 'email.yaml',
  billing: 'billing.yaml',
};

function line(...given: readonly [number, string, string, Listed['reads'], string]): Listed {
  const [number, rule, category, reads, path] = given;
  return { number, rule, category, reads, path, file: TOP_LEVEL[category] ?? `packs/${category}.yaml` };
}

/** number, rule, category, reads, path, file */
const LIST: readonly Listed[] = [
  line(1, 'self-grant.support-access', 'self-grant', 'denied', '/api/v1/support-access'),
  line(2, 'user-admin.users', 'user-admin', 'open', '/api/v1/users/7'),
  line(3, 'settings.tab-groups', 'settings', 'open', '/api/v1/tab-groups'),
  line(3, 'settings.mail-merge', 'settings', 'open', '/contacts/7/mail-merge'),
  line(3, 'settings.trusted-domains', 'settings', 'open', '/settings/trusted-domains'),
  line(3, 'settings.integration-actions', 'settings', 'open', '/api/v1/workflows/7/integrations'),
  line(4, 'billing.subscription', 'billing', 'open', '/api/v1/subscription'),
  line(5, 'email.send', 'email', 'open', '/api/v1/emails'),
  line(6, 'email-config.mass', 'email-config', 'open', '/api/v1/mass-email'),
  line(6, 'email-config.autoresponders', 'email-config', 'open', '/api/v1/autoresponders'),
  line(6, 'email-config.scheduled', 'email-config', 'open', '/api/v1/workflow-emails'),
  line(7, 'export.jobs', 'export', 'denied', '/contacts/export'),
  line(7, 'export.backup', 'export', 'denied', '/settings/data-backup'),
  line(8, 'export.reports', 'export', 'denied', '/api/v1/reports/7/export'),
  line(9, 'export.audit-logs', 'export', 'denied', '/api/v1/audit-logs/export'),
  line(10, 'credentials.secret-keys', 'credentials', 'denied', '/api/v1/secret-keys'),
  line(10, 'credentials.api-keys', 'credentials', 'denied', '/settings/api-keys'),
  line(10, 'credentials.tokens', 'credentials', 'denied', '/api/v1/personal-access-tokens'),
  line(11, 'company.details', 'company', 'denied', '/settings/company'),
  line(12, 'permissions.roles', 'permissions', 'open', '/api/v1/roles/7'),
  line(12, 'permissions.profiles', 'permissions', 'open', '/api/v1/profiles/7'),
  line(12, 'permissions.admins', 'permissions', 'open', '/api/v1/admins'),
  line(13, 'integrations.setup', 'integrations', 'open', '/api/v1/webhooks'),
  line(14, 'settings.copy-customizations', 'settings', 'open', '/api/v1/customizations/copy'),
  line(15, 'integrations.connections', 'integrations', 'open', '/settings/connections/7'),
  line(16, 'integrations.marketplace', 'integrations', 'denied', '/marketplace'),
  line(17, 'assignment.rules', 'assignment', 'open', '/api/v1/assignment-rules'),
  line(18, 'settings.channels', 'settings', 'denied', '/settings/channels'),
  line(19, 'export.print', 'export', 'denied', '/contacts/print-view'),
  line(21, 'ai.chatbots', 'ai', 'denied', '/api/v1/chatbots'),
  line(22, 'ai.conversations', 'ai', 'denied', '/api/v1/conversational-ai'),
  line(23, 'ai.voice', 'ai', 'denied', '/api/v1/voice-assistant/skills'),
  line(23, 'ai.developer-space', 'ai', 'denied', '/developer-space'),
  line(24, 'meetings.online', 'meetings', 'open', '/api/v1/online-meetings'),
  line(25, 'third-party-data.enrichment', 'third-party-data', 'denied', '/contacts/7/enrich'),
  line(26, 'settings.voice-of-the-customer', 'settings', 'denied', '/api/v1/voice-of-the-customer'),
  line(27, 'ai.vision', 'ai', 'denied', '/api/v1/vision'),
  line(28, 'ai.voice', 'ai', 'denied', '/settings/voice-assistant'),
  line(29, 'email.surveys', 'email', 'denied', '/api/v1/surveys/7'),
  line(30, 'integrations.connect', 'integrations', 'open', '/api/v1/connectors/7/connect'),
  line(30, 'integrations.connections', 'integrations', 'open', '/api/v1/connections'),
  line(31, 'code.client-scripts', 'code', 'denied', '/api/v1/client-scripts/7'),
  line(32, 'settings.social-channels', 'settings', 'denied', '/settings/social'),
];

const { sets } = await loadPolicySets('policies');

function setOf({ file }: Listed): PolicySetWithTests {
  const name = file.startsWith('packs/') ? `policies/${file}` : 'policies';
  const found = sets.find((set) => set.name === name);
  if (found === undefined) throw new Error(`${name} did not load`);
  return found;
}

const ALL_CATEGORIES = [...new Set(LIST.map(({ category }) => category))];

/** Number 17 looks into the body; the other rules need none, and an empty JSON object changes nothing for them. */
async function optionsOf({ number }: Listed, set: PolicySetWithTests): Promise<FactsOptions> {
  const body = number === 17 ? '{"rules":[{"assignee":{"email":"ada@vendor.example"}}]}' : '{}';
  const contentType = 'application/json';
  const held = { bytes: Buffer.from(body), contentType, contentEncoding: '', maxBytes: 65_536 };
  const principal = { id: 'u-7', email: 'ada@vendor.example' };
  return { method: 'POST', contentType, body: await set.policy.readBody(held), principal };
}

describe('the list of what support can never do', () => {
  it('has every number but 20, which is a limit of grants', () => {
    const numbers = new Set(LIST.map(({ number }) => number));
    const wanted = Array.from({ length: 32 }, (_, i) => i + 1).filter((number) => number !== 20);
    expect([...numbers].toSorted((a, b) => a - b)).toEqual(wanted);
  });

  it('closes reads for the numbers that it says, and only for those', () => {
    const closed = new Set(LIST.filter(({ reads }) => reads === 'denied').map(({ number }) => number));
    const open = new Set(LIST.filter(({ reads }) => reads === 'open').map(({ number }) => number));
    expect([...closed]).toEqual([1, 7, 8, 9, 10, 11, 16, 18, 19, 21, 22, 23, 25, 26, 27, 28, 29, 31, 32]);
    expect([...open]).toEqual([2, 3, 4, 5, 6, 12, 13, 14, 15, 17, 24, 30]);
  });

  it.each(LIST)('$number: $rule has its category and is enforced', (listed) => {
    const rule = setOf(listed).policy.contents.rules.find(({ id }) => id === listed.rule);
    expect(rule).toMatchObject({ category: listed.category, mode: 'enforce' });
  });

  it.each(LIST)('$number: $rule denies a write on $path', async (listed) => {
    const set = setOf(listed);
    expect(decide(set.policy, listed.path, await optionsOf(listed, set))).toBe(listed.rule);
  });

  it.each(LIST)('$number: on $path reads are $reads', (listed) => {
    for (const method of ['GET', 'HEAD']) {
      const expected = listed.reads === 'denied' ? listed.rule : 'allow';
      expect(decide(setOf(listed).policy, listed.path, { method })).toBe(expected);
    }
  });

  it.each(LIST)('$number: test cases with the number hold $rule to it', (listed) => {
    const cases = setOf(listed).tests.flatMap((test) => test.cases);
    const numbered = cases.filter((one) => one.name.startsWith(`${listed.number}: `));
    const denied = numbered.filter((one) => one.expect === 'deny' && one.rule === listed.rule);
    const methods = new Set(denied.flatMap((one) => one.requests.map(({ method }) => method)));
    expect(methods.size).toBeGreaterThan(0);
    expect([...methods].some((method) => method !== 'GET')).toBe(true);
    const reads = listed.reads === 'denied' ? denied : numbered.filter((one) => one.expect === 'allow');
    const readMethods = reads.flatMap((one) => one.requests.map(({ method }) => method));
    expect(readMethods).toContain('GET');
  });

  it.each(LIST)('$number: $rule is never lifted where its category is one that cannot be', (listed) => {
    const never = ['self-grant', 'user-admin', 'permissions', 'credentials'];
    if (!never.includes(listed.category) && listed.rule !== 'export.audit-logs') return;
    const options = { method: 'POST', lifts: ALL_CATEGORIES };
    expect(decide(setOf(listed).policy, listed.path, options)).toBe(listed.rule);
  });

  it('is the table of policies/README.md', () => {
    const rows = readFileSync('policies/README.md', 'utf8')
      .split('\n')
      .filter((row) => /^\| \d+ \|/.test(row))
      .map((row) => row.split('|').map((cell) => cell.trim()));
    const told = rows
      .filter(([, number]) => number !== '20')
      .map(([, number, , rule, reads, writes, file, tests]) => ({
        number,
        rule,
        reads,
        writes,
        file,
        tests,
      }));
    expect(told).toEqual(
      LIST.map(({ number, rule, reads, file }) => ({
        number: String(number),
        rule: `\`${rule}\``,
        reads,
        writes: 'denied',
        file,
        tests: file.replace(/^(packs\/)?/, '$1tests/'),
      })),
    );
    expect(rows.filter(([, number]) => number === '20').map((row) => row[3])).toEqual([
      'none: a limit of grants (`grants.limits`), not a route',
    ]);
  });
});
