// The shipped JSON Schemas: every shipped policy document validates against the one it names, and everything in them
// is described, exemplified and told in words an editor can show.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { compilePolicy } from '#policy/compile.ts';
import { parsePolicyFile } from '#policy/policy-file.ts';
import {
  compileSchema,
  describedParts,
  everyPart,
  GRANT_SCHEMA,
  hoverAt,
  POLICY_SCHEMA,
  PRINCIPAL_SCHEMA,
  SCHEMAS,
  schemasAt,
} from '../../support/policy-schema.ts';
import {
  documentsOf,
  exampleDocuments,
  KINDS,
  LABEL_TABLES,
  pathsOf,
  readerProblems,
  SHIPPED_FILES,
} from '../../support/policy-schema-corpus.ts';

const validate = compileSchema(POLICY_SCHEMA);

describe('the policy schema and the shipped files', () => {
  it('finds files of every folder', () => {
    const folders = ['policies', 'policies/tests', 'policies/packs', 'policies/packs/tests', 'test/policy'];
    expect(SHIPPED_FILES.map(dirname)).toEqual(expect.arrayContaining(folders));
  });

  it.each(SHIPPED_FILES)('accepts %s', (file) => {
    const refused = documentsOf(file).filter(({ document }) => !validate(document));
    expect(refused.map(({ label }) => label)).toEqual([]);
  });

  it.each(SHIPPED_FILES)('is what the head of %s names', (file) => {
    const [first = ''] = readFileSync(file, 'utf8').split('\n');
    const named = /^# yaml-language-server: \$schema=(\S+)$/.exec(first)?.[1] ?? '';
    expect(join(dirname(file), named)).toBe('config/schemas/policy.schema.json');
  });

  it('leaves out tables of labels alone, which are no policy documents', () => {
    for (const file of globSync('test/policy/*.yaml').filter((one) => LABEL_TABLES.test(one))) {
      expect(readFileSync(file, 'utf8'), file).not.toContain('apiVersion');
    }
  });
});

describe('the examples of the policy schema', () => {
  it('show every kind, and schema and reader accept each', () => {
    const shown = exampleDocuments();
    expect([...new Set(shown.map(({ document }) => document['kind']))]).toEqual(KINDS);
    for (const { label, document } of shown) {
      expect([label, validate(document), readerProblems(document)]).toEqual([label, true, []]);
    }
  });

  it('are one set that loads', () => {
    const text = exampleDocuments()
      .map(({ document }) => JSON.stringify(document))
      .join('\n---\n');
    const { documents } = parsePolicyFile('p.yaml', Buffer.from(text));
    const options = { source: 'p.yaml', dangerouslyAllowEmpty: false, defaultEffect: 'deny' } as const;
    expect(compilePolicy(documents, options).problems).toEqual([]);
  });

  it('use every key that the schema knows', () => {
    const shown = exampleDocuments().flatMap(({ document }) =>
      pathsOf(document).flatMap((path) => {
        const nodes = schemasAt(POLICY_SCHEMA, document, path);
        return nodes.flatMap((node) => (node.description === undefined ? [] : [node.description]));
      }),
    );
    const used = new Set(shown);
    const properties = describedParts(POLICY_SCHEMA).filter(({ where }) => /\.[A-Za-z]+$/.test(where));
    const unused = properties.filter(
      ({ node }) => node.description !== undefined && !used.has(node.description),
    );
    expect(unused.map(({ where }) => where)).toEqual([]);
  });

  it('have something to show over every key and item', () => {
    for (const { label, document } of exampleDocuments()) {
      const mute = pathsOf(document).filter(
        (path) => !path.includes('body') && hoverAt(POLICY_SCHEMA, document, path) === '',
      );
      expect([label, mute]).toEqual([label, []]);
    }
  });
});

describe.each([
  ['policy', POLICY_SCHEMA],
  ['grant', GRANT_SCHEMA],
  ['principal', PRINCIPAL_SCHEMA],
] as const)('the schema of a %s', (_, schema) => {
  it('is valid, without a keyword that nobody knows', () => {
    expect(new Ajv({ strict: false }).validateSchema(schema)).toBe(true);
    expect(() => compileSchema(schema)).not.toThrow();
  });

  it('describes every key, item and alternative', () => {
    // What a spec is follows from its kind; the definitions of the kinds are described.
    const mute = describedParts(schema).filter(({ where, node }) => where !== '.spec' && !node.description);
    expect(mute.map(({ where }) => where)).toEqual([]);
  });

  it('has for every key a default, an example or a closed list of values', () => {
    const bare = describedParts(schema).filter(({ where, node }) => {
      const isGroup = node.properties !== undefined || node.items !== undefined || where === '.spec';
      const values = node.default ?? node.examples ?? node.enum ?? node.const;
      return /\.[A-Za-z]+$/.test(where) && !isGroup && values === undefined;
    });
    expect(bare.map(({ where }) => where)).toEqual([]);
  });

  it('has only defaults and examples that are valid themselves', () => {
    for (const { where, node } of describedParts(schema)) {
      const values = [...(node.default === undefined ? [] : [node.default]), ...(node.examples ?? [])];
      if (values.length === 0) continue;
      const accepts = compileSchema(schema, { ...node });
      for (const value of values) expect([where, value, accepts(value)]).toEqual([where, value, true]);
    }
  });

  it('says in words what a pattern asks for, and what each value of a list means', () => {
    const parts = SCHEMAS.flatMap(everyPart);
    expect(parts.length).toBeGreaterThan(100);
    const mute = parts.filter(
      ({ pattern, patternErrorMessage }) => pattern !== undefined && !patternErrorMessage,
    );
    expect(mute).toEqual([]);
    for (const { enum: values, enumDescriptions: texts } of parts) {
      if (texts !== undefined) expect(texts.length).toBe(values?.length);
    }
  });
});
