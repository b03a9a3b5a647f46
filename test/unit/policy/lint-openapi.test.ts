import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseOpenApi, readOpenApiFile } from '#policy/openapi-document.ts';
import type { ApiOperation } from '#policy/openapi-operation.ts';
import { readOperations } from '#policy/openapi-operations.ts';
import { targetsOf, withQuery } from '#policy/openapi-requests.ts';

function read(text: string): ReturnType<typeof readOperations> {
  const { value, problems } = parseOpenApi('api.yaml', Buffer.from(text));
  if (problems !== null)
    return { document: null, flaws: problems.map((one) => `${one.line}:${one.column} ${one.message}`) };
  return readOperations(value);
}

function operations(paths: string, head = 'openapi: 3.1.0'): readonly ApiOperation[] {
  const { document, flaws } = read(`${head}\npaths:\n${paths}`);
  if (document === null) throw new Error(flaws.join('\n'));
  return document.operations;
}

const routes = (list: readonly ApiOperation[]): readonly string[] =>
  list.map((one) => `${one.method} ${one.path}`);

describe('an OpenAPI document', () => {
  it('is read from YAML and from JSON alike', () => {
    const yaml = `openapi: 3.0.3
info: { title: T, version: '1' }
paths:
  /a/{id}:
    parameters: [{ name: id, in: path, schema: { type: integer } }]
    get:
      operationId: getA
      tags: [As]
      responses:
        200: { description: ok, content: { "text/csv; charset=utf-8": { schema: { type: string } } } }
        404: { description: no, content: { application/zip: {} } }
    post:
      requestBody: { content: { application/json: { schema: { properties: { password: {}, age: { type: integer } } } } } }
`;
    const { document } = read(yaml);
    expect(document).toMatchObject({ version: '3.0.3', title: 'T', unresolved: [] });
    expect(document?.operations[0]).toMatchObject({
      method: 'GET',
      path: '/a/{id}',
      operationId: 'getA',
      tags: ['As'],
      parameters: [{ name: 'id', in: 'path', type: 'integer' }],
      responseTypes: ['text/csv'],
    });
    expect(document?.operations[1]).toMatchObject({
      requestTypes: ['application/json'],
      requestFields: ['password'],
    });
    const { value } = parseOpenApi('api.yaml', Buffer.from(yaml));
    expect(read(JSON.stringify(value))).toEqual(read(yaml));
  });

  it('has its paths under the base path of its servers, the nearest list first', () => {
    const head =
      "openapi: 3.0.0\nservers: [{ url: 'https://{h}/v2/', variables: { h: { default: x.test } } }, { url: /old }]";
    const paths =
      '  /a: { get: {}, put: { servers: [{ url: https://y.test }] } }\n  /b: { servers: [{ url: api }], get: {} }\n';
    expect(routes(operations(paths, head))).toEqual(['GET /v2/a', 'GET /old/a', 'PUT /a', 'GET /api/b']);
  });

  it('has path items, parameters, bodies and schemas by reference within itself', () => {
    const text = `openapi: 3.1.0
paths:
  /a: { $ref: '#/components/pathItems/A' }
components:
  pathItems:
    A:
      post:
        parameters: [{ $ref: '#/components/parameters/format~1of~0it' }]
        requestBody: { $ref: '#/components/requestBodies/B' }
  parameters: { 'format/of~it': { name: format, in: query, schema: { enum: [csv, 1] } } }
  requestBodies: { B: { content: { application/json: { schema: { $ref: '#/components/schemas/S' } } } } }
  schemas:
    S: { allOf: [{ $ref: '#/components/schemas/T' }], properties: { one: { $ref: '#/components/schemas/S' } } }
    T: { properties: { two: { type: array, items: { properties: { three: {} } } } } }
`;
    const { document } = read(text);
    expect(document?.operations[0]).toMatchObject({
      parameters: [{ name: 'format', values: ['csv', '1'] }],
      requestFields: ['one', 'two', 'three'],
    });
  });

  it('leaves out what the server calls: callbacks and webhooks', () => {
    const { document } = read(`openapi: 3.1.0
webhooks: { exported: { post: {} } }
paths: { /a: { get: { callbacks: { done: { '{$request.body#/url}': { post: {} } } } } } }
`);
    expect(routes(document?.operations ?? [])).toEqual(['GET /a']);
  });

  it('with a path item elsewhere is refused, since its operations would be missing silently', () => {
    expect(read("openapi: 3.0.0\npaths: { /a: { $ref: 'other.yaml#/a' }, /b: { get: {} } }").flaws).toEqual([
      'path "/a" is not described in this document: bundle its parts first',
    ]);
  });

  it('tells which other references were not followed', () => {
    const { document } = read(
      "openapi: 3.0.0\npaths: { /a: { get: { parameters: [{ $ref: 'p.yaml' }, { $ref: '#/x/y' }] } } }",
    );
    expect(document?.unresolved).toEqual(['p.yaml', '#/x/y']);
  });

  it.each([
    ['swagger: "2.0"\npaths: {}', 'this is a Swagger 2.0 document: convert it to OpenAPI 3 first'],
    ['info: {}', 'the document has no `openapi` version'],
    ['openapi: 4.0.0\npaths: {}', 'only OpenAPI 3.x is read'],
    ['openapi: 3.0.0\npaths: {}', 'the document describes no operation'],
    ['openapi: 3.0.0\npaths: { a: { get: {} } }', 'path "a" must start with "/"'],
    ['- 1', 'the document must be a mapping'],
  ])('%j is refused', (text, flaw) => {
    expect(read(text)).toEqual({ document: null, flaws: [flaw] });
  });
});

