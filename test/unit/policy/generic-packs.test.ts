// The generic packs as a whole: each path is reached by a test of its pack, they load together, they leave a support
// agent's day alone, and they are told in policies/README.md.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadPolicySets } from '#cli/policy-sets.ts';
import { parseTarget } from '#gateway/request-target.ts';
import type { CompiledPolicy } from '#policy/compiled-policy.ts';
import { loadPolicyDirectory, parseFiles } from '#policy/load-directory.ts';
import { Reading, readWide } from '#policy/reading.ts';
import { compileRules } from '#policy/rule-set.ts';
import { runPolicyTests } from '#policy/run-policy-tests.ts';
import { Hits } from '#policy/trie.ts';
import { decide } from '../../support/policy-sets.ts';

/** One for a category or a small family of them; the others of the folder are written for one product each. */
const GENERIC = [
  ['self-grant', 'user-admin', 'permissions', 'credentials', 'settings', 'configuration', 'company'],
  ['integrations', 'assignment', 'ai', 'meetings', 'third-party-data', 'code', 'destructive', 'sensitive'],
].flat();

const { sets, problems } = await loadPolicySets('policies');

function packSet(pack: string) {
  const found = sets.find(({ name }) => name === `policies/packs/${pack}.yaml`);
  if (found === undefined) throw new Error(`${pack} did not load: ${JSON.stringify(problems)}`);
  return found;
}

const together = await loadPolicyDirectory({
  directory: 'policies',
  packs: GENERIC,
  dangerouslyAllowEmpty: false,
  defaultEffect: 'allow',
});

function everyRule(): CompiledPolicy {
  if (together.policy === null) throw new Error(JSON.stringify(together.problems));
  return together.policy;
}

describe('each generic pack', () => {
  it.each(GENERIC)('%s has a denied request for every path', async (pack) => {
    const { documents } = await parseFiles([`policies/packs/${pack}.yaml`]);
    const set = compileRules(documents.rules.map(({ draft }) => draft));
    const unreached = new Set(set.entries.map(({ rule, pathText }) => `${rule.ref.id} ${pathText}`));
    const reading = new Reading();
    const hits = new Hits();
    const denials = packSet(pack).tests.flatMap(({ cases }) => cases.filter((one) => one.rule !== null));
    for (const { requests, rule } of denials) {
      for (const { rawTarget } of requests) {
        const target = parseTarget(rawTarget);
        if ('reason' in target || !readWide(target.path, reading)) continue;
        set.trie.walk(reading, hits);
        for (let i = 0; i < hits.length; i++) {
          const entry = set.entries[hits.payloads[i] as number];
          if (entry?.rule.ref.id === rule) unreached.delete(`${rule} ${entry.pathText}`);
        }
      }
    }
    expect([...unreached]).toEqual([]);
  });

  it.each(GENERIC)('%s lifts nothing that must never be lifted, and says what it does', (pack) => {
    const never = new Set(['self-grant', 'user-admin', 'permissions', 'credentials']);
    for (const rule of packSet(pack).policy.contents.rules) {
      expect(rule.mode).toBe('enforce');
      expect(rule.message).toMatch(/^Support staff (can|cannot) .+\.$/);
      if (never.has(rule.category)) expect(rule.liftable).toBe(false);
    }
  });

  it.each(GENERIC)('%s has rules of its own category, named by it', (pack) => {
    const category = pack === 'configuration' ? 'settings' : pack;
    for (const rule of packSet(pack).policy.contents.rules) {
      expect(rule.category).toBe(category);
      expect(rule.id.startsWith(`${category}.`)).toBe(true);
    }
  });
});

