// What somebody may leave in a policy directory, by mistake or on purpose: each input that a gate must refuse at
// once, shared by the tests of the refusals (test/security) and the measurement of their cost (bench).
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_FILE_BYTES } from '#policy/yaml-guard.ts';

/** As large as a file may be. */
export const FULL = MAX_FILE_BYTES;
const HEAD = 'apiVersion: postern/v1\nkind: RoutePolicy\nmetadata: { name: x }\nspec:\n';

/** As many whole units as a file may hold, `before` included. */
function filled(unit: string, before = ''): string {
  return before + unit.repeat(Math.floor((FULL - before.length) / unit.length));
}

function numbered(count: number, write: (i: number) => string): string {
  let text = '';
  for (let i = 0; i < count; i++) text += write(i);
  return text;
}

/** A rule as people write them, with a message and several paths. */
export function plainRule(i: number): string {
  const paths = `"/api/v${i % 7}/area${i}/{id}/**", "/v2/organisations/{org}/area${i}/exports/**"`;
  const message = `message: "Support staff may not take area ${i} of the data with them."`;
  return `    - { id: r${i}, category: export, match: [{ methods: [GET, POST], paths: [${paths}] }], ${message} }\n`;
}

/** Valid, and as near to the bytes given as whole rules come. */
export function validPolicy(bytes: number): string {
  let text = `${HEAD}  rules:\n`;
  for (let i = 0, rule = plainRule(0); text.length + rule.length <= bytes; rule = plainRule(++i))
    text += rule;
  return text;
}

/** The largest of the shipped files that denies something. */
export function shippedPack(): string {
  return readFileSync('policies/packs/zendesk.yaml', 'utf8');
}

/** Text or bytes of one file; refused for what `problem` says. */
export interface HostileFile {
  readonly name: string;
  readonly content: () => string | Uint8Array;
  readonly problem: RegExp;
}

function laughs(): string {
  return `l0: &l0 ["lol"]\n${numbered(12, (i) => `l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(10)}]\n`)}`;
}

const NESTED = /nested too deeply/;
const NO_ALIAS = /an anchor|an alias/;
const TOO_LONG = /too many items in one list/;
const TWICE = /stands twice/;

