// The compiled policy against a matcher that is slow and obviously right (reference-matcher.ts), and `evaluate` against
// `explain`, for random rules and requests. An input is lines of text:
//   rule <flags> <methods> <path> [<query>]      flags: enforce, shadow, liftable, email; methods: * or a list; query: a=x,y;b=*
//   lift <category>
//   ask <method> <target>
// One policy answers every `ask`, so that what one request leaves behind would show in the next.
import * as fc from 'fast-check';
import { parseTarget } from '#gateway/request-target.ts';
import type { CompiledPolicy, RouteFacts, ShadowSink } from '#policy/compiled-policy.ts';
import { compilePolicy } from '#policy/compile.ts';
import { parsePolicyFile } from '#policy/policy-file.ts';
import { PASS, type Verdict } from '#model/verdict.ts';
import { facts } from '../../support/policy-sets.ts';
import { broken, bytesOf, type FuzzTarget, synchronous, textOf } from '../fuzz-target.ts';
import { type ReferenceRule, referenceVerdict } from '../reference-matcher.ts';

interface Compiled {
  readonly policy: CompiledPolicy | null;
  readonly rules: readonly ReferenceRule[];
  readonly problem: string;
}

const MAX_RULES = 12;
const MAX_ASKS = 12;
const MAX_COMPILED = 500;
const compiled = new Map<string, Compiled>();

function run(input: string): string {
  const lines = textOf(input).split('\n');
  const rules = lines.filter((line) => line.startsWith('rule ')).slice(0, MAX_RULES);
  const { policy, rules: reference, problem } = compiledFrom(rules);
  if (policy === null) return problem;
  const lifts = lines.filter((line) => line.startsWith('lift ')).map((line) => line.slice(5));
  let label = 'nothing asked';
  for (const line of lines.filter((one) => one.startsWith('ask ')).slice(0, MAX_ASKS)) {
    label = ask(policy, reference, { line, lifts });
  }
  return label;
}

function compiledFrom(lines: readonly string[]): Compiled {
  const key = lines.join('\n');
  const known = compiled.get(key);
  if (known !== undefined) return known;
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  const made = compileRules(lines);
  compiled.set(key, made);
  return made;
}

function compileRules(lines: readonly string[]): Compiled {
  const rules = lines.map(referenceRule);
  const document = {
    apiVersion: 'postern/v1',
    kind: 'RoutePolicy',
    metadata: { name: 'fuzz' },
    spec: { rules: rules.map(documentOf) },
  };
  const { documents, problems } = parsePolicyFile('p.yaml', Buffer.from(JSON.stringify(document)));
  if (problems.length > 0) return { policy: null, rules, problem: wordsOf(problems[0]?.message ?? '') };
  const options = { source: 'p.yaml', dangerouslyAllowEmpty: true, defaultEffect: 'allow' as const };
  const { policy, problems: more } = compilePolicy(documents, options);
  return { policy, rules, problem: wordsOf(more[0]?.message ?? '') };
}

/** Without the author's own text. */
function wordsOf(message: string): string {
  return `refused: ${message.replaceAll(/"(?:[^"\\]|\\.)*"|[^ -~]|\d+/g, '…').slice(0, 60)}`;
}

function referenceRule(line: string, order: number): ReferenceRule {
  const [, flags = '', methods = '*', path = '/', query = ''] = line.split(' ');
  const words = flags.split(',');
  return {
    id: `r${order}`,
    enforced: !words.includes('shadow'),
    liftable: words.includes('liftable'),
    category: words.includes('email') ? 'email' : 'export',
    methods: methods === '*' ? null : methods.split(','),
    path,
    query: query === '' ? [] : withoutRepeats(query.split(';').map(queryKey)),
  };
}

function queryKey(text: string): ReferenceRule['query'][number] {
  const [name = '', values = '*'] = text.split('=');
  return { name, values: values === '*' ? null : values.split(',') };
}

/** As in a mapping, where the last of equal keys would stand. */
function withoutRepeats(keys: ReferenceRule['query']): ReferenceRule['query'] {
  return [...new Map(keys.map((one) => [one.name, one])).values()];
}

function documentOf({ id, enforced, liftable, category, methods, path, query }: ReferenceRule): object {
  const conditions = Object.fromEntries(query.map(({ name, values }) => [name, values ?? '*']));
  const match = {
    paths: [path],
    ...(methods === null ? {} : { methods }),
    ...(query.length === 0 ? {} : { query: conditions }),
  };
  return { id, category, liftable, mode: enforced ? 'enforce' : 'shadow', match: [match] };
}