describe('a hostile OpenAPI document', () => {
  it.each([
    ['aliases', 'openapi: 3.0.0\npaths: &a { /a: *a }', /an anchor/],
    ['tags', 'openapi: !!binary 3.0.0', /a tag/],
    ['duplicate keys', 'openapi: 3.0.0\npaths: {}\npaths: {}', /^3:1 this key stands twice/],
    ['brackets in JSON', `{"openapi":"3.0.0","paths":${'['.repeat(5000)}`, /nested more than 100 deep/],
    ['brackets in YAML', `openapi: ${'['.repeat(5000)}`, /nested too deeply/],
    ['half of a JSON text', '{"openapi": "3.0.0", "paths": {"/a": ', /./],
    ['two documents', 'openapi: 3.0.0\n---\nopenapi: 3.0.0', /one file holds one OpenAPI document/],
    ['bytes that are no text', '\u0000', /control character/],
    ['nothing', '', /no document/],
  ])('with %s is refused', (_name, text, flaw) => {
    const { document, flaws } = read(text);
    expect(document).toBeNull();
    expect(flaws[0]).toMatch(flaw);
  });

  it('that is no UTF-8 is refused', () => {
    expect(parseOpenApi('x', Buffer.from([0x7b, 0xff])).problems?.[0]?.message).toBe('the file is not UTF-8');
  });

  it('cannot reach a prototype by its keys', () => {
    const text =
      '{"openapi":"3.0.0","__proto__":{"x":1},"paths":{"/__proto__":{"get":{"tags":["a"],"responses":{"__proto__":{}}}}}}';
    expect(routes(read(text).document?.operations ?? [])).toEqual(['GET /__proto__']);
    expect(
      routes(
        read('openapi: 3.0.0\npaths: { /a: { __proto__: { get: {} }, get: {} } }').document?.operations ?? [],
      ),
    ).toEqual(['GET /a']);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('with references in circles ends', () => {
    const { document } = read(
      "openapi: 3.0.0\nx: { $ref: '#/y' }\ny: { $ref: '#/x' }\npaths: { /a: { get: { requestBody: { $ref: '#/x' } } } }",
    );
    expect(document?.unresolved).toEqual(['#/x']);
  });

  it('is not read at all when it is too large, no file, or not there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-lint-'));
    try {
      const large = join(folder, 'large.json');
      await writeFile(large, '{}');
      await truncate(large, 16 * 1024 * 1024 + 1);
      await mkdir(join(folder, 'folder'));
      expect(await readOpenApiFile(large)).toMatch(/more than the limit of 16777216/);
      expect(await readOpenApiFile(join(folder, 'folder'))).toBe('this is not a regular file');
      expect(await readOpenApiFile(join(folder, 'none'))).toBe('there is no such file');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the requests that stand for an operation', () => {
  const parameter = { name: 'p', in: 'path', values: [], type: null, format: null } as const;
  it.each([
    ['/a', [], ['/a']],
    ['/a/{p}/b', [], ['/a/qzx7/b', '/a/4711/b']],
    ['/a/{p}', [{ ...parameter, type: 'integer' }], ['/a/4711']],
    ['/a/{p}.csv', [{ ...parameter, values: ['x y', 'z', 'u/v'] }], ['/a/x%20y.csv', '/a/z.csv']],
    ['/ä b/%41%zz:run', [], ['/%C3%A4%20b/%41%25zz:run']],
    ['/a/{p}?op={q}', [{ ...parameter, format: 'uuid' }], ['/a/6f1c0f2e-9b57-4f4a-8a3b-2d1c5e7f9a04?op={q}']],
  ])('for %s', (path, parameters, targets) => {
    expect(targetsOf({ path, parameters })).toEqual(targets);
  });

  it('take further query parameters, encoded', () => {
    expect(withQuery('/a', [['f[x]', 'a b&c']])).toBe('/a?f%5Bx%5D=a%20b%26c');
    expect(withQuery('/a?b', [['c', '1']])).toBe('/a?b&c=1');
  });
});
