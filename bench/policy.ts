// What a decision costs, by the number of rules: 10,000 rules must cost what 10 do, and a decision at 200 rules less
// than 2 µs. `npm run bench:policy`; exits 1 where a threshold is not held. Rounds of the sets are interleaved.
import { parseArgs } from 'node:util';
import { writeFileSync } from 'node:fs';
import { Bench } from 'tinybench';
import { parseTarget } from '#gateway/request-target.ts';
import type { CompiledPolicy, RouteFacts, ShadowSink } from '#policy/compiled-policy.ts';
import { compilePolicy } from '#policy/compile.ts';
import { appendDocuments, emptyDocuments, parsePolicyFile } from '#policy/policy-file.ts';
import { facts, type RuleText, rulesText } from '../test/support/policy-sets.ts';
import { median } from './statistics.ts';
import thresholds from './thresholds.json' with { type: 'json' };

const SIZES = [10, 200, 10_000] as const;
const ROUNDS = 7;
const RESOURCES = ['tickets', 'contacts', 'deals', 'reports', 'users', 'invoices', 'macros', 'views'];
const ACTIONS = ['export', 'download', 'send', 'merge', 'purge', 'token', 'invite', 'restore'];

/** One rule in a hundred begins with `**`; the first ten are those that the small set has. */
function ruleAt(i: number): RuleText {
  const resource = `${RESOURCES[i % RESOURCES.length]}${i < 10 ? '' : i}`;
  const action = ACTIONS[i % ACTIONS.length] as string;
  const paths =
    i % 100 === 99
      ? [`/**/${resource}/${action}`]
      : [`/api/*/${resource}/{id}/${action}`, `/api/v${i % 3}/${resource}/**`, `/${resource}/${action}*`];
  const query = i % 10 === 3 ? ', query: { format: [csv, xlsx] }' : '';
  const methods = i % 4 === 1 ? ', methods: [POST, DELETE]' : '';
  return { id: `rule-${i}`, match: `{ paths: ${JSON.stringify(paths)}${methods}${query} }` };
}

/** What support staff ask for, allowed and denied, short and deep, with queries and with characters of other scripts. */
const TARGETS = [
  'GET /api/v9/tickets?page=2&sort=created',
  'GET /api/v9/tickets/1234567',
  'POST /api/v9/tickets/1234567/comments',
  'GET /api/v1/organisations/77/members/12/preferences/notifications',
  'GET /api/v1/tickets/88/export?format=csv',
  'GET /assets/app.3f9c1b.js',
  'GET /reports/export-all',
  'GET /kontakte/%C3%A4nderungen/7',
  'DELETE /api/v1/contacts/5',
  'GET /Api/V1/Deals/5',
];

function requests(): readonly RouteFacts[] {
  return TARGETS.map((line) => {
    const [method = '', raw = ''] = line.split(' ');
    const target = parseTarget(raw);
    if ('reason' in target) throw new Error(`refused: ${raw}`);
    return facts(target.path, { method, target });
  });
}

/** Nanoseconds for one decision: the median of a run over all requests, by their number. */
async function measure(policy: CompiledPolicy, asked: readonly RouteFacts[]): Promise<number> {
  const sink: ShadowSink = { shadowRules: [], wantsBody: false };
  const bench = new Bench({ time: 300, warmupTime: 100 });
  bench.add('decide', () => {
    for (let i = 0; i < asked.length; i++) policy.evaluate(asked[i] as RouteFacts, sink);
  });
  await bench.run();
  const result = bench.tasks[0]?.result;
  if (result?.state !== 'completed') throw new Error('the bench did not complete');
  return (result.latency.p50 * 1e6) / asked.length;
}

const RULES_PER_FILE = 300;

function policyOf(size: number): CompiledPolicy {
  const documents = emptyDocuments();
  for (let first = 0; first < size; first += RULES_PER_FILE) {
    const count = Math.min(RULES_PER_FILE, size - first);
    const text = rulesText(Array.from({ length: count }, (_, i) => ruleAt(first + i)));
    appendDocuments(documents, parsePolicyFile('bench.yaml', Buffer.from(text)).documents);
  }
  const options = { source: 'bench', dangerouslyAllowEmpty: false, defaultEffect: 'allow' } as const;
  const { policy } = compilePolicy(documents, options);
  if (policy?.ruleCount !== size) throw new Error('the set did not compile');
  return policy;
}

const { values } = parseArgs({ options: { json: { type: 'string' } } });
const asked = requests();
const sets = SIZES.map((size) => ({
  size,
  policy: policyOf(size),
  nanoseconds: [] as number[],
}));
for (let round = 0; round < ROUNDS; round++) {
  for (const set of sets) set.nanoseconds.push(await measure(set.policy, asked));
}
const figures = Object.fromEntries(sets.map(({ size, nanoseconds }) => [size, median(nanoseconds)]));
const ratio = (figures['10000'] ?? Number.NaN) / (figures['10'] ?? Number.NaN);
for (const { size } of sets) {
  process.stdout.write(
    `${String(size).padStart(6)} rules  ${figures[size]?.toFixed(0)} ns a decision (median)\n`,
  );
}
process.stdout.write(
  `10,000 against 10: ${ratio.toFixed(2)} (at most ${thresholds.policy.ratioOf10000To10})\n`,
);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify({ figures, ratio }, null, 2)}\n`);
const held =
  ratio <= thresholds.policy.ratioOf10000To10 &&
  (figures['200'] ?? Infinity) < thresholds.policy.nanosecondsAt200;
process.exitCode = held ? 0 : 1;
