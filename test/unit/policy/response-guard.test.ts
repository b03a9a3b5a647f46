// What the guards of a route make of an answer's head: the widest reading of every name and value in it.
import { describe, expect, it } from 'vitest';
import type { GuardVerdict } from '#policy/compiled-policy.ts';
import { facts, type FactsOptions, policyFrom } from '../../support/policy-sets.ts';

interface GuardText {
  readonly id?: string;
  readonly response: string;
  readonly more?: string;
}

function guardsText(guards: readonly GuardText[], spec = ''): string {
  const lines = guards.map(
    ({ id = 'g', response, more = '' }) =>
      `    - { id: ${id}, category: export, response: ${response}${more === '' ? '' : `, ${more}`} }`,
  );
  return `apiVersion: postern/v1\nkind: ResponseGuard\nmetadata: { name: test }\nspec:\n${spec}  guards:\n${lines.join('\n')}\n`;
}

interface Asked extends FactsOptions {
  readonly path?: string;
  readonly status?: number;
  readonly contentLength?: number;
}

type Fields = readonly (readonly [string, string])[];

function judge(text: string, fields: Fields, asked: Asked = {}): GuardVerdict {
  const { path = '/api/items', status = 200, contentLength = -1, ...options } = asked;
  return policyFrom(text).judgeResponse(facts(path, options), {
    status,
    fields: fields.flat(),
    contentLength,
  });
}

/** The id of the guard that stops it, `cut at N`, or `pass`. */
function decided(text: string, fields: Fields, asked: Asked = {}): string {
  const { denial, maxBodyBytes, sizeGuard } = judge(text, fields, asked);
  expect(sizeGuard === null).toBe(maxBodyBytes === Number.POSITIVE_INFINITY);
  if (denial !== null) {
    expect(denial.reason).toBe('response_guarded');
    return denial.rule?.id ?? 'nobody';
  }
  return sizeGuard === null ? 'pass' : `cut at ${maxBodyBytes}`;
}

const ATTACHMENT = guardsText([{ response: '{ attachment: true }' }]);
const TYPES = guardsText([
  { response: '{ mediaTypes: [text/csv, "application/vnd.openxmlformats-officedocument.spreadsheetml.*"] }' },
]);
const FILES = guardsText([{ response: '{ extensions: [csv, XLSX] }' }]);
const SIZE = guardsText([{ response: '{ maxBytes: 1KiB }' }]);

describe('an attachment', () => {
  it.each([
    ['Content-Disposition', 'attachment'],
    ['content-disposition', 'ATTACHMENT; filename=x.pdf'],
    ['CONTENT-DISPOSITION', ' \tAttachment\t; filename="x"'],
    ['Content-Disposition', 'form-data; name=x'],
    ['Content-Disposition', 'unheard-of'],
    ['Content-Disposition', '"inline"'],
    ['Content-Disposition', "'attachment'"],
    ['Content-Disposition', 'inline, attachment'],
    ['Content-Disposition', 'attachment, inline'],
    ['Content-Disposition', 'inline; filename="x", attachment; filename="y"'],
    ['Content-Disposition', 'inline; attachment'],
    ['Content-Disposition', 'filename=customers.csv'],
    ['Content-Disposition', '; filename=customers.csv'],
    ['Content-Disposition', ', attachment'],
    ['Content-Disposition', 'inline attachment'],
  ])('is what %s: %j says, or what is not plainly inline', (name, value) => {
    expect(decided(ATTACHMENT, [[name, value]])).toBe('g');
  });

  it.each([
    'inline',
    'INLINE',
    ' inline ',
    'inline; filename=a,b.pdf',
    'inline; filename="attachment.pdf"',
    '',
    ' ; ',
  ])('is not %j', (value) => {
    expect(decided(ATTACHMENT, [['Content-Disposition', value]])).toBe('pass');
  });

  it('is not an answer without the header, nor one whose other headers speak of it', () => {
    expect(decided(ATTACHMENT, [])).toBe('pass');
    expect(decided(ATTACHMENT, [['X-Content-Disposition', 'attachment']])).toBe('pass');
  });

  it('is one where any of several lines says so', () => {
    const [inline, attachment] = [
      ['Content-Disposition', 'inline'],
      ['content-Disposition', 'attachment'],
    ] as const;
    expect(decided(ATTACHMENT, [inline, attachment])).toBe('g');
    expect(decided(ATTACHMENT, [attachment, inline])).toBe('g');
  });
});

