// A grant for one workspace reaches another one: the map is spelled around (case, parameters, encodings), or the name
// is said twice, hidden in an operator or a list, or read from another place than the application reads it.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTarget } from '#gateway/request-target.ts';
import { parsePolicyFile } from '#policy/policy-file.ts';
import { PLAIN_GRANT } from '#policy/policy-test.ts';
import { scopeDigest } from '#policy/scope-map.ts';
import { grantFor, narrowText, scopeMap, scopeOf, withTenant } from '../../support/narrow-sets.ts';
import { facts, policyFrom, problemLines, rulesText } from '../../support/policy-sets.ts';

const OUT = 'workspace_out_of_scope';
const BAD = 'bad_request_target';
const seven = { grant: grantFor('7', 'ab c') };

describe('without maps', () => {
  it('nothing is out of scope, and no workspace is known', () => {
    const policy = policyFrom(rulesText([{ id: 'r', match: '{ paths: ["/never"] }' }]));
    expect(scopeOf(policy, '/workspaces/8', seven)).toBe('allow');
  });
});

describe('a workspace captured from the path', () => {
  const policy = scopeMap('{ paths: ["/api/*/workspaces/{workspace}/**"], workspace: { path: workspace } }');

  it.each([
    ['/api/v1/workspaces/7', 'allow 7'],
    ['/api/v1/workspaces/7/', 'allow 7'],
    ['/api/v1/workspaces/7/x;y/z.json', 'allow 7'],
    ['/api/v1/workspaces/ab%20c/x', 'allow ab c'],
    ['/api/v1/workspaces', 'allow'],
    ['/api/v1/workspaces/', 'allow'],
    ['/api/workspaces/8', 'allow'],
    ['/other', 'allow'],
    ['/api/v1/workspaces/8/x', OUT],
    ['/api/v1/workspaces/8', OUT],
    ['/api/v1/workspaces/07', OUT],
    ['/api/v1/workspaces/7,8', OUT],
    ['/api/v1/workspaces/7%2C8', OUT],
    ['/api/v1/workspaces/7;x=8/y', OUT],
    ['/api/v1/workspaces/7%3Bx', OUT],
    ['/api/v1/workspaces/7.json', OUT],
    ['/api/v1/workspaces/7./x', OUT],
    ['/api/v1/workspaces/7%20/x', OUT],
    ['/api/v1/workspaces/%EF%BC%97/x', OUT],
    ['/api/v1/workspaces/AB%20C/x', OUT],
    ['/api/v1/workspaces/*', OUT],
    ['/api/v1/workspaces/%2A', OUT],
    ['/API/v1/workspaces/8', OUT],
    ['/API/v1/workspaces/7', OUT],
    ['/api/v1/Workspaces/7', OUT],
    ['/api/v1/workspaces;x/8', OUT],
    ['/api/v1/work%E2%80%8Bspaces/8', OUT],
  ])('%s: %s', (path, expected) => {
    expect(scopeOf(policy, path, seven)).toBe(expected);
  });

  it('is any for a grant that is for every workspace, and known only where it is certain', () => {
    expect(scopeOf(policy, '/api/v1/workspaces/8/x')).toBe('allow 8');
    expect(scopeOf(policy, '/API/v1/workspaces/8/x')).toBe('allow');
    expect(scopeOf(policy, '/api/v1/workspaces/8/x', { grant: null })).toBe('allow 8');
  });

  it('stands behind exactly the bytes of the pattern, stars included', () => {
    const globs = scopeMap('{ paths: ["/ws-*/a%3Ab/{ws}"], workspace: { path: ws } }');
    expect(scopeOf(globs, '/ws-x/a%3Ab/7', seven)).toBe('allow 7');
    expect(scopeOf(globs, '/WS-x/a%3Ab/7', seven)).toBe(OUT);
    expect(scopeOf(globs, '/ws-x/a:b/7', seven)).toBe(OUT);
    expect(scopeOf(globs, '/wsx/a%3Ab/8', seven)).toBe('allow');
  });

  it('is judged for every method and for upgrades', () => {
    for (const method of ['GET', 'POST', 'DELETE', 'OPTIONS', 'PURGE']) {
      expect(scopeOf(policy, '/api/v1/workspaces/8', { ...seven, method }), method).toBe(OUT);
    }
    expect(scopeOf(policy, '/api/v1/workspaces/8', { ...seven, isUpgrade: true })).toBe(OUT);
  });
});

