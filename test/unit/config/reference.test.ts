import { readFileSync, writeFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import {
  entriesOf,
  readSchema,
  REFERENCE_END,
  REFERENCE_START,
  referenceText,
} from '../../support/config-reference.ts';

const DOCS = 'docs/configuration.md';

describe('the schema', () => {
  const schema = readSchema();

  it('is a valid schema in which every key is described', () => {
    expect(new Ajv({ strict: false }).validateSchema(schema)).toBe(true);
    const mute = entriesOf(schema).filter(({ node }) => (node.description ?? '') === '');
    expect(mute.map((one) => one.key)).toEqual([]);
  });

  it('has a default or an example for every key that holds a value', () => {
    const bare = entriesOf(schema).filter(({ node, key }) => {
      const isGroup = node.properties !== undefined && node.examples === undefined;
      return !isGroup && node.default === undefined && node.examples === undefined && !key.startsWith('(');
    });
    expect(bare.map((one) => one.key)).toEqual([]);
  });

  it('has only defaults and examples that are valid themselves', () => {
    const ajv = new Ajv({ strict: false });
    ajv.addSchema(schema, 'gateway');
    for (const { key, node } of entriesOf(schema)) {
      const validate = ajv.compile({ ...node, definitions: schema.definitions });
      for (const value of [...(node.default === undefined ? [] : [node.default]), ...(node.examples ?? [])]) {
        expect([key, value, validate(structuredClone(value))]).toEqual([key, value, true]);
      }
    }
  });
});

describe('docs/configuration.md', () => {
  // POSTERN_WRITE_DOCS=1 writes the reference anew; otherwise this finds out that somebody forgot to.
  it('says of every key exactly what the schema says', () => {
    const text = readFileSync(DOCS, 'utf8');
    const [start, end] = [text.indexOf(REFERENCE_START), text.indexOf(REFERENCE_END)];
    expect(start).toBeGreaterThan(0);
    const reference = referenceText(readSchema());
    if (process.env['POSTERN_WRITE_DOCS'] === '1') {
      writeFileSync(DOCS, text.slice(0, start) + reference + text.slice(end + REFERENCE_END.length));
      return;
    }
    expect(text.slice(start, end + REFERENCE_END.length)).toBe(reference);
  });
});