describe('a media type', () => {
  it.each([
    'text/csv',
    'TEXT/CSV',
    ' text/csv ',
    'text/csv; charset=utf-8; header=present',
    'text/csv;',
    '"text/csv"',
    "'text/csv'",
    'text / csv',
    'text/csv charset=utf-8',
    'text/csv (a comment)',
    'text/csv(a comment)',
    'text/csv\u00a0',
    'text/html, text/csv',
    'text/html; a="b, text/csv"',
    ',text/csv',
    'text/csv, text/html',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    'application/vnd.openxmlformats-officedocument.spreadsheetml.template.main+xml; q=1',
  ])('is read in %j', (value) => {
    expect(decided(TYPES, [['Content-Type', value]])).toBe('g');
    expect(
      decided(TYPES, [
        ['content-type', 'application/json'],
        ['CONTENT-TYPE', value],
      ]),
    ).toBe('g');
  });

  it.each([
    'text/csvx',
    'xtext/csv',
    'text/plain; text/csv',
    'application/json',
    '',
    ';',
    'text',
    'text/c sv',
    '/',
  ])('is not read in %j', (value) => {
    expect(decided(TYPES, [['Content-Type', value]])).toBe('pass');
  });

  it('is not missed behind several ranges, which put it into the body', () => {
    const fields: Fields = [['Content-Type', 'multipart/byteranges; boundary=x']];
    expect(decided(TYPES, fields, { status: 206 })).toBe('g');
    expect(decided(TYPES, fields, { status: 200 })).toBe('g');
  });

  it('is not missed in a part that leaves it out, as RFC 9110 section 15.3.7 allows', () => {
    const range = ['Content-Range', 'bytes 0-1/2'] as const;
    expect(decided(TYPES, [range], { status: 206 })).toBe('g');
    expect(decided(TYPES, [range, ['Content-Type', 'image/png']], { status: 206 })).toBe('pass');
  });

  it('is not the only thing that such a part leaves out', () => {
    const range = ['Content-Range', 'bytes 0-1/2'] as const;
    const inline = ['Content-Disposition', 'inline; filename=a.pdf'] as const;
    const type = ['Content-Type', 'video/mp4'] as const;
    for (const text of [ATTACHMENT, FILES]) {
      expect(decided(text, [range], { status: 206 })).toBe('g');
      expect(decided(text, [range, inline], { status: 206 })).toBe('pass');
      expect(decided(text, [range, type], { status: 206 })).toBe('pass');
      expect(decided(text, [range], { status: 200 })).toBe('pass');
    }
  });

  it('may be a pattern in either part', () => {
    const text = guardsText([{ response: '{ mediaTypes: ["*/*csv", "TEXT/X-*"] }' }]);
    expect(decided(text, [['Content-Type', 'application/x-csv']])).toBe('g');
    expect(decided(text, [['Content-Type', 'text/x-vcard']])).toBe('g');
    expect(decided(text, [['Content-Type', 'text/plain']])).toBe('pass');
  });
});

