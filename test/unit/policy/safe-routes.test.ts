// A read grant writes through what a safe route did not mean to open: another spelling, a method in disguise, a body
// that nobody read, an encoded slash. Whatever allows matches the narrowest reading.
import { describe, expect, it } from 'vitest';
import { PASS } from '#model/verdict.ts';
import { bodyOf } from '#policy/read-body.ts';
import type { CompiledPolicy } from '#policy/compiled-policy.ts';
import { accessOf, narrowText, READ_GRANT, safeRoutes } from '../../support/narrow-sets.ts';
import { facts, policyFrom, rulesText } from '../../support/policy-sets.ts';

const FORM = 'application/x-www-form-urlencoded';

describe('without safe routes', () => {
  const policy = policyFrom(rulesText([{ id: 'r', match: '{ paths: ["/never"] }' }]));

  it('a read grant may use safe methods and nothing else', () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS']) expect(accessOf(policy, '/a', { method })).toBe('allow');
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY', 'TRACE', 'get', 'PROPFIND']) {
      expect(accessOf(policy, '/a', { method }), method).toBe('read_only');
    }
  });

  it('a write grant may use every method, and a tool without a grant asks about a write', () => {
    for (const grant of [{ ...READ_GRANT, access: 'write' as const }, null]) {
      expect(policy.access(facts('/a', { method: 'DELETE', isUpgrade: false, grant }))).toBe(PASS);
      expect(policy.access(facts('/a', { isUpgrade: true, grant }))).toBe(PASS);
    }
  });

  it('an upgrade is no read, though it is a GET', () => {
    expect(accessOf(policy, '/a', { isUpgrade: true })).toBe('read_only');
  });

  it.each([
    ['_method=DELETE', 'read_only'],
    ['a=1&_METHOD=put', 'read_only'],
    ['a=1;_method=put', 'read_only'],
    ['%5Fmethod=post', 'read_only'],
    ['+_method[]=patch', 'read_only'],
    ['x[_method]=delete', 'read_only'],
    ['_method=GET&_method=DELETE', 'read_only'],
    ['_method', 'read_only'],
    ['_method=%zz', 'read_only'],
    ['_meth%ffod=PUT', 'read_only'],
    ['_%EF%BD%8Dethod=PUT', 'read_only'],
    ['_method=GET', 'allow'],
    ['_method=head&a=%zz', 'allow'],
    ['method=DELETE', 'allow'],
    ['a=%20_method', 'allow'],
    ['%ff=1', 'allow'],
  ])('GET ?%s is judged by the method it claims: %s', (query, expected) => {
    expect(accessOf(policy, '/a', { query })).toBe(expected);
  });

  it('a query behind an encoded question mark counts too', () => {
    const options = { encodedSlash: true };
    expect(accessOf(policy, '/a%3F_method=DELETE', options)).toBe('read_only');
    expect(accessOf(policy, '/a%3F%EF%BC%BFmethod=DELETE', options)).toBe('read_only');
    expect(accessOf(policy, '/a%3Fb=1', options)).toBe('allow');
    expect(accessOf(policy, '/a%2F..%2Fb', options)).toBe('read_only');
  });

  it('a form that was read for something else counts too', () => {
    expect(accessOf(policy, '/a', { formMethods: ['DELETE'] })).toBe('read_only');
  });
});

describe('a safe route', () => {
  const policy = safeRoutes(
    '{ methods: [POST], paths: ["/api/v1/search", "/api/v1/tickets/{id}/preview"] }',
    '{ methods: [GET, REPORT], paths: ["/reports"] }',
  );
  const post = { method: 'POST' };

  it('opens its methods on its paths', () => {
    expect(accessOf(policy, '/api/v1/search', post)).toBe('allow');
    expect(accessOf(policy, '/api/v1/tickets/7/preview', post)).toBe('allow');
    expect(accessOf(policy, '/reports', { method: 'REPORT' })).toBe('allow');
  });

  it.each([
    '/api/v1/search/',
    '/API/v1/search',
    '/api/v1/Search',
    '/api/v1/search;x',
    '/api/v1/search.json',
    '/api/v1/search%20',
    '/api/v1/se%E2%80%8Barch',
    '/api/v1/tickets/7/8/preview',
    '/api/v1/tickets//preview',
    '/api/v1/tickets/preview',
    '/api/v1',
    '/',
  ])('does not open %s', (path) => {
    expect(accessOf(policy, path, post)).toBe('read_only');
  });

  const searched = (query: string) => accessOf(policy, '/api/v1/search', { ...post, query });

  it('opens no other method: what is not listed is not safe', () => {
    for (const method of ['PUT', 'QUERY', 'post', 'DELETE']) {
      expect(accessOf(policy, '/api/v1/search', { method }), method).toBe('read_only');
    }
  });

  it('does not open an upgrade to its path', () => {
    expect(accessOf(policy, '/reports', { isUpgrade: true })).toBe('read_only');
  });

  it('asks that every method claimed in the query is listed or safe', () => {
    expect(searched('_method=POST&_method=GET')).toBe('allow');
    expect(searched('q=%zz')).toBe('allow');
    expect(searched('_method=DELETE')).toBe('read_only');
    expect(searched('_method=POST&_method=delete')).toBe('read_only');
    expect(searched('_method=%ff')).toBe('read_only');
    expect(searched('_method%00=POST')).toBe('read_only');
  });
});