function ask(
  policy: CompiledPolicy,
  rules: readonly ReferenceRule[],
  { line, lifts }: { readonly line: string; readonly lifts: readonly string[] },
): string {
  const [, method = '', raw = ''] = line.split(' ');
  const target = parseTarget(bytesOf(raw));
  if ('reason' in target) return 'refused: target';
  const asked: RouteFacts = facts(target.path, { method, target, lifts });
  const sink: ShadowSink = { shadowRules: [], wantsBody: false };
  const said = wordOf(policy.evaluate(asked, sink));
  const inShadow = sink.shadowRules.map(({ id }) => id).join(' ');
  const told = policy.explain(asked);
  if (wordOf(told.verdict) !== said)
    broken('evaluate and explain decide alike', { line, said, told: wordOf(told.verdict) });
  const expected = referenceVerdict(rules, { method, path: target.path, query: target.query, lifts });
  const isOpened = target.encodedSlash || target.encodedPercent;
  if (isOpened) {
    // Further readings are looked at: they may deny, and never excuse.
    if (expected.verdict !== 'pass' && said === 'pass')
      broken('a further reading never excuses', { line, expected, said });
    return `opened ${said}`;
  }
  if (said !== expected.verdict) broken('decides like the reference', { line, said, expected });
  if (inShadow !== expected.shadow.join(' '))
    broken('sees shadow rules like the reference', { line, inShadow, expected });
  return `${said} ${inShadow === '' ? '' : 'shadow'}`;
}

function wordOf(verdict: Verdict): string {
  if (verdict === PASS) return 'pass';
  return verdict.rule?.id ?? verdict.reason;
}

const PARTS = [
  'a',
  'b',
  'exports',
  '*',
  '**',
  '{id}',
  'a*',
  '*.csv',
  'a*b*',
  'x;y',
  'a%2Fb',
  'é',
  'ﬀ',
  'EXPORTS',
  'a.',
  '%41',
  ':export',
  'K',
];
const RAW_PARTS = [
  'a',
  'A',
  '%61',
  'b',
  'exports',
  'EXPORTS;x',
  'exports.csv',
  '%20',
  ';',
  'a.',
  'x;y',
  'a%2Fb',
  'a%20.',
  '.csv',
  'a%252Fb',
  '%2561',
  '%C3%A9',
  '%EF%BD%81',
  'ex%E2%80%8Bports',
  'q%3Ff=csv',
  '...',
  '!$',
  '%25zz',
  '',
  '%CE%A3',
  '%CF%82',
];
const QUERIES = [
  'f=csv',
  'F=%43sv',
  'g=x',
  'f',
  '_method=PUT',
  'f=%zz',
  '%=1',
  'h[f][]=csv',
  'a=b',
  '.method=DELETE',
  'f[]=csv',
  '+f=csv',
  '%00f=1',
];

const path = fc
  .array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 4 })
  .map((parts) => `/${parts.join('/')}`);
const rule = fc
  .record({
    flags: fc.subarray(['shadow', 'liftable', 'email']),
    methods: fc.subarray(['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PURGE', 'QUERY']),
    path,
    query: fc.constantFrom('', '', '', 'f=csv', 'f=*', 'f=csv,x;g=x', 'a[f]=csv', '_method=put'),
  })
  .map((one) =>
    `rule ${['enforce', ...one.flags].join(',')} ${one.methods.join(',') || '*'} ${one.path} ${one.query}`.trimEnd(),
  );
const asked = fc
  .record({
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'QUERY', 'PURGE', 'DELETE'),
    parts: fc.array(fc.constantFrom(...RAW_PARTS), { maxLength: 5 }),
    query: fc.array(fc.constantFrom(...QUERIES), { maxLength: 3 }),
  })
  .map(
    ({ method, parts, query }) =>
      `ask ${method} /${parts.join('/')}${query.length === 0 ? '' : '?'}${query.join('&')}`,
  );

export const target: FuzzTarget = {
  name: 'matcher',
  dictionary: [
    ...PARTS,
    ...RAW_PARTS,
    ...QUERIES,
    'rule ',
    'ask ',
    'lift export\n',
    '/**',
    ',shadow',
    '%2f',
    '%25',
    '%ef%bc%8f',
  ].map(bytesOf),
  fresh: fc
    .tuple(
      fc.array(rule, { minLength: 1, maxLength: 6 }),
      fc.subarray(['lift export', 'lift email']),
      fc.array(asked, { minLength: 1, maxLength: 8 }),
    )
    .map((lists) => bytesOf(lists.flat().join('\n'))),
  seeds: () => [
    bytesOf(
      'rule enforce * /exports/**\nrule enforce POST /api/*/send f=csv\nask GET /exports/1\nask POST /api/v1/send?f=csv',
    ),
  ],
  batch: 250,
  open: synchronous(run, 500),
};