export const HOSTILE_FILES: readonly HostileFile[] = [
  {
    name: '64 KiB, valid but for its end',
    content: () => validPolicy(FULL).slice(0, -20),
    problem: /./,
  },
  {
    name: '64 KiB, valid but for an alias at its end',
    content: () => `${validPolicy(FULL - 100)}    - *x\n`,
    problem: NO_ALIAS,
  },
  { name: 'an alias', content: () => `${HEAD}  rules: &a []\n  x: *a\n`, problem: NO_ALIAS },
  { name: '64 KiB of aliases', content: () => filled('a: *x\n'), problem: /too many keys/ },
  { name: '64 KiB of aliases in brackets', content: () => filled('*x, ', 'a: ['), problem: NO_ALIAS },
  { name: '64 KiB of anchors', content: () => filled('- &x 1\n'), problem: TOO_LONG },
  { name: 'a billion laughs', content: laughs, problem: NO_ALIAS },
  { name: 'a tag', content: () => `${HEAD}  rules: !!js/function "x"\n`, problem: /a tag/ },
  { name: '64 KiB of tags in brackets', content: () => filled('!!x 1, ', 'a: ['), problem: /a tag/ },
  { name: '64 KiB of tags', content: () => filled('- !!js/function "x"\n'), problem: TOO_LONG },
  {
    name: 'merge keys',
    content: () => `${HEAD}  <<: { rules: [] }\n  <<: [{ rules: [] }]\n`,
    problem: /merge key/,
  },
  { name: '5,000 opening brackets', content: () => '['.repeat(5000), problem: NESTED },
  { name: '5,000 nested lists', content: () => `a: ${'['.repeat(5000)}${']'.repeat(5000)}`, problem: NESTED },
  {
    name: '5,000 nested mappings',
    content: () => `a: ${'{a: '.repeat(5000)}1${'}'.repeat(5000)}`,
    problem: NESTED,
  },
  { name: '64 KiB of brackets', content: () => filled('['), problem: NESTED },
  { name: 'brackets unclosed on each line', content: () => filled('a: [\n'), problem: /too many keys/ },
  { name: '64 KiB of closing brackets', content: () => filled('}'), problem: /closing bracket/ },
  { name: 'block lists nested on one line', content: () => filled('- '), problem: NESTED },
  { name: 'explicit keys nested on one line', content: () => filled('? '), problem: NESTED },
  {
    name: 'nested by indentation',
    content: () => numbered(300, (i) => `${' '.repeat(i)}a:\n`),
    problem: NESTED,
  },
  {
    name: 'a saw of indentation',
    content: () => filled(numbered(250, (i) => `${' '.repeat(i)}a:\n`)),
    problem: NESTED,
  },
  { name: '64 KiB of spaces', content: () => `a:\n${' '.repeat(FULL - 10)}b: 1\n`, problem: /indented/ },
  { name: '10 MB', content: () => 'a'.repeat(10_000_000), problem: /10000000 bytes, more than the limit/ },
  { name: 'a key twice', content: () => `${HEAD}  rules: []\n  rules: []\n`, problem: TWICE },
  { name: '10,000 times one key', content: () => filled('a: 1\n'), problem: /too many keys/ },
  {
    name: '10,000 times one key in braces',
    content: () => `{${filled('a: 1,').slice(2)}}`,
    problem: /too many items/,
  },
  { name: '5,000 keys', content: () => numbered(5000, (i) => `key${i}: 1\n`), problem: /too many keys/ },
  { name: '1,900 keys, all twice', content: () => numbered(1900, (i) => `k${i % 950}: 1\n`), problem: TWICE },
  {
    name: '__proto__',
    content: () => `${HEAD}  __proto__: { rules: [] }\n`,
    problem: /unknown key "__proto__"/,
  },
  {
    name: 'constructor',
    content: () => `constructor: { prototype: { x: 1 } }\n`,
    problem: /unknown key "constructor"/,
  },
  {
    name: 'kind __proto__',
    content: () => HEAD.replace('RoutePolicy', '__proto__'),
    problem: /kind must be one of/,
  },
  { name: 'half a pack', content: () => half(shippedPack()), problem: /./ },
  { name: 'half a pack as JSON', content: () => half(JSON.stringify([...shippedPack()])), problem: /./ },
  { name: 'NUL', content: () => HEAD.replace('x', 'x\0'), problem: /control character/ },
  { name: '64 KiB of NUL', content: () => new Uint8Array(FULL), problem: /control character/ },
  { name: 'an escape sequence', content: () => `${HEAD}  \u001B[2J: 1\n`, problem: /control character/ },
  { name: 'a C1 control', content: () => `${HEAD}  \u009B2J: 1\n`, problem: /control character/ },
  {
    name: 'text that turns round',
    content: () => `${HEAD}  rules: [] # \u202E\n`,
    problem: /hides or reorders/,
  },
  { name: 'a byte order mark', content: () => `\uFEFF${HEAD}`, problem: /byte order mark/ },
  { name: 'UTF-16', content: () => Buffer.from(HEAD, 'utf16le'), problem: /control character|UTF-8/ },
  {
    name: 'no UTF-8',
    content: () => Buffer.concat([Buffer.from(HEAD), Buffer.from([0xff, 0xc0])]),
    problem: /UTF-8/,
  },
  { name: '16,000 documents', content: () => filled('---\n'), problem: /too many documents/ },
  { name: '10,000 documents of a word', content: () => filled('--- x\n'), problem: /too many documents/ },
  { name: 'documents ended again and again', content: () => filled('...\n'), problem: /too many documents/ },
  { name: 'a list of 30,000', content: () => `a: [${filled('1,').slice(6)}]\n`, problem: /too many items/ },
  { name: 'a block list of 16,000', content: () => filled('- a\n'), problem: /too many items/ },
  { name: 'a block list of nothing', content: () => filled('-\n'), problem: /too many items/ },
  { name: '64 KiB of comments', content: () => filled('#\n'), problem: /without anything but comments/ },
  { name: '64 KiB of blank lines', content: () => filled('\n'), problem: /without anything but comments/ },
  { name: 'nothing', content: () => '', problem: /no document/ },
  {
    name: 'a line of 64 KiB',
    content: () => filled('x', 'a: '),
    problem: /a value of more than|more than 65536/,
  },
  { name: 'a key of 64 KiB', content: () => `${filled('x').slice(4)}: 1\n`, problem: /a value of more than/ },
  {
    name: 'a block text of 64 KiB',
    content: () => filled(' x\n', 'a: |\n'),
    problem: /a value of more than|too many/,
  },
  { name: 'a text of bad escapes', content: () => filled('\\q', 'a: "'), problem: /a value of more than/ },
  { name: '64 KiB of quotes', content: () => filled('""'), problem: /too many values on one line/ },
  { name: '64 KiB of colons', content: () => filled(': '), problem: /./ },
  { name: '64 KiB of tabs', content: () => filled('\t', 'a:\n'), problem: /./ },
  { name: '64 KiB of carriage returns', content: () => filled('a: 1\r'), problem: /./ },
  { name: 'a directive', content: () => `%YAML 1.1\n---\n${HEAD}`, problem: /directive/ },
  { name: '64 KiB of directives', content: () => filled('%A\n'), problem: TOO_LONG },
  {
    name: '7,000 empty rules',
    content: () => filled('    - {}\n', `${HEAD}  rules:\n`),
    problem: /too many items/,
  },
  { name: '1,500 unknown keys', content: unknownKeys, problem: /what follows is not told/ },
];