describe('the body of a request to a safe route', () => {
  const policy = safeRoutes('{ methods: [POST], paths: ["/search"] }');
  const asked = (options: object) => accessOf(policy, '/search', { method: 'POST', ...options });

  it.each([
    FORM,
    `${FORM}; charset=utf-8`,
    'multipart/form-data; boundary=x',
    'multipart/mixed',
    'application/json',
    'application/vnd.api+json',
    'text/plain, application/x-www-form-urlencoded',
    'text/plain, image/png',
    'text/plain; a=b, image/png',
    'nonsense',
    '',
  ])('has to be read where it may claim a method: %j', (contentType) => {
    expect(asked({ contentType })).toBe('needs_body');
  });

  it.each(['text/plain', ' Text/Plain ; charset=utf-8', 'application/octet-stream', 'application/graphql'])(
    'need not be read where it cannot: %j',
    (contentType) => {
      expect(asked({ contentType })).toBe('allow');
    },
  );

  it('has to be read though every method that is usually claimed is listed: others are not', () => {
    const whole = safeRoutes('{ methods: [POST, PUT, PATCH, DELETE], paths: ["/search"] }');
    expect(accessOf(whole, '/search', { method: 'POST', contentType: FORM })).toBe('needs_body');
  });

  it('is not asked for on another route or by another method', () => {
    expect(accessOf(policy, '/other', { method: 'POST', contentType: FORM })).toBe('read_only');
    expect(asked({ method: 'PUT', contentType: FORM })).toBe('read_only');
    expect(asked({ query: '_method=PUT', contentType: FORM })).toBe('read_only');
  });

  it.each([
    ['q=1', FORM, 'allow'],
    ['q=1&_method=GET', FORM, 'allow'],
    ['q=1&_method=DELETE', FORM, 'read_only'],
    ['q=1&%5fMethod[]=put', FORM, 'read_only'],
    ['_method=%zz', FORM, 'read_only'],
    ['{"q": 1}', 'application/json', 'allow'],
    ['[{"_method": "PUT"}]', 'application/json', 'allow'],
    ['{"_method": "post"}', 'application/json', 'allow'],
    ['{"_method": "PUT"}', 'application/json', 'read_only'],
    ['{"_Method": " delete "}', 'application/json', 'read_only'],
    ['{"_method": ["PUT"]}', 'application/json', 'read_only'],
    ['{"_method": ["POST"]}', 'application/json', 'read_only'],
    ['{"_method": " post "}', 'application/json', 'allow'],
    ['{"_method": "POST", "_method": "PUT"}', 'application/json', 'read_only'],
    ['{', 'application/json', 'read_only'],
    ['--x', 'multipart/form-data; boundary=x', 'read_only'],
    ['a,b', 'text/csv', 'allow'],
    ['', FORM, 'allow'],
  ])('%s as %s: %s', (text, contentType, expected) => {
    expect(asked({ contentType, body: bodyOf(text, contentType) })).toBe(expected);
  });
});

function onHosts(hosts: string): CompiledPolicy {
  return policyFrom(narrowText('SafeRoutes', ['{ methods: [POST], paths: ["/s"] }'], hosts));
}

describe('hosts of safe routes', () => {
  it('are exact names and names below a star', () => {
    const policy = onHosts('[app.example.com, "*.eu.example.com"]');
    const at = (host: string) => accessOf(policy, '/s', { method: 'POST', host });
    expect(at('app.example.com')).toBe('allow');
    expect(at('x.eu.example.com')).toBe('allow');
    for (const host of ['example.com', 'eu.example.com', 'xapp.example.com', 'app.example.com.', '']) {
      expect(at(host), host).toBe('read_only');
    }
  });

  it('are every host by default and by a star', () => {
    expect(accessOf(onHosts('["*"]'), '/s', { method: 'POST', host: 'any' })).toBe('allow');
  });
});

describe('an upgrade', () => {
  const policy = safeRoutes(
    '{ paths: ["/ws/updates"], upgrade: websocket }',
    '{ methods: [GET, POST], paths: ["/ws/plain"] }',
  );

  it('is open only on a route for upgrades, and such a route only for upgrades', () => {
    expect(accessOf(policy, '/ws/updates', { isUpgrade: true })).toBe('allow');
    expect(accessOf(policy, '/ws/plain', { isUpgrade: true })).toBe('read_only');
    expect(accessOf(policy, '/ws/updates', { method: 'POST' })).toBe('read_only');
    expect(accessOf(policy, '/ws/Updates', { isUpgrade: true })).toBe('read_only');
  });

  it('claims no other method', () => {
    expect(accessOf(policy, '/ws/updates', { isUpgrade: true, query: '_method=POST' })).toBe('read_only');
  });
});

