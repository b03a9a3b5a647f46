// `postern policy explain`: request lines and curl commands, bodies, principals, guards, and no secret told again.
import * as fc from 'fast-check';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseTarget } from '#gateway/request-target.ts';
import { PASS } from '#model/verdict.ts';
import { judgeWithBody, UNKNOWN_SUBJECT, verdictText } from '#policy/judge.ts';
import { systemClock } from '#model/clock.ts';
import { runPolicy as run, runPolicyWith } from '../../support/policy-command.ts';
import { createTestDirectory } from '../../support/policy-directory.ts';
import { policyFrom, rulesText } from '../../support/policy-sets.ts';

const RULES = rulesText([
  { id: 'csv', match: '{ paths: ["/search"], json: { "/format": [csv] } }', more: ', message: "No csv."' },
  { id: 'staff', match: '{ paths: ["/staff"] }', more: ', when: { any: { groups: [desk] } }' },
  { id: 'gone', match: '{ paths: ["/items/*"], methods: [DELETE] }' },
  { id: 'trial', match: '{ paths: ["/trial"] }', more: ', when: { any: { tenantClass: [trial] } }' },
]);
const HOSTED = rulesText([{ id: 'hosted', match: '{ paths: ["/hosted"] }' }]).replace(
  'spec:\n',
  'spec:\n  hosts: [app.example.com]\n',
);
const DOCUMENT = (kind: string, spec: string) =>
  `apiVersion: postern/v1\nkind: ${kind}\nmetadata: { name: x }\nspec: ${spec}\n`;
const MORE = [
  HOSTED,
  DOCUMENT(
    'ResponseGuard',
    '{ guards: [{ id: g.file, category: export, match: [{ paths: ["/search"] }], response: { attachment: true, mediaTypes: [text/csv], extensions: [csv], maxBytes: 1KiB } }, { id: g.else, category: export, match: [{ paths: ["/else"] }], response: { attachment: true } }] }',
  ),
  DOCUMENT('ScopeMap', '{ scopes: [{ paths: ["/w/{id}/**"], workspace: { path: id } }] }'),
  DOCUMENT('RouteAllowance', '{ routes: [{ id: items, paths: ["/items/**"] }] }'),
].join('---\n');

async function policies() {
  return createTestDirectory({ 'a.yaml': RULES, 'b.yaml': MORE });
}

const stdinOf = (text: string) => () => Promise.resolve(Buffer.from(text));

describe('a curl command', () => {
  it('is explained as the request that it would send, with its body', async () => {
    await using directory = await policies();
    const curl = `curl 'https://app.example.com/search?a=b' --json '{"format":"csv"}' -H 'Authorization: Bearer s3cret' -u me:s3cret`;
    const { out, code } = await run('explain', curl, '--dir', directory.path);
    expect(out).toBe(`POST /search?a=b
  decision   deny by csv
  because    No csv.
  host       app.example.com
  canonical  /search
  reading    /search
  body       16 bytes, json
  matched    csv: path /search matched, the body holds json /format is csv
  4 more rules, none of whose paths matched (--all)
  guard      g.file: path /search matched, and stops attachments, text/csv, .csv, more than 1024 bytes
`);
    expect(code).toBe(0);
  });

  it('never shows a header’s value or what a body holds', async () => {
    await using directory = await policies();
    const curl = `curl https://u:s3cret@h/search -b 'sid=s3cret' -H 'X-Api-Key: s3cret' -H 'Authorization: s3cret' -d '{"s3cret":"s3cret"'`;
    for (const flags of [[], ['--json'], ['--all']]) {
      const { out, err } = await run('explain', curl, '--dir', directory.path, ...flags);
      expect(out).toContain('body_uninspectable');
      expect(out + err).not.toContain('s3cret');
    }
  });

  it('that cannot be read is refused with every reason', async () => {
    await using directory = await policies();
    const curl = 'curl https://h/a --wrong -d @file';
    const { err, out, code } = await run('explain', curl, '--dir', directory.path);
    expect(err).toContain('option --wrong is not known');
    expect(err).toContain('--data names a file to be read');
    expect([out, code]).toEqual(['', 2]);
    const json = await run('explain', curl, '--dir', directory.path, '--json');
    expect(JSON.parse(json.out)).toMatchObject({
      ok: false,
      refused: [{}, {}].map(() => expect.any(String)),
    });
  });

  it('may come from standard input', async () => {
    await using directory = await policies();
    const readStdin = stdinOf('curl -X DELETE https://h/items/7\n');
    const { out } = await runPolicyWith({ readStdin }, 'explain', '-', '--dir', directory.path);
    expect(out).toContain('deny by gone');
    const both = await runPolicyWith({ readStdin }, 'explain', '-', '--body', '-', '--dir', directory.path);
    expect(both.code).toBe(2);
  });
});

describe('a body', () => {
  it('comes from a file or from standard input, with a type from --header', async () => {
    await using directory = await policies();
    await directory.write('body.json', '{"format":"csv"}');
    const asked = [
      'explain',
      'POST /search',
      '--dir',
      directory.path,
      '--header',
      'content-type: application/json',
    ];
    const file = await run(...asked, '--body', join(directory.path, 'body.json'));
    expect(file.out).toContain('deny by csv');
    const stdin = await runPolicyWith({ readStdin: stdinOf('{"format":"html"}') }, ...asked, '--body', '-');
    expect(stdin.out).toContain('decision   allow');
    const missing = await run(...asked, '--body', 'no/such/file');
    expect(missing.err).toContain('the body cannot be read (ENOENT)');
    expect(missing.code).toBe(2);
  });

  it('that is missing is said to matter, where it does', async () => {
    await using directory = await policies();
    const { out } = await run('explain', 'POST /search', '--dir', directory.path);
    expect(out).toContain('decision   allow');
    expect(out).toContain('body       none; a check on this route looks at it: give one with --body');
    const other = await run('explain', 'POST /else', '--dir', directory.path);
    expect(other.out).not.toContain('body');
  });

  it('that nothing looks at is not read', async () => {
    await using directory = await policies();
    const { out } = await run('explain', 'curl https://h/else -d x', '--dir', directory.path, '--json');
    expect(JSON.parse(out)).toMatchObject({ body: { bytes: 1, kind: null, flaw: null, matters: false } });
  });
});