/** What somebody in support does with a write grant, hour by hour. */
const A_DAY = [
  [
    'GET /',
    'GET /dashboard',
    'GET /api/v1/me',
    'PATCH /api/v1/me',
    'GET /api/v1/notifications',
    'GET /health',
  ],
  ['GET /tickets', 'GET /api/v2/tickets?status=open&page=2', 'GET /api/v2/tickets/7', 'POST /api/v2/tickets'],
  [
    'PUT /api/v2/tickets/7',
    'PATCH /tickets/7',
    'POST /api/v2/tickets/7/comments',
    'POST /api/v2/tickets/7/notes',
  ],
  [
    'POST /api/v2/tickets/7/tags',
    'POST /api/v2/tickets/7/close',
    'GET /api/v2/tickets/7/attachments/3/download',
  ],
  ['POST /api/v2/search', 'GET /api/v2/search?q=ada', 'POST /api/v2/contacts/search', 'GET /views/7'],
  ['GET /api/v1/contacts/7', 'POST /api/v1/contacts', 'PUT /api/v1/contacts/7', 'GET /contacts/7/edit'],
  ['GET /api/v1/companies/7', 'PATCH /api/v1/companies/7', 'POST /api/v1/deals', 'PUT /api/v1/deals/7/stage'],
  ['POST /api/v1/tasks', 'POST /api/v1/calls', 'POST /api/v1/events', 'PUT /api/v1/activities/7'],
  [
    'GET /api/v1/users',
    'GET /api/v1/users/7',
    'GET /api/v1/groups',
    'GET /api/v1/roles',
    'GET /settings/users',
  ],
  ['GET /api/v1/workflows', 'GET /api/v1/triggers/7', 'GET /api/v1/macros', 'GET /api/v1/webhooks'],
  [
    'GET /api/v1/integrations/7',
    'GET /api/v1/connections',
    'GET /api/v1/audit-logs',
    'GET /api/v1/debug-logs',
  ],
  ['GET /api/v1/custom-fields', 'GET /settings', 'GET /settings/fields', 'GET /api/v1/settings'],
  ['GET /reports/7', 'GET /api/v1/reports', 'GET /api/v1/dashboards/7', 'GET /api/v1/plans'],
  [
    'GET /kb/articles/7',
    'POST /api/v1/articles',
    'GET /api/v1/conversations/7/messages',
    'GET /help/channels',
  ],
  ['POST /api/v1/conversations/7/messages', 'GET /api/v1/emails/7', 'GET /api/v1/subscription'],
].flat();

describe('the files that are on by default and every generic pack at once', () => {
  it.each(A_DAY)('leave open %s', (request) => {
    const [method = '', rawTarget = ''] = request.split(' ');
    const target = parseTarget(rawTarget);
    if ('reason' in target) throw new Error(target.reason);
    expect(decide(everyRule(), target.path, { method, query: target.query })).toBe('allow');
  });

  it('deny whatever one of them denies', async () => {
    const policy = everyRule();
    const documents = ['policies', ...GENERIC.map((pack) => `policies/packs/${pack}.yaml`)].flatMap(
      (name) => sets.find((set) => set.name === name)?.tests ?? [],
    );
    const { results } = await runPolicyTests({ policy, documents, parseTarget, filter: null });
    const denied = results.filter(({ expected }) => expected.startsWith('deny'));
    expect(denied.length).toBeGreaterThan(2_000);
    const opened = denied.filter(({ actual }) => actual.startsWith('allow'));
    expect(opened).toEqual([]);
  });

  it('begin with ** in at most one path of a hundred', async () => {
    const files = ['exports', 'email', 'billing', ...GENERIC.map((pack) => `packs/${pack}`)];
    const { documents } = await parseFiles(files.map((name) => `policies/${name}.yaml`));
    const paths = documents.rules.flatMap(({ draft }) => draft.match.flatMap((match) => match.paths));
    const deep = paths.filter(({ text }) => text.startsWith('/**'));
    expect(deep.length * 100).toBeLessThanOrEqual(paths.length);
  });
});

describe('policies/README.md', () => {
  it('has a line for every file and every generic pack', () => {
    const text = readFileSync('policies/README.md', 'utf8');
    const files = readdirSync('policies').filter((name) => name.endsWith('.yaml'));
    for (const name of [...files, ...GENERIC]) expect(text).toContain(`| \`${name}\` |`);
  });
});