describe('graphql on a safe route', () => {
  const JSON_TYPE = 'application/json';
  const policy = safeRoutes('{ methods: [GET, POST], paths: ["/graphql"], graphql: { type: query } }');
  const posted = (query: string, more = {}) =>
    accessOf(policy, '/graphql', {
      method: 'POST',
      contentType: JSON_TYPE,
      body: bodyOf(JSON.stringify({ query, ...more }), JSON_TYPE),
    });

  it('reads the body and takes queries only', () => {
    expect(accessOf(policy, '/graphql', { method: 'POST', contentType: JSON_TYPE })).toBe('needs_body');
    expect(posted('{ tickets { id } }')).toBe('allow');
    expect(posted('mutation { deleteAll }')).toBe('read_only');
    expect(posted('subscription { changes }')).toBe('read_only');
    expect(posted('query A { a } mutation B { b }', { operationName: 'A' })).toBe('read_only');
    expect(posted('nonsense {')).toBe('read_only');
    expect(posted('')).toBe('read_only');
    expect(posted('{ a }', { _method: 'DELETE' })).toBe('read_only');
  });

  it('takes no request that asks nothing, and no document in the query beside the one in the body', () => {
    expect(accessOf(policy, '/graphql', { method: 'POST' })).toBe('read_only');
    const body = bodyOf('{"query":"{ a }"}', JSON_TYPE);
    const query = `query=${encodeURIComponent('mutation { b }')}`;
    expect(accessOf(policy, '/graphql', { method: 'POST', contentType: JSON_TYPE, body, query })).toBe(
      'read_only',
    );
  });

  it('takes the operations that are named and no other', () => {
    const named = safeRoutes(
      '{ methods: [POST], paths: ["/graphql"], graphql: { type: [query, mutation], operations: [search, me] } }',
    );
    const asked = (query: string) =>
      accessOf(named, '/graphql', {
        method: 'POST',
        contentType: JSON_TYPE,
        body: bodyOf(JSON.stringify({ query }), JSON_TYPE),
      });
    expect(asked('mutation { search }')).toBe('allow');
    expect(asked('{ me search }')).toBe('allow');
    expect(asked('{ me: other }')).toBe('read_only');
    expect(asked('{ Me }')).toBe('read_only');
    expect(asked('{ me __typename }')).toBe('read_only');
  });
});

describe('an encoded slash that the route opted in to', () => {
  const encoded = { method: 'POST', encodedSlash: true };

  it('leads nobody past the route in a further reading', () => {
    const policy = safeRoutes('{ methods: [POST], paths: ["/tickets/{id}/preview", "/files/**"] }');
    expect(accessOf(policy, '/tickets/7%2Fclose%3F/preview', encoded)).toBe('read_only');
    expect(accessOf(policy, '/tickets/7%2F8/preview', encoded)).toBe('read_only');
    expect(accessOf(policy, '/files/a%2Fb', encoded)).toBe('allow');
    expect(accessOf(policy, '/files/%C3%A9%2Fb:c', encoded)).toBe('allow');
    expect(accessOf(policy, '/files/a%2F..%2Fb', encoded)).toBe('read_only');
    expect(accessOf(policy, '/files/a%252Fb', { method: 'POST', encodedPercent: true })).toBe('allow');
    expect(accessOf(policy, '/files%252Fb/a', { method: 'POST', encodedPercent: true })).toBe('read_only');
  });

  it('is asked of the route itself, in every reading, with no memory of another request', () => {
    const policy = safeRoutes(
      '{ methods: [PUT], paths: ["/a/**"] }',
      '{ methods: [POST], paths: ["/a/{x}"] }',
      '{ methods: [POST], paths: ["/a:b,c/**"] }',
      '{ methods: [POST], paths: ["/deep/**"] }',
    );
    expect(accessOf(policy, '/a/b%2562', { method: 'POST', encodedPercent: true })).toBe('allow');
    expect(accessOf(policy, '/a/x%2Fy', encoded)).toBe('read_only');
    expect(accessOf(policy, '/a/x%2Fy', { ...encoded, method: 'PUT' })).toBe('allow');
    expect(accessOf(policy, '/a:b,c/x%2Fy', encoded)).toBe('allow');
    expect(accessOf(policy, '/deep/a%3F_method=GET', encoded)).toBe('allow');
    expect(accessOf(policy, '/deep/a%3F_method=DELETE', encoded)).toBe('read_only');
  });

  it('brings no query that a graphql route has not seen', () => {
    const policy = safeRoutes('{ methods: [POST], paths: ["/g/**"], graphql: { type: query } }');
    const body = bodyOf('{"query":"{ a }"}', 'application/json');
    const asked = { method: 'POST', body, contentType: 'application/json' };
    expect(accessOf(policy, '/g/a', asked)).toBe('allow');
    expect(accessOf(policy, '/g/a%3Fquery=mutation{b}', { ...asked, encodedSlash: true })).toBe('read_only');
  });
});