describe('who and where', () => {
  it('is given by files and options, and what is not known counts as holding', async () => {
    await using directory = await policies();
    await directory.write('who/desk.yaml', 'groups: [desk]');
    await directory.write('who/lead.yaml', 'groups: [leads]');
    const decide = async (...argv: readonly string[]) =>
      (await run('explain', ...argv, '--dir', directory.path)).out;
    const nobody = await decide('GET /staff');
    expect(nobody).toContain('deny by staff');
    expect(nobody).toContain(
      'a grant or principal that was not given counts as holding (--grant, --principal)',
    );
    expect(await decide('GET /staff', '--principal', join(directory.path, 'who/desk.yaml'))).toContain(
      'deny by staff',
    );
    expect(await decide('GET /staff', '--principal', join(directory.path, 'who/lead.yaml'))).toContain(
      'decision   allow',
    );
    expect(await decide('GET /trial', '--tenant-class', 'trial')).toContain('deny by trial');
    expect(await decide('GET /trial', '--tenant-class', 'paying')).toContain('decision   allow');
    expect(await decide('GET /hosted')).toContain('no host was given (--host)');
    expect(await decide('GET /hosted', '--host', 'app.example.com')).toContain('deny by hosted');
    expect(await decide('GET https://app.example.com/hosted')).toContain('deny by hosted');
    expect(await decide('GET https://app.example.com/hosted', '--host', 'other')).toContain(
      'decision   allow',
    );
  });

  it('names the workspace, and a request that is refused by access or scope tells the rules too', async () => {
    await using directory = await policies();
    await directory.write('who/g.json', '{"tenant":"acme","access":"read","workspaces":[{"id":"w1"}]}');
    const grant = ['--dir', directory.path, '--grant', join(directory.path, 'who/g.json')];
    expect((await run('explain', 'GET /w/w1/a', ...grant)).out).toContain('workspace  w1');
    const scope = await run('explain', 'GET /w/w2/a', ...grant);
    expect(scope.out).toContain('deny by workspace_out_of_scope');
    expect(scope.out).toContain('by a ScopeMap; the rules would say');
    const access = await run('explain', 'DELETE /items/7', ...grant);
    expect(access.out).toContain('deny by read_only');
    expect(access.out).toContain('matched    gone');
    const { out } = await run('explain', 'GET /w/w1/a', ...grant, '--json');
    expect(JSON.parse(out)).toMatchObject({
      tenant: 'acme',
      workspace: 'w1',
      decidedBy: 'rules',
      decision: 'allow',
    });
  });

  it('shows the allowance of an allow-list, and what has none', async () => {
    await using directory = await policies();
    const list = ['--dir', directory.path, '--default-effect', 'deny'];
    expect((await run('explain', 'GET /items/7', ...list)).out).toContain('allowance  items');
    expect((await run('explain', 'GET /else', ...list)).out).toContain('deny by policy.default-deny');
  });

  it('cannot be asked with a header line or a principal that makes no sense', async () => {
    await using directory = await policies();
    const dir = ['--dir', directory.path];
    expect((await run('explain', 'GET /a', ...dir, '--header', 'nonsense')).code).toBe(2);
    expect((await run('explain', 'GET /a', ...dir, '--principal', 'no/such')).code).toBe(2);
  });
});

describe('for any request', () => {
  const part = fc.constantFrom('search', 'staff', 'items', 'Items', '7', 'hosted', '%2e', 'a%2Fb', '..', '');
  const request = fc.record({
    verb: fc.constantFrom('GET', 'POST', 'DELETE', 'PURGE'),
    parts: fc.array(part, { maxLength: 3 }),
    query: fc.constantFrom('', '?_method=DELETE', '?a=%zz'),
    text: fc.constantFrom('', '{"format":"csv"}', '{', '_method=DELETE'),
    contentType: fc.constantFrom('application/json', 'application/x-www-form-urlencoded', 'text/plain'),
  });

  it('the decision that is told is the decision', async () => {
    await using directory = await policies();
    const policy = policyFrom(`${RULES}---\n${MORE}`);
    const deps = { policy, parseTarget, now: systemClock.now() };
    await fc.assert(
      fc.asyncProperty(request, async ({ verb, parts, query, text, contentType }) => {
        const rawTarget = `/${parts.join('/')}${query}`;
        const headers = new Map([['content-type', [contentType]]]);
        const asked = { method: verb, rawTarget, host: 'app.example.com', headers, upgrade: false };
        const { verdict } = await judgeWithBody(deps, UNKNOWN_SUBJECT, asked, Buffer.from(text));
        const argv = [
          `${verb} https://app.example.com${rawTarget}`,
          '--header',
          `content-type: ${contentType}`,
          '--body',
          '-',
        ];
        const told = await runPolicyWith(
          { readStdin: stdinOf(text) },
          'explain',
          ...argv,
          '--dir',
          directory.path,
        );
        const decision = told.out
          .split('\n')[1]
          ?.replace('  decision   ', '')
          .replace(/ \(.*$/, '');
        expect(decision).toBe(verdictText(verdict));
        expect(decision === 'allow').toBe(verdict === PASS);
      }),
      { numRuns: 60 },
    );
  });
});