describe('segments that an application may not see', () => {
  it('are never counted to find the one that is captured', () => {
    const policy = scopeMap('{ paths: ["/api/*/{ws}/**"], workspace: { path: ws } }');
    expect(scopeOf(policy, '/api/x/7/8', seven)).toBe('allow 7');
    expect(scopeOf(policy, '/api/%253B/7/8', { ...seven, encodedPercent: true })).toBe(OUT);
    expect(scopeOf(policy, '/api/%253Bx/7/8', { ...seven, encodedPercent: true })).toBe(OUT);
    expect(scopeOf(policy, '/api/x%253B/7/8', { ...seven, encodedPercent: true })).toBe('allow 7');
    for (const path of ['/api/;/7/8', '/api/%20/7/8', '/api/.../7/8', '/api/%E2%80%8B/7/8', '/api/;x/7/8']) {
      expect(scopeOf(policy, path, seven), path).toBe(OUT);
    }
  });
});

describe('an encoded slash that the route opted in to', () => {
  const policy = scopeMap(
    '{ paths: ["/api/*/workspaces/{workspace}/**", "/*/{workspace}/x/**"], workspace: { path: workspace } }',
    '{ paths: ["/q/**"], workspace: { query: ws } }',
  );
  const asked = (path: string, query = '') => scopeOf(policy, path, { ...seven, query, encodedSlash: true });

  it('counts in every reading', () => {
    expect(asked('/api/v1/workspaces/7/a%2Fb')).toBe('allow 7');
    expect(asked('/api/v1%2Fworkspaces%2F8/workspaces/7/x')).toBe(OUT);
    expect(asked('/api%2Fv1/workspaces/7')).toBe(OUT);
    expect(asked('/api/v1/workspaces%2F8')).toBe(OUT);
    expect(asked('/api/v1/workspaces/8%2F7')).toBe(OUT);
    expect(asked('/api/v1/y%3F/workspaces/7')).toBe('allow');
    expect(asked('/a%2F8%2Fx/7/x')).toBe(OUT);
    expect(asked('/a%2F..%2Fb')).toBe(BAD);
  });

  it('may begin a query further back', () => {
    expect(asked('/q/a%2Fb', 'ws=7')).toBe('allow 7');
    expect(asked('/q/a%3Fws=8', 'ws=7')).toBe(OUT);
    expect(asked('/q/a%3Fws=7')).toBe('allow 7');
  });
});

describe('a workspace named by a header', () => {
  const policy = scopeMap('{ paths: ["/api/**"], workspace: { header: X-Workspace-Id } }');
  const asked = (...lines: readonly string[]) =>
    scopeOf(policy, '/api/x', { ...seven, headers: { 'x-workspace-id': lines } });

  it('is exact, line by line', () => {
    expect(asked('7')).toBe('allow 7');
    expect(asked(' 7\t')).toBe('allow 7');
    expect(asked('7', '7')).toBe('allow 7');
    expect(asked('7', 'ab c')).toBe('allow');
    expect(asked()).toBe('allow');
    for (const line of ['8', '7,8', '7, 7', '"7"', '%37', '', ' ', '7\u00a0', '07', '７', '7;8', 'AB C']) {
      expect(asked(line), line).toBe(OUT);
    }
    const nameless = { grant: grantFor(''), headers: { 'x-workspace-id': [''] } };
    expect(scopeOf(policy, '/api/x', nameless)).toBe(OUT);
    expect(asked('7', '8')).toBe(OUT);
    expect(asked('8', '7')).toBe(OUT);
  });

  it('must not be taken away by Connection, or the application would see none', () => {
    const headers = { 'x-workspace-id': ['7'], connection: ['keep-alive', 'close ,\tX-Workspace-ID'] };
    expect(scopeOf(policy, '/api/x', { ...seven, headers })).toBe('bad_header');
    const other = { 'x-workspace-id': ['7'], connection: ['keep-alive, x-workspace-idx'] };
    expect(scopeOf(policy, '/api/x', { ...seven, headers: other })).toBe('allow 7');
  });

  it('is asked for by every spelling of a mapped path', () => {
    const headers = { 'x-workspace-id': ['8'] };
    for (const path of ['/API/x', '/api', '/%61pi;a/x', '/api./x', '/;/api/x']) {
      expect(scopeOf(policy, path, { ...seven, headers }), path).toBe(OUT);
    }
    expect(scopeOf(policy, '/other', { ...seven, headers })).toBe('allow');
  });
});