describe('a file name', () => {
  it.each([
    'inline; filename=customers.csv',
    'attachment; filename="customers.CSV"',
    'attachment; FILENAME = "customers.xlsx"',
    "attachment; filename*=UTF-8''customers%2Ecsv",
    "attachment; filename*=iso-8859-1'en'%63ustomers.%63%73%76",
    'attachment; filename="customers%2ecsv"',
    'attachment; filename="customers.csv.gz"',
    'attachment; filename="customers.csv (1)"',
    'attachment; filename="customers.csv',
    'attachment; filename="customers.c\\sv"',
    'attachment; filename="a; b.csv"',
    'attachment; filename="=?UTF-8?B?Y3VzdG9tZXJzLmNzdg==?="',
    'attachment; filename="=?utf-8?q?customers=2Ecsv?="',
    'attachment; filename="=?utf-8?q?customers.?= =?utf-8?q?csv?="',
    'attachment; filename*0="customers.c"; filename*1="sv"',
    "attachment; filename*0*=UTF-8''customers%2; filename*1*=Ecsv",
    'attachment; filename=x.html; filename=customers.csv',
    'form-data; name="customers.csv"',
  ])('is read in %j', (value) => {
    expect(decided(FILES, [['Content-Disposition', value]])).toBe('g');
  });

  it.each([
    'attachment; filename=customers.pdf',
    'attachment; filename=csv',
    'attachment; filename=x.csvx',
    'inline',
  ])('is not one of the guarded in %j', (value) => {
    expect(decided(FILES, [['Content-Disposition', value]])).toBe('pass');
  });

  it('is what the answer gives it, not what the path ends with', () => {
    expect(decided(FILES, [], { path: '/media/customers.csv' })).toBe('pass');
  });
});

describe('a size', () => {
  it('is refused where it is declared above, and otherwise cut', () => {
    expect(decided(SIZE, [], { contentLength: 1025 })).toBe('g');
    expect(decided(SIZE, [], { contentLength: 1024 })).toBe('cut at 1024');
    expect(decided(SIZE, [], { contentLength: -1 })).toBe('cut at 1024');
  });

  it.each([
    ['bytes 0-99/1025', 'g'],
    ['BYTES 0-99/1025', 'g'],
    ['bytes=0-99/1025', 'g'],
    ['0-99/1025', 'g'],
    ['bytes 0-99/1024', 'cut at 1024'],
    ['bytes 0-99/*', 'g'],
    ['bytes 0-99', 'g'],
    ['bytes 0-99/9999999999999999999', 'g'],
    ['', 'g'],
    ['bytes 0-99/100, bytes 0-99/1025', 'g'],
    ['items 0-24/5000', 'cut at 1024'],
  ])('of a part is that of the whole: %j', (range, expected) => {
    const fields: Fields = [['Content-Range', range]];
    expect(decided(SIZE, fields, { status: 206, contentLength: 100 })).toBe(expected);
  });

  it('of a part that does not say what it is a part of counts as too large', () => {
    expect(decided(SIZE, [], { status: 206, contentLength: 100 })).toBe('g');
    const parts: Fields = [['Content-Type', 'multipart/byteranges; boundary=x']];
    expect(decided(SIZE, parts, { status: 206, contentLength: 100 })).toBe('g');
  });

  it('named by a range counts with every status but the one that has no part', () => {
    const fields: Fields = [['Content-Range', 'bytes 0-99/1025']];
    expect(decided(SIZE, fields, { status: 200, contentLength: 100 })).toBe('g');
    // Many interfaces count their rows so, with a total that nobody knows.
    expect(decided(SIZE, [['Content-Range', '0-24/*']], { status: 200 })).toBe('cut at 1024');
    const unsatisfied: Fields = [['Content-Range', 'bytes */1025']];
    expect(decided(SIZE, unsatisfied, { status: 416, contentLength: 100 })).toBe('cut at 1024');
  });

  it('is the smallest of several guards, the first of equal ones', () => {
    const text = guardsText([
      { id: 'large', response: '{ maxBytes: 2KiB }' },
      { id: 'small', response: '{ maxBytes: 1KiB }' },
      { id: 'same', response: '{ maxBytes: 1KiB }' },
    ]);
    const { sizeGuard, maxBodyBytes } = judge(text, []);
    expect([sizeGuard?.id, maxBodyBytes]).toEqual(['small', 1024]);
    expect(decided(text, [], { contentLength: 1500 })).toBe('small');
    expect(decided(text, [], { contentLength: 5000 })).toBe('large');
  });
});

