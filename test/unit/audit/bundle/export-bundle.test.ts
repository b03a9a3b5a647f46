import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { done, intent, newKey, T0, textOf, twoTenants, verified } from '../../../support/bundle-journal.ts';

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
addFormatsModule.default(ajv);
const isBundleLine = ajv.compile(
  JSON.parse(readFileSync('config/schemas/audit-bundle.schema.json', 'utf8')) as object,
);

describe('a bundle of one tenant', () => {
  it('holds, with every line of the tenant in it', async () => {
    using journal = await twoTenants();
    const result = journal.export();
    expect(result).toMatchObject({ kind: 'made', unsigned: 0, erased: 0 });
    const report = verified(journal.file('bundle'), { publicKeys: [journal.key.publicKey] });
    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({ first: 1, last: 15, unused: 2, named: 4, erased: 0, numbered: 13 });
    expect(report.header).toMatchObject({ tenant: 'acme', keys: [journal.key.publicKey] });
    expect(statSync(journal.file('bundle')).mode & 0o777).toBe(0o600);
    expect(existsSync(journal.file('bundle.partial'))).toBe(false);
  });

  it('has lines of its own as their published schema says', async () => {
    using journal = await twoTenants();
    journal.export();
    const own = textOf(journal.file('bundle'))
      .split('\n')
      .filter((line) => line.startsWith('{"b":'));
    const kinds = new Set(own.map((line) => (JSON.parse(line) as { b: string }).b));
    expect([...kinds]).toEqual(['header', 'leaf', 'key', 'end']);
    const invalid = own.filter((line) => !isBundleLine(JSON.parse(line)));
    expect(invalid).toEqual([]);
    expect(isBundleLine({ b: 'header' })).toBe(false);
  });

  it('says nothing of other tenants, of people whom only they saw, or of requests without a tenant', async () => {
    using journal = await twoTenants();
    journal.export();
    const text = textOf(journal.file('bundle'));
    const strangers = journal.people
      .find('only@globex.example')
      .concat(journal.people.find('secret@globex.example'));
    expect(strangers).toHaveLength(2);
    for (const word of ['globex', '"b1"', '"b2"', '"tenants"', '"/x0', ...strangers.map(({ id }) => id)]) {
      expect(text).not.toContain(word);
    }
    const boxes = text.split('\n').filter((line) => line.startsWith('{"k":"subject"'));
    expect(boxes).toHaveLength(4);
  });

  it('holds the grant and the people that lines after --since refer to, and none of those before', async () => {
    using journal = await twoTenants();
    const result = journal.export({ since: T0 + 150_000, until: T0 + 200_000 });
    expect(result.kind).toBe('made');
    const report = verified(journal.file('bundle'));
    expect(report.problems).toEqual([]);
    expect(report).toMatchObject({ first: 7, last: 8, named: 2 });
    expect(textOf(journal.file('bundle'))).not.toContain('gap-1');
  });

  it('holds from the first segment that is kept, once older ones were removed', async () => {
    using journal = await twoTenants();
    rmSync(journal.builder.path().replace('2.ndjson', '1.ndjson'));
    expect(journal.export()).toMatchObject({ kind: 'made', unsigned: 0 });
    expect(verified(journal.file('bundle'))).toMatchObject({
      problemCount: 0,
      first: 13,
      last: 15,
      named: 2,
    });
  });

  it('leaves out lines that no checkpoint covers yet, and says how many', async () => {
    using journal = await twoTenants();
    journal.builder.add(intent({ tenant: 'acme', n: 16, s: 2, g: 4, id: 'z1' }), done('acme', 17, 'z1'));
    expect(journal.export()).toMatchObject({ kind: 'made', unsigned: 2 });
    expect(verified(journal.file('bundle'))).toMatchObject({ problemCount: 0, last: 15 });
  });

  it('holds without the person when a subject was erased', async () => {
    using journal = await twoTenants();
    const [subject] = journal.people.find('both@vendor.example');
    journal.people.erase(subject?.id ?? '', T0);
    expect(journal.export()).toMatchObject({ kind: 'made', erased: 1 });
    expect(verified(journal.file('bundle'))).toMatchObject({ problemCount: 0, named: 3, erased: 1 });
  });

  it('is not made of a journal in which a signed line was changed, with a key that is none of the journal’s, or of no journal', async () => {
    using journal = await twoTenants();
    expect(journal.export({ key: newKey().key })).toEqual({ kind: 'foreign_key' });
    expect(journal.export({ directory: journal.file('') })).toEqual({ kind: 'empty' });
    const segment = journal.builder.path().replace('2.ndjson', '1.ndjson');
    writeFileSync(segment, textOf(segment).replace('"path":"/c1"', '"path":"/c9"'), 'latin1');
    expect(journal.export()).toMatchObject({
      kind: 'damaged',
      problem: expect.stringContaining('not those that were signed'),
    });
    writeFileSync(segment, textOf(segment).replace(/\{"k":"seal","n":5.*\n/, ''), 'latin1');
    expect(journal.export()).toMatchObject({
      kind: 'damaged',
      problem: expect.stringContaining('group 5 should follow'),
    });
    expect(existsSync(journal.file('bundle'))).toBe(false);
  });

  it('is not made when the reading cannot be noted down', async () => {
    using journal = await twoTenants();
    expect(() => journal.export({ record: refuse })).toThrow('no');
    expect(existsSync(journal.file('bundle'))).toBe(false);
  });

  it('holds of a tenant that was never seen, with nothing in it', async () => {
    using journal = await twoTenants();
    journal.export({ tenant: 'nobody' });
    expect(verified(journal.file('bundle'))).toMatchObject({ problemCount: 0, numbered: 0, first: null });
  });
});

function refuse(): never {
  throw new Error('no');
}