describe('a workspace named in the query', () => {
  const policy = scopeMap('{ paths: ["/api/**"], workspace: { query: workspace_id } }');

  it.each([
    ['workspace_id=7', 'allow 7'],
    ['workspace_id=%37', 'allow 7'],
    ['workspace_id=ab+c&workspace_id=ab%20c', 'allow ab c'],
    ['workspace_id[]=7', 'allow 7'],
    ['filter[workspace_id]=7&x=8', 'allow 7'],
    ['a=b', 'allow'],
    ['a=%zz', 'allow'],
    ['my_workspace_id=8', 'allow'],
    ['workspace_id=7&workspace_id=ab+c', 'allow'],
    ['workspace_id=8', OUT],
    ['workspace_id=7&workspace_id=8', OUT],
    ['workspace_id=7&workspace_id[]=8', OUT],
    ['workspace_id=7&WORKSPACE_ID=8', OUT],
    ['workspace_id=7&%57orkspace_id=8', OUT],
    ['workspace_id=7&+workspace_id=8', OUT],
    ['workspace_id=7&workspace_id[0]=8', OUT],
    ['workspace_id=7&filter[workspace_id]=8', OUT],
    ['workspace_id=7&filter.workspace_id=8', OUT],
    ['workspace_id=7&workspace.id=8', OUT],
    ['workspace_id=7&workspace%20id=8', OUT],
    ['workspace_id=7&workspace[id=8', OUT],
    ['workspace_id=7;workspace_id=8', OUT],
    ['a=1;workspace_id=8', OUT],
    ['workspace_id=7;8', OUT],
    ['workspace_id=7,8', OUT],
    ['workspace_id=%2537', OUT],
    ['workspace_id=07', OUT],
    ['workspace_id=%EF%BC%97', OUT],
    ['workspace_id=AB+C', OUT],
    ['workspace_id=7+', OUT],
    ['workspace_id=', OUT],
    ['workspace_id', OUT],
    ['workspace_id[ne]=7', OUT],
    ['workspace_id[$ne]=7', OUT],
    ['filter[workspace_id][ne]=7', OUT],
    ['workspace_id.ne=7', OUT],
    ['workspace_id=%zz', BAD],
    ['workspace_id=%ff', BAD],
    ['workspace_id=7&workspace_id=%00', BAD],
    ['%zz=7', BAD],
    ['%ff', BAD],
  ])('%s: %s', (query, expected) => {
    expect(scopeOf(policy, '/api/x', { ...seven, query })).toBe(expected);
  });

  it('is any for a grant that is for every workspace, and known only where it is certain', () => {
    expect(scopeOf(policy, '/api/x', { query: 'workspace_id=8' })).toBe('allow 8');
    for (const query of [
      'workspace_id=8&workspace_id=9',
      'workspace_id=8&workspace_id[ne]=9',
      'workspace_id=',
      '',
    ]) {
      expect(scopeOf(policy, '/api/x', { query }), query).toBe('allow');
    }
    expect(scopeOf(policy, '/api/x', { query: 'workspace_id=%zz' })).toBe(BAD);
  });
});

