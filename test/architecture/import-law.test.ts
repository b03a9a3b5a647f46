// The import law of src/: model ← rooms ← gateway, control, cli ← compose.ts ← main.ts. Rooms do not know each other;
// the joining rooms know the others' types alone; only compose.ts constructs. Held against every file, and seen to fail.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const SRC = new URL('../../src/', import.meta.url).pathname;

interface Room {
  /** Rooms it may import by value as well as by type. */
  readonly values: readonly string[];
  /** Rooms of which it may import types only. */
  readonly types: readonly string[];
  readonly packages: readonly string[];
}

const PEERS = ['config', 'authn', 'grants', 'sessions', 'policy', 'upstream', 'audit', 'telemetry', 'notify'];

const LAW: Readonly<Record<string, Room>> = {
  model: { values: [], types: [], packages: [] },
  config: { values: ['model'], types: [], packages: ['ajv', 'ajv-formats', 'yaml'] },
  authn: { values: ['model'], types: [], packages: ['jose', 'lru-cache'] },
  grants: { values: ['model'], types: [], packages: ['lru-cache'] },
  sessions: { values: ['model'], types: [], packages: ['lru-cache'] },
  policy: { values: ['model'], types: [], packages: ['yaml', 'ajv', 'graphql'] },
  upstream: { values: ['model'], types: [], packages: ['http-proxy-3', 'jose', 'lru-cache'] },
  audit: { values: ['model'], types: [], packages: [] },
  telemetry: { values: ['model'], types: [], packages: ['prom-client', 'pino'] },
  notify: { values: ['model'], types: [], packages: ['nodemailer'] },
  // Runs inside the application, where nothing else of Postern does: types of the model, and jose.
  verifier: { values: [], types: ['model'], packages: ['jose'] },
  gateway: { values: ['model'], types: PEERS, packages: [] },
  control: { values: ['model'], types: [...PEERS, 'gateway'], packages: ['fastify', '@fastify/swagger'] },
  cli: { values: ['model', 'policy', 'audit', 'config'], types: [], packages: ['commander'] },
  // Above the rooms: what constructs, and the program.
  compose: { values: ['model', 'gateway', 'control', ...PEERS], types: [], packages: [] },
  'main.ts': { values: ['cli', 'gateway'], types: [], packages: [] },
};

interface ImportEdge {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:([^'";]*?)\s+from\s+)?['"]([^'"]+)['"]/g;
const DYNAMIC_IMPORT = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

function importsOf(source: string): ImportEdge[] {
  const edges = [...source.matchAll(IMPORT)].map((match) => ({
    specifier: match[3] as string,
    typeOnly: match[1] !== undefined || everyNameIsType(match[2] ?? ''),
  }));
  const dynamic = [...source.matchAll(DYNAMIC_IMPORT)].map((match) => ({
    specifier: match[1] as string,
    typeOnly: false,
  }));
  return [...edges, ...dynamic];
}

function everyNameIsType(clause: string): boolean {
  const names = /^\{([^}]*)\}$/
    .exec(clause.trim())?.[1]
    ?.split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  return names !== undefined && names.length > 0 && names.every((name) => name.startsWith('type '));
}

function roomOf(file: string): string {
  const room = file.split('/')[0] as string;
  return /^compose(-[a-z]+)?\.ts$/.test(room) ? 'compose' : room;
}

/** Each broken law as `file: import`, empty when all hold. */
function violations(file: string, source: string): string[] {
  const law = LAW[roomOf(file)];
  if (law === undefined) return [`${file}: no such room`];
  return importsOf(source)
    .filter((edge) => !isAllowed(edge, law, file))
    .map(({ specifier, typeOnly }) => `${file}: ${typeOnly ? 'type ' : ''}${specifier}`);
}

function isAllowed({ specifier, typeOnly }: ImportEdge, law: Room, file: string): boolean {
  const room = roomOf(file);
  if (specifier.startsWith('node:')) return true;
  if (specifier.startsWith('#')) {
    const target = specifier.slice(1).split('/')[0] as string;
    return law.values.includes(target) || (typeOnly && law.types.includes(target));
  }
  if (specifier.startsWith('.')) {
    // Relative paths stay within a room; above the rooms they lead into what may be joined there.
    const target = join(dirname(file), specifier);
    if (file.includes('/')) return target.startsWith(`${room}/`);
    return roomOf(target) === 'compose' || law.values.some((name) => target.startsWith(`${name}/`));
  }
  const name = specifier.startsWith('@')
    ? specifier.split('/').slice(0, 2).join('/')
    : specifier.split('/')[0];
  return law.packages.includes(name as string);
}

function sources(): { file: string; source: string }[] {
  return readdirSync(SRC, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ file: relative(SRC, path), source: readFileSync(path, 'utf8') }));
}

describe('the import law', () => {
  it('holds for every file in src', () => {
    expect(sources().flatMap(({ file, source }) => violations(file, source))).toEqual([]);
  });

  it.each([
    ['grants/x.ts', "import { evaluate } from '#policy/evaluate.ts';"],
    ['grants/x.ts', "import type { Exchange } from '#gateway/exchange.ts';"],
    ['gateway/x.ts', "import { createJournal } from '#audit/append-journal.ts';"],
    ['gateway/x.ts', "import { type Journal, createJournal } from '#audit/journal.ts';"],
    ['gateway/x.ts', "import pino from 'pino';"],
    ['model/x.ts', "import { LRUCache } from 'lru-cache';"],
    ['authn/x.ts', "export { something } from '../grants/lifecycle.ts';"],
    ['cli/x.ts', "const { startPostern } = await import('../compose.ts');"],
    ['verifier/x.ts', "import { systemClock } from '#model/clock.ts';"],
    ['verifier/x.ts', "import fastify from 'fastify';"],
    ['gateway/x.ts', "import type { SupportContext } from '#verifier/support-context.ts';"],
    ['drawer/x.ts', ''],
  ])('is broken by a planted line in %s: %s', (file, source) => {
    expect(violations(file, source)).toHaveLength(1);
  });

  it('lets types of the rooms into the gateway, and stages reach their own room', () => {
    expect(violations('gateway/x.ts', "import type { Journal } from '#audit/journal.ts';")).toEqual([]);
    expect(violations('gateway/stages/x.ts', "import { hostNameOf } from '../authority.ts';")).toEqual([]);
  });
});

describe('every file of src', () => {
  it('opens with two to six lines that say what it guarantees', () => {
    const headless = sources().filter(({ source }) => {
      const lines = source.replace(/^#!.*\n/, '').split('\n');
      const length = lines.findIndex((line) => !line.startsWith('//'));
      return length < 2 || length > 6;
    });
    expect(headless.map(({ file }) => file)).toEqual([]);
  });

  it('has no barrel and no default export', () => {
    const bad = sources().filter(
      ({ file, source }) => file.endsWith('index.ts') || /^export default /m.test(source),
    );
    expect(bad.map(({ file }) => file)).toEqual([]);
  });
});
