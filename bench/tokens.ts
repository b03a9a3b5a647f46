// What an attack token costs the verifier: `npm run bench:tokens [-- --json FILE]`. Every token of the corpus that is refused
// (test/security/corpus/tokens.yaml, identities.yaml), 200 times each, none of them answered from a cache, by the processor
// time of the whole process, threads that check signatures included. Beside it, in the same run, a good token that nobody has
// seen before. Prints the worst five; exits 1 when one costs 2 ms or more.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createBearerAuthenticator } from '#authn/bearer-authenticator.ts';
import { createKeySet, type KeySet } from '#authn/key-set.ts';
import type { SupportIssuerOptions } from '#authn/options.ts';
import { ISSUERS } from '../test/corpus/tokens/token-issuers.ts';
import { publishedKeys, type TokenKeys, tokenKeys } from '../test/corpus/tokens/token-keys.ts';
import { makeToken } from '../test/corpus/tokens/token-maker.ts';
import type { TokenRow } from '../test/corpus/tokens/token-row.ts';
import { controlledSource } from '../test/support/authn-bench.ts';
import { type ManualClock, manualClock } from '../test/support/authn-clock.ts';
import { keySetOf } from '../test/support/authn-keys.ts';
import { corpusFiles } from '../test/support/corpus-cases.ts';
import { median } from './statistics.ts';

const REPETITIONS = 200;
const LIMIT_US = 2000;
/** Longer than a refusal is remembered (src/authn/token-cache.ts); there and back, so that dates stay what they are. */
const APART_MS = 7000;

interface Cost {
  readonly id: string;
  readonly about: string;
  readonly reason: string;
  readonly us: number;
}

async function openVerifier(keys: TokenKeys, clock: ManualClock) {
  const sets = new Map<string, KeySet>();
  const issuers: SupportIssuerOptions[] = [];
  for (const [name, issuer] of Object.entries(ISSUERS)) {
    const document = name === 'partner' ? keySetOf(keys.partner) : publishedKeys(keys);
    const algorithms = ['ES256', 'RS256', 'EdDSA'] as const;
    sets.set(issuer, createKeySet({ name, algorithms, source: controlledSource(document), clock }));
    issuers.push({
      name,
      issuer,
      audience: 'postern',
      keys: { kind: 'inline', json: '' },
      algorithms,
      org: name === 'orgs' ? { claim: 'org', oneOf: ['vendor'] } : { value: 'vendor' },
      requireGroups: name === 'groups' ? ['support'] : [],
      authorizedParties: name === 'parties' ? ['support-tool'] : [],
      otherAudiences: name === 'audiences' ? ['account'] : [],
    });
  }
  const ready = () => Promise.all(Array.from(sets.values(), (set) => set.started)).then(() => undefined);
  await ready();
  const close = () => {
    for (const set of sets.values()) set.close();
  };
  const keySets = { byIssuer: sets, ready, missing: () => [], refresh: ready, close };
  return { authenticator: createBearerAuthenticator({ issuers, keySets, clock }), close };
}

/** Microseconds of processor time for each of so many calls. */
async function measured(calls: number, call: (index: number) => unknown): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < calls; i++) await call(i);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

async function costs(): Promise<{ readonly tokens: readonly Cost[]; readonly control: number }> {
  const keys = tokenKeys();
  const clock = manualClock();
  const { authenticator, close } = await openVerifier(keys, clock);
  const making = (name = 'workforce') => ({ keys, nowS: clock.seconds(), issuer: ISSUERS[name] ?? '' });
  const control = async () => {
    const good = Array.from({ length: REPETITIONS }, (_, i) =>
      makeToken({ set: { jti: String(i) } }, making()),
    );
    authenticator.authenticate(makeToken({}, making()));
    return measured(REPETITIONS, (i) => authenticator.authenticate(good[i] ?? ''));
  };
  // The first run of anything pays for its compilation.
  await control();
  const controls = [await control()];
  const tokens: Cost[] = [];
  for (const row of rows()) {
    const token = makeToken(row, making(row.issuer));
    const first = await authenticator.authenticate(token);
    // Good in itself, and refused for how it is carried or where: nothing that the verifier has to bear.
    if (!('reason' in first)) continue;
    const attack = (i: number) => {
      clock.jump(i % 2 === 0 ? APART_MS : -APART_MS);
      return authenticator.authenticate(token);
    };
    await measured(20, attack);
    const us = await measured(REPETITIONS, attack);
    tokens.push({ id: row.id, about: row.about, reason: first.reason, us });
  }
  controls.push(await control());
  authenticator.close();
  close();
  return { tokens, control: median(controls) };
}

function rows(): readonly TokenRow[] {
  return corpusFiles(new URL('../test/security/corpus', import.meta.url).pathname)
    .filter(({ kind }) => kind === 'tokens')
    .flatMap((file) => file.rows as readonly TokenRow[]);
}

const { values } = parseArgs({ options: { json: { type: 'string' } } });
const { tokens, control } = await costs();
const sorted = tokens.toSorted((a, b) => b.us - a.us);
const worst = sorted.slice(0, 5);
const over = sorted.filter(({ us }) => us >= LIMIT_US);
const middle = median(sorted.map(({ us }) => us));
const rounded = (us: number) => Math.round(us * 10) / 10;
process.stdout.write(
  `${tokens.length} attack tokens, ${REPETITIONS} times each; median ${rounded(middle)} µs of processor time\n` +
    `a good token, not seen before: ${rounded(control)} µs\n` +
    worst.map(({ id, about, reason, us }) => `  ${rounded(us)} µs  ${id} ${about} (${reason})\n`).join('') +
    (over.length === 0 ? '' : `${over.length} cost ${LIMIT_US} µs or more\n`),
);
if (values.json !== undefined) {
  const result = {
    tokens: tokens.length,
    repetitions: REPETITIONS,
    limitUs: LIMIT_US,
    control,
    median: middle,
    worst,
  };
  writeFileSync(values.json, `${JSON.stringify({ ...result, over }, null, 2)}\n`);
}
process.exitCode = over.length === 0 ? 0 : 1;