describe('what is judged', () => {
  it.each([200, 201, 203, 205, 206, 301, 302, 400, 404, 500, 503])('is an answer of status %i', (status) => {
    const fields: Fields = [
      ['Content-Disposition', 'attachment'],
      ['Content-Type', 'x/y'],
    ];
    expect(decided(ATTACHMENT, fields, { status })).toBe('g');
  });

  it.each([204, 304])('is not one of status %i, which has no body', (status) => {
    expect(decided(ATTACHMENT, [['Content-Disposition', 'attachment']], { status })).toBe('pass');
  });

  it('is HEAD as GET', () => {
    const text = guardsText([
      {
        response: '{ attachment: true, maxBytes: 1KiB }',
        more: 'match: [{ methods: [GET], paths: ["/api/**"] }]',
      },
    ]);
    expect(decided(text, [['Content-Disposition', 'attachment']], { method: 'HEAD' })).toBe('g');
    expect(decided(text, [], { method: 'HEAD', contentLength: 2000 })).toBe('g');
    expect(decided(text, [['Content-Disposition', 'attachment']], { method: 'POST' })).toBe('pass');
  });
});

const CSV: Fields = [['Content-Type', 'text/csv']];

describe('the route of a guard', () => {
  const text = guardsText(
    [
      {
        response: '{ mediaTypes: [text/csv] }',
        more: 'match: [{ paths: ["/api/{kind}/list"], query: { all: "*" } }]',
      },
    ],
    '  hosts: ["*.example.com"]\n',
  );

  it('is matched as widely as by a deny rule', () => {
    const all = { query: 'all=1' };
    for (const path of [
      '/api/items/list',
      '/API/items/LIST;v=1/',
      '/api/items/list.json',
      '/api/items/%6Cist',
    ]) {
      expect(decided(text, CSV, { ...all, path }), path).toBe('g');
    }
    expect(decided(text, CSV, { path: '/api/items/list', query: 'ALL[]=1' })).toBe('g');
  });

  it('is left alone where path, query or host are others', () => {
    const list = { path: '/api/items/list', query: 'all=1' };
    expect(decided(text, CSV, { ...list, path: '/api/items/one' })).toBe('pass');
    expect(decided(text, CSV, { ...list, query: 'some=1' })).toBe('pass');
    expect(decided(text, CSV, { ...list, host: 'example.org' })).toBe('pass');
  });

  it('is about a request whose query cannot be read', () => {
    const list = { path: '/api/items/list', query: '%zz=1' };
    expect(decided(text, CSV, list)).toBe('g');
    const besideAnother = guardsText([
      {
        id: 'a',
        response: '{ mediaTypes: [text/csv] }',
        more: 'match: [{ paths: ["/**"], query: { all: "*" } }]',
      },
      { id: 'b', response: '{ maxBytes: 1KiB }' },
    ]);
    expect(decided(besideAnother, CSV, list)).toBe('a');
    expect(decided(besideAnother, CSV)).toBe('cut at 1024');
  });

  it('is every route where none is named, a path with encoded slashes too', () => {
    expect(decided(TYPES, CSV, { path: '/' })).toBe('g');
    expect(decided(TYPES, CSV, { path: '/a%2Fb', encodedSlash: true })).toBe('g');
  });

  it('is every route where the path cannot be read at all', () => {
    expect(decided(text, CSV, { path: '/a%2F..%2Fb', encodedSlash: true })).toBe('g');
    expect(decided(text, CSV, { path: '/a%ff' })).toBe('g');
  });

  it('is left alone by a form that names no guarded method, and guarded when nobody knows', () => {
    const put = guardsText([
      { response: '{ mediaTypes: [text/csv] }', more: 'match: [{ methods: [PUT], paths: ["/x"] }]' },
    ]);
    const post = { method: 'POST', path: '/x' };
    expect(decided(put, CSV, { ...post, formMethods: ['PUT'] })).toBe('g');
    expect(decided(put, CSV, { ...post, formMethods: ['PATCH'] })).toBe('pass');
    expect(decided(put, CSV, { ...post, contentType: 'application/x-www-form-urlencoded' })).toBe('g');
  });
});