function half(text: string): string {
  return text.slice(0, text.length >> 1);
}

function unknownKeys(): string {
  return `${HEAD}  rules:\n${numbered(300, (i) => `    - { iid: a${i}, categori: x, matsch: 1, mod: 2, lift: 3 }\n`)}`;
}

/** Puts what is more than one file's text into a directory; refused for what `problem` says. */
export interface HostileDirectory {
  readonly name: string;
  readonly put: (directory: string) => void;
  readonly problem: RegExp;
}

export const HOSTILE_DIRECTORIES: readonly HostileDirectory[] = [
  {
    name: 'a named pipe',
    put: (directory) => execFileSync('sh', ['-c', 'mkfifo "$0"', join(directory, 'x.yaml')]),
    problem: /not a regular file/,
  },
  {
    name: 'a directory named x.yaml',
    put: (directory) => mkdirSync(join(directory, 'x.yaml')),
    problem: /not a regular file/,
  },
  {
    name: 'a link to a device without end',
    put: (directory) => symlinkSync('/dev/zero', join(directory, 'x.yaml')),
    problem: /not a regular file/,
  },
  {
    name: 'a link to itself',
    put: (directory) => symlinkSync('x.yaml', join(directory, 'x.yaml')),
    problem: /cannot be read \(ELOOP\)/,
  },
  {
    name: '100,000 rules in 100 files',
    put(directory) {
      for (let file = 0; file < 100; file++) {
        const rule = (i: number): string =>
          `    - { id: f${file}.r${i}, category: c, match: [{ paths: ["/a"] }] }\n`;
        writeFileSync(join(directory, `f${file}.yaml`), `${HEAD}  rules:\n${numbered(1000, rule)}`);
      }
    },
    problem: /bytes together, more than the limit/,
  },
  {
    name: '2,000 files',
    put(directory) {
      for (let file = 0; file < 2000; file++) writeFileSync(join(directory, `f${file}.yaml`), '');
    },
    problem: /2001 files are more than the limit/,
  },
];
