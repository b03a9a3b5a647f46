// Configuration files: each text is a configuration or problems, in bounded time and without throwing; problems steer no
// terminal and never hold a secret of the environment; what is accepted is frozen. An input is a file's bytes.
import * as fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '#config/load-config.ts';
import { formatProblems, type Problem } from '#config/problem.ts';
import { SMALLEST } from '../../support/config-files.ts';
import { broken, bytesOf, type FuzzTarget, synchronous, textOf } from '../fuzz-target.ts';
import { YAML_TRICKS, yamlDocuments } from '../yaml-grammar.ts';

/** Only the environment holds it: what stands in the file itself is the file's to show. */
const SECRET = 'tr0ub4dor-and-3-more-words';
const ENV = { SECRET, POSTERN_OPS_ADDRESS: '' };
/** There is no such folder: what an input names is not found, and nothing of this machine is read. */
const FILE = '/nonexistent/postern/postern.yaml';

function run(input: string): string {
  const text = textOf(input);
  // An input may name any file, and one of them is a terminal or has no end.
  if (/fromFile|\/dev|\/proc|\/sys/.test(text) && /["' :]\/(?:dev|proc|sys)/.test(text)) return 'not asked';
  const result = parseConfig(text, { file: FILE, env: ENV });
  checkProblems(result.warnings, text);
  if (result.ok) {
    if (!Object.isFrozen(result.config) || !Object.isFrozen(result.config.listen))
      broken('a configuration is frozen', '');
    return `accepted ${result.warnings.length}`;
  }
  if (result.problems.length === 0) broken('what is refused has a problem', '');
  checkProblems(result.problems, text);
  return `refused: ${wordsOf(result.problems[0]?.message ?? '')}`;
}

/** Of the terminal, and of who reads: what formats as lines is lines. */
const STEERS = /(?!\n)[\p{Cc}\u2028-\u202e\u2066-\u2069\ufeff]/u;

function checkProblems(problems: readonly Problem[], text: string): void {
  if (problems.length > 1000) broken('tells a bounded number of problems', String(problems.length));
  const lines = text.split('\n').length;
  for (const { line, column, message, excerpt } of problems) {
    if (line < 1 || line > lines || column < 1)
      broken('problems stand within the file', { line, column, message });
    if (message === '' || STEERS.test(message) || message.includes('\n'))
      broken('problems are one plain sentence', { message });
    if (STEERS.test(excerpt ?? '')) broken('excerpts steer no terminal', { excerpt });
  }
  if (formatProblems(problems).includes(SECRET)) broken('no problem holds a secret', { text });
}

function wordsOf(message: string): string {
  return message.replaceAll(/"(?:[^"\\]|\\.)*"|[^ -~]|\d+/g, '…').slice(0, 50);
}

const WORDS =
  'apiVersion kind listen data control ops address tls cert key traffic cors timeouts tenancy from pattern header upstream url assertion audience issuer inject secrets name template identity support customers services algorithms jwks uri fromFile fromEnv value org claims groups grants store sqlite path defaults settings classes policies directory packs defaultEffect audit sinks http syslog otlp file format durability retention limits perPrincipal concurrent perSecond headers sessions required killSwitch log level notify mail webhook secret hosts'.split(
    ' ',
  );
const VALUES = [
  'postern/v1',
  'Gateway',
  '127.0.0.1:0',
  'unix:/tmp/x',
  'http://127.0.0.1:3000',
  'https://idp.example',
  '{tenant}.app.example.com',
  'host',
  'off',
  '10s',
  '1MiB',
  'P1D',
  'ES256',
  'none',
  'silent',
  '{principal.email}',
  '{secret:x[{tenant}]}',
  'SECRET',
  'X-Support-User',
  'deny',
  'disk',
  '999999999999d',
];

const examples = join(import.meta.dirname, '../../../config');
const SEEDS = [
  SMALLEST,
  ...readdirSync(examples)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => readFileSync(join(examples, name), 'utf8')),
  `${SMALLEST}secrets: { token: { fromEnv: SECRET } }\nnotify: { webhook: { url: "https://h.example", secret: { fromEnv: SECRET } } }\n`,
]
  .map(bytesOf)
  .flatMap((text) => (text.length > 6000 ? text.split(/\n(?=\w+:)/) : text));

export const target: FuzzTarget = {
  name: 'config',
  dictionary: [...WORDS.map((word) => `${word}: `), ...VALUES, ...YAML_TRICKS].map(bytesOf),
  fresh: fc.oneof(
    yamlDocuments(WORDS, VALUES),
    yamlDocuments(WORDS, VALUES).map((more) => bytesOf(SMALLEST) + more),
  ),
  seeds: () => SEEDS,
  batch: 100,
  open: synchronous(run, 3000),
};