describe('a map that requires a name', () => {
  const header = '{ paths: ["/h/**"], workspace: { header: x-ws }, required: true }';
  const query = '{ paths: ["/q/**"], workspace: { query: ws }, required: true }';
  const policy = scopeMap(header, query);

  it('denies a limited grant that names none, and no other grant', () => {
    expect(scopeOf(policy, '/h', seven)).toBe(OUT);
    expect(scopeOf(policy, '/q', seven)).toBe(OUT);
    expect(scopeOf(policy, '/q', { ...seven, query: 'ws=7' })).toBe('allow 7');
    expect(scopeOf(policy, '/h', { ...seven, headers: { 'x-ws': ['7'] } })).toBe('allow 7');
    expect(scopeOf(policy, '/h')).toBe('allow');
  });
});

describe('several maps on one request', () => {
  const policy = scopeMap(
    '{ paths: ["/api/{ws}/**"], workspace: { path: ws } }',
    '{ paths: ["/api/**"], workspace: { query: ws } }',
    '{ paths: ["/api/{a}/links/{b}"], workspace: { path: b } }',
  );

  it('must all be in the grant', () => {
    expect(scopeOf(policy, '/api/7', { ...seven, query: 'ws=7' })).toBe('allow 7');
    expect(scopeOf(policy, '/api/7', { ...seven, query: 'ws=8' })).toBe(OUT);
    expect(scopeOf(policy, '/api/8', { ...seven, query: 'ws=7' })).toBe(OUT);
    expect(scopeOf(policy, '/api/7', { ...seven, query: 'ws=ab+c' })).toBe('allow');
    expect(scopeOf(policy, '/api/7/links/8', seven)).toBe(OUT);
    expect(scopeOf(policy, '/api/8/links/7', seven)).toBe(OUT);
    expect(scopeOf(policy, '/api/7/links/7', seven)).toBe('allow 7');
  });
});

describe('a tenant', () => {
  const policy = scopeMap(
    '{ paths: ["/api/**"], tenant: { header: X-Account }, workspace: { query: ws } }',
    '{ paths: ["/t/{tenant}/**"], tenant: { path: tenant } }',
    '{ paths: ["/q/**"], tenant: { query: account }, required: true }',
  );
  const MISMATCH = 'tenant_mismatch';

  it('must be the one of the request, whatever the grant', () => {
    for (const grant of [PLAIN_GRANT, grantFor('7'), null]) {
      expect(scopeOf(policy, '/api/x', { grant, headers: { 'x-account': ['acme'] } })).toBe('allow');
      expect(scopeOf(policy, '/api/x', { grant })).toBe('allow');
      expect(scopeOf(policy, '/api/x', { grant, headers: { 'x-account': ['acme', 'evil'] } })).toBe(MISMATCH);
      expect(scopeOf(policy, '/api/x', { grant, headers: { 'x-account': ['ACME'] } })).toBe(MISMATCH);
      expect(scopeOf(policy, '/api/x', { grant, headers: { 'x-account': [''] } })).toBe(MISMATCH);
      expect(scopeOf(policy, '/t/acme/x', { grant })).toBe('allow');
      for (const path of ['/t/evil', '/T/acme', '/t/acme;x', '/t/ACME/x', '/t/acme.json']) {
        expect(scopeOf(policy, path, { grant }), path).toBe(MISMATCH);
      }
      expect(scopeOf(policy, '/q', { grant })).toBe(MISMATCH);
      expect(scopeOf(policy, '/q', { grant, query: 'account=acme' })).toBe('allow');
      expect(scopeOf(policy, '/q', { grant, query: 'account=acme&account[not]=acme' })).toBe(MISMATCH);
    }
  });

  it('goes before the workspace', () => {
    const options = { ...seven, query: 'ws=8', headers: { 'x-account': ['evil'] } };
    expect(scopeOf(policy, '/api/x', options)).toBe(MISMATCH);
    expect(scopeOf(policy, '/api/x', { ...seven, query: 'ws=8' })).toBe(OUT);
  });

  it('that nobody knows is nobody’s', () => {
    const asked = facts('/t/acme', {});
    const nameless = facts('/api/x', { headers: { 'x-account': [''] } });
    for (const tenant of [null, '']) {
      for (const one of [asked, nameless]) {
        const verdict = policy.scope(withTenant(one, tenant), { workspace: null });
        expect(verdict).toMatchObject({ reason: MISMATCH });
      }
    }
  });
});

