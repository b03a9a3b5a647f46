// Judges rows of the kind `tokens`: one gate with several issuers, each token sent to it raw. A token that must be refused
// is refused by its reason and nothing arrives; one that must pass arrives as the person it is of, and its token does not.
// Whatever came of it is in the journal once, and no piece of the token is.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CorpusRow } from '../../support/corpus-cases.ts';
import { keySetOf } from '../../support/authn-keys.ts';
import type { JudgedRow } from '../kinds.ts';
import {
  type CredentialGate,
  grantDraft,
  openCredentialGate,
  outcomesIn,
  shortly,
  spilled,
  toldFailures,
} from './credential-gate.ts';
import { ISSUERS, issuerEntry } from './token-issuers.ts';
import { publishedKeys, type TokenKeys, tokenKeys } from './token-keys.ts';
import { FIRST_ISSUER, makeToken } from './token-maker.ts';
import type { TokenRow } from './token-row.ts';

/** The values of what a rule reads are recorded: here of the very name under which tokens come. */
const POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: tokens }
spec:
  rules:
    - { id: q1, category: export, match: [{ paths: ["/reports"], query: { access_token: "*" } }] }
`;

export async function judgeTokens(rows: readonly CorpusRow[]): Promise<readonly JudgedRow[]> {
  const keys = tokenKeys();
  await using gate = await openTokenGate(keys);
  const judged: JudgedRow[] = [];
  for (const row of rows as readonly TokenRow[]) {
    judged.push({ id: row.id, failures: await failuresOf(gate, keys, row) });
  }
  return judged;
}

async function openTokenGate(keys: TokenKeys): Promise<CredentialGate> {
  const gate = await openCredentialGate({
    policy: POLICY,
    identity: { support: Object.entries(ISSUERS).map(([name, issuer]) => issuerEntry(name, issuer)) },
    prepare(folder) {
      const file = join(folder, 'workforce.jwks.json');
      const own = JSON.parse(readFileSync(file, 'utf8')) as { keys: Record<string, unknown>[] };
      const published = { keys: [...own.keys, ...publishedKeys(keys).keys] };
      writeFileSync(file, JSON.stringify(published));
      writeFileSync(join(folder, 'partner.jwks.json'), JSON.stringify(keySetOf(keys.partner)));
    },
  });
  const { clients } = gate;
  for (const org of ['vendor', 'partner-org', 'short-people', 'long-people'])
    await clients.grant({ audience: { org } });
  const principals = [
    { issuer: FIRST_ISSUER, id: 'gil' },
    { issuer: ISSUERS['short'], id: 'bc' },
  ];
  const globex = await clients.adminToken({ org_id: 'globex' });
  await gate.call(globex, 'POST', '/v1/tenants/globex/grants', grantDraft({ principals }));
  return gate;
}

async function failuresOf(gate: CredentialGate, keys: TokenKeys, row: TokenRow): Promise<readonly string[]> {
  for (const before of row.after ?? []) {
    const { answer } = await send(gate, keys, before);
    const seen = shortly(answer);
    if (seen !== (before.expect ?? '200')) return [`what comes before it was answered ${seen}`];
  }
  // The journal of what came before is written when its answer is, at the latest.
  const mark = gate.mark();
  const arrived = gate.upstream.requests.length;
  const { answer, token } = await send(gate, keys, row);
  const failures: string[] = [];
  const isForwarded = row.expect === 'forwarded';
  const seen = shortly(answer);
  if (seen !== (isForwarded ? '200' : row.expect)) failures.push(`answered ${seen} instead of ${row.expect}`);
  const requests = gate.upstream.requests.slice(arrived);
  if (requests.length !== (isForwarded ? 1 : 0)) failures.push(`${requests.length} requests arrived`);
  for (const request of requests) failures.push(...toldFailures(request, row.as));
  const isRecorded = row.at !== 'control';
  const text = await gate.writtenSince(mark, isRecorded ? 1 : 0);
  const wanted = isForwarded ? 'intent' : (row.expect.split(' ')[1] ?? '');
  const outcomes = outcomesIn(text);
  if (isRecorded && outcomes.join() !== wanted) failures.push(`recorded as ${outcomes.join() || 'nothing'}`);
  const places = { journal: text, answer: answer.text, application: JSON.stringify(requests) };
  failures.push(...spilled(places, piecesOf(token)));
  return [...failures, ...gate.complaints()];
}

type Sending = Pick<TokenRow, 'at' | 'tenant' | 'issuer' | 'carry' | 'line'> &
  Parameters<typeof makeToken>[0];

async function send(gate: CredentialGate, keys: TokenKeys, spec: Sending) {
  const { at = 'data', tenant = 'acme', carry = ['Authorization: Bearer <T>'] } = spec;
  const issuer = ISSUERS[spec.issuer ?? 'workforce'];
  if (issuer === undefined) throw new Error(`no issuer is called ${spec.issuer}`);
  const token = makeToken(spec, { keys, issuer, nowS: Math.floor(Date.now() / 1000) });
  const line = spec.line ?? (at === 'data' ? 'GET /me' : 'GET /v1/tenants/acme/grants');
  const filled = (text: string) => text.replaceAll('<T>', () => token);
  const host = at === 'data' ? `Host: ${tenant}.app.test` : 'Host: 127.0.0.1';
  return { answer: await gate.ask(at, filled(line), [host, ...carry.map(filled)]), token };
}

/** What must not stand anywhere: the whole, and each part that is long enough to be told from other text. */
function piecesOf(token: string): readonly string[] {
  return [token, ...token.split('.')].filter((piece) => piece.length >= 24);
}