describe('a guard', () => {
  it('is lifted by a grant that lifts its category, where it may be', () => {
    const lifted = { lifts: ['export'] };
    expect(
      decided(guardsText([{ response: '{ mediaTypes: [text/csv] }', more: 'liftable: true' }]), CSV, lifted),
    ).toBe('pass');
    expect(decided(TYPES, CSV, lifted)).toBe('g');
    expect(decided(guardsText([{ response: '{ maxBytes: 1B }', more: 'liftable: true' }]), [], lifted)).toBe(
      'pass',
    );
  });

  it('is about those whom its `when` is about', () => {
    const text = guardsText([
      { response: '{ mediaTypes: [text/csv] }', more: 'when: { none: { groups: [leads] } }' },
    ]);
    expect(decided(text, CSV, { principal: { groups: ['support'] } })).toBe('g');
    expect(decided(text, CSV, { principal: { groups: ['leads'] } })).toBe('pass');
    expect(decided(text, CSV)).toBe('g');
  });

  it('stops nothing in shadow mode and is told of', () => {
    const text = guardsText([
      { id: 'a', response: '{ mediaTypes: [text/csv] }', more: 'mode: shadow' },
      { id: 'b', response: '{ maxBytes: 1KiB }', more: 'mode: shadow' },
      { id: 'c', response: '{ maxBytes: 2KiB }' },
    ]);
    const open = judge(text, CSV);
    expect(open.denial).toBeNull();
    expect(open.sizeGuard?.id).toBe('c');
    expect(open.shadowRules.map(({ id }) => id)).toEqual(['a']);
    expect(open.shadowSizes).toEqual([{ rule: expect.objectContaining({ id: 'b' }), maxBytes: 1024 }]);
    const declared = judge(text, CSV, { contentLength: 1500 });
    expect(declared.shadowRules.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(declared.shadowSizes).toEqual([]);
  });

  it('is the first in order where several stop an answer, whatever the trie found first', () => {
    const text = guardsText([
      { id: 'first', response: '{ mediaTypes: [text/csv] }' },
      { id: 'second', response: '{ mediaTypes: [text/csv] }', more: 'match: [{ paths: ["/api/items"] }]' },
    ]);
    expect(decided(text, CSV)).toBe('first');
  });

  it('says by what it recognised the answer, and nothing of the answer itself', () => {
    const text = guardsText([
      { response: '{ attachment: true, mediaTypes: [text/csv], extensions: [csv], maxBytes: 1B }' },
    ]);
    const notes = [
      judge(text, [['Content-Disposition', 'attachment; filename=ada.csv']]),
      judge(text, CSV),
      judge(text, [['Content-Disposition', 'inline; filename=ada.csv']]),
      judge(text, [], { contentLength: 2 }),
    ].map(({ denial }) => denial?.note);
    expect(new Set(notes).size).toBe(4);
    expect(notes.join()).not.toMatch(/ada/);
  });

  it('is forgotten with its answer', () => {
    const policy = policyFrom(TYPES);
    const asked = facts('/api/items');
    const csv = { status: 200, fields: ['Content-Type', 'text/csv'], contentLength: -1 };
    const json = { status: 200, fields: ['Content-Type', 'application/json'], contentLength: -1 };
    expect(policy.judgeResponse(asked, csv).denial).not.toBeNull();
    expect(policy.judgeResponse(asked, json).denial).toBeNull();
    expect(policy.judgeResponse(asked, { status: 200, fields: [], contentLength: -1 }).denial).toBeNull();
  });
});

describe('a set without guards', () => {
  it('says so, and lets everything pass', () => {
    const policy = policyFrom(
      'apiVersion: postern/v1\nkind: RouteSettings\nmetadata: { name: s }\nspec: { paths: ["/x"], allow: [getBody] }\n',
    );
    expect(policy.hasGuards).toBe(false);
    const verdict = policy.judgeResponse(facts('/x'), {
      status: 200,
      fields: ['Content-Type', 'text/csv'],
      contentLength: 9,
    });
    expect(verdict.denial).toBeNull();
    expect(verdict.maxBodyBytes).toBe(Number.POSITIVE_INFINITY);
  });
});