describe('hosts of a map', () => {
  it('are matched widely: a trailing dot is the same host', () => {
    const item = '{ paths: ["/{ws}/**"], workspace: { path: ws } }';
    const policy = policyFrom(narrowText('ScopeMap', [item], '[app.example.com, "*.eu.example.com"]'));
    for (const host of ['app.example.com', 'app.example.com.', 'a.b.eu.example.com']) {
      expect(scopeOf(policy, '/8', { ...seven, host }), host).toBe(OUT);
    }
    expect(scopeOf(policy, '/8', { ...seven, host: 'other.example.com' })).toBe('allow');
  });
});

describe('a map that cannot be read', () => {
  it.each([
    ['{ paths: ["/a"] }', '6:7 a scope needs workspace or tenant'],
    ['{ workspace: { query: a } }', '6:7 a scope needs paths'],
    ['{ paths: ["/a"], workspace: { path: ws } }', '6:43 path "/a" does not capture {ws}'],
    ['{ paths: ["/{ws}", "/{x}"], tenant: { path: ws } }', '6:51 path "/{x}" does not capture {ws}'],
    ['{ paths: ["/**/{ws}"], tenant: { path: ws } }', '6:46 path "/**/{ws}" has `**` in front of {ws}'],
    ['{ paths: ["/{ws}"], tenant: { path: "{ws}" } }', '6:43 path must be the name of a {capture}'],
    ['{ paths: ["/a"], tenant: {} }', '6:32 tenant must name exactly one of path, header, query'],
    ['{ paths: ["/a"], tenant: { header: a, query: b } }', '6:32 tenant must name exactly one of'],
    ['{ paths: ["/a"], tenant: { header: "a b" } }', '6:42 header must be a header name'],
    [
      '{ paths: ["/a"], tenant: { query: "[]" } }',
      '6:41 query key "[]" holds nothing that a request could name',
    ],
    ['{ paths: ["/a"], tenant: x }', '6:32 tenant must be a mapping'],
    ['{ paths: ["/a"], tenant: { cookie: x } }', '6:34 unknown key "cookie" in tenant'],
    [
      '{ paths: ["/{w}"], tenant: { path: w }, required: false }',
      '6:47 a capture of the path is always there',
    ],
    ['{ paths: ["/a"], tenant: { query: w }, required: 1 }', '6:56 required must be true or false'],
    ['{ paths: ["//a"], tenant: { query: w } }', '6:17 path "//a" can never be canonical'],
  ])('%s', (item, problem) => {
    const text = `${narrowText('ScopeMap', [item])}---\n${rulesText([{ id: 'r', match: '{ paths: ["/a"] }' }])}`;
    expect(problemLines(text)).toEqual(expect.arrayContaining([expect.stringContaining(problem)]));
  });

  it('is left out', () => {
    const text = narrowText('ScopeMap', ['{ paths: ["/a"], tenant: { query: w }, zz: 1 }']);
    const { documents, problems } = parsePolicyFile('p', Buffer.from(text));
    expect([documents.scopes, problems.length]).toEqual([[], 1]);
  });
});

function digest(item: string): string {
  const { documents } = parsePolicyFile('p', Buffer.from(narrowText('ScopeMap', [item])));
  return JSON.stringify(documents.scopes.map(scopeDigest));
}

describe('the digest of a map', () => {
  it('depends on everything that it says and not on the order of its paths', () => {
    expect(digest('{ paths: ["/a", "/b"], tenant: { header: X-A } }')).toBe(
      digest('{ tenant: { header: x-a }, paths: ["/b", "/a"], required: false }'),
    );
    const items = [
      '{ paths: ["/{w}"], tenant: { path: w } }',
      '{ paths: ["/{w}"], workspace: { path: w } }',
      '{ paths: ["/{w}"], tenant: { header: w } }',
      '{ paths: ["/{w}"], tenant: { query: w } }',
      '{ paths: ["/{w}"], tenant: { query: w }, required: true }',
      '{ paths: ["/{x}"], tenant: { query: w } }',
    ];
    expect(new Set(items.map(digest)).size).toBe(items.length);
  });
});

/** What an application may take for the workspace that decodes, folds and drops segments of parameters only. */
function named(path: string, query: string): readonly string[] {
  const segments = decodeURIComponent(path)
    .toLowerCase()
    .split('/')
    .filter((segment) => segment !== '' && segment !== ';');
  const [first, second, third, fourth] = segments;
  const inPath =
    first === 'api' && third === 'ws' ? [fourth] : first === 'ws' && segments.length === 2 ? [second] : [];
  const inQuery = query
    .split('&')
    .map((pair) => pair.split('=').map(decodeURIComponent))
    .filter(([name]) => name !== undefined && /^(?:ws|ws\[\]|a\[ws\])$/i.test(name))
    .map(([, text]) => text ?? '');
  return [...inPath, ...(first === 'api' ? inQuery : [])].filter((one) => one !== undefined);
}

describe('for any spelling of a request that names a workspace', () => {
  const policy = scopeMap(
    '{ paths: ["/api/{v}/ws/{ws}/**", "/ws/{ws}"], workspace: { path: ws } }',
    '{ paths: ["/api/**"], workspace: { query: ws } }',
    '{ paths: ["/api/**"], workspace: { header: x-ws } }',
  );
  const value = fc.constantFrom('7', '8', '%37', '%38', '7,8', '07', '', '7;8');
  const pairs = fc.array(
    fc.tuple(fc.constantFrom('ws', 'WS', 'ws[]', 'a[ws]', 'w%73', 'ws[ne]', 'a'), value),
    {
      maxLength: 3,
    },
  );
  const parts = fc.array(
    fc.constantFrom(
      'api',
      'API',
      'v',
      'ws',
      'w%73',
      'WS',
      '7',
      '8',
      '%37',
      ';',
      '7;8',
      '7.8',
      'ws%2F8',
      '%252F',
    ),
    { maxLength: 7 },
  );

  it('a limited grant passes only when everything that is named is in it', () => {
    let passed = 0;
    fc.assert(
      fc.property(parts, pairs, fc.array(value, { maxLength: 2 }), (path, query, lines) => {
        const text = query.map(([name, one]) => `${name}=${one}`).join('&');
        const target = parseTarget(`/${path.join('/')}?${text}`);
        if ('reason' in target) return;
        const headers = { 'x-ws': lines };
        const { path: canonical, encodedSlash, encodedPercent } = target;
        const options = { query: text, grant: grantFor('7'), headers, encodedSlash, encodedPercent };
        const answer = scopeOf(policy, canonical, options);
        if (!answer.startsWith('allow')) return;
        passed++;
        for (const one of named(canonical, text)) expect(one, `${canonical}?${text}`).toBe('7');
        if (/^\/api(?:\/|$)/i.test(canonical)) expect(lines.filter((line) => line !== '7')).toEqual([]);
        if (answer !== 'allow') expect(answer).toBe('allow 7');
      }),
      { numRuns: 4000 },
    );
    expect(passed).toBeGreaterThan(500);
  });

  it('another map never turns a denial into a pass', () => {
    const items = [
      '{ paths: ["/api/{v}/ws/{ws}/**"], workspace: { path: ws } }',
      '{ paths: ["/api/**"], workspace: { query: ws } }',
      '{ paths: ["/**"], tenant: { query: a } }',
      '{ paths: ["/{x}/**"], workspace: { path: x } }',
    ];
    fc.assert(
      fc.property(
        fc.subarray(items, { minLength: 1 }),
        fc.nat(3),
        parts,
        pairs,
        (some, added, path, query) => {
          const text = query.map(([name, one]) => `${name}=${one}`).join('&');
          const target = parseTarget(`/${path.join('/')}?${text}`);
          if ('reason' in target) return;
          const options = { query: text, grant: grantFor('7') };
          const before = scopeOf(scopeMap(...some), target.path, options);
          const after = scopeOf(scopeMap(items[added] as string, ...some), target.path, options);
          if (!before.startsWith('allow')) expect(after.startsWith('allow')).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });
});
