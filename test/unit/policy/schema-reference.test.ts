// docs/policy-language.md says of every key what the schemas say, and its documents load.
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parseTarget } from '#gateway/request-target.ts';
import { compilePolicy } from '#policy/compile.ts';
import { parseGrantFile, parsePolicyFile } from '#policy/policy-file.ts';
import { runPolicyTests } from '#policy/run-policy-tests.ts';
import { compileSchema, GRANT_SCHEMA, POLICY_SCHEMA } from '../../support/policy-schema.ts';
import { KINDS, type Mapping, problemsOfText } from '../../support/policy-schema-corpus.ts';
import { markers, referenceTables } from '../../support/policy-schema-reference.ts';
import { READER_ONLY } from '../../support/policy-schema-reasons.ts';

const DOCS = 'docs/policy-language.md';
const validate = compileSchema(POLICY_SCHEMA);

const blocks = [...readFileSync(DOCS, 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
  ([, text = '']) => text,
);
const policies = blocks.filter((text) => text.includes('apiVersion: '));

describe('docs/policy-language.md', () => {
  // POSTERN_WRITE_DOCS=1 writes the tables anew; otherwise this finds out that somebody forgot to.
  it('has every table as the schema has it', () => {
    let text = readFileSync(DOCS, 'utf8');
    for (const [name, table] of referenceTables(POLICY_SCHEMA)) {
      const [start, end] = markers(name);
      const [from, to] = [text.indexOf(start), text.indexOf(end)];
      expect([name, from > 0 && to > from]).toEqual([name, true]);
      const wanted = `${start}\n\n${table}\n\n`;
      if (process.env['POSTERN_WRITE_DOCS'] === '1') text = text.slice(0, from) + wanted + text.slice(to);
      else expect(text.slice(from, to)).toBe(wanted);
    }
    if (process.env['POSTERN_WRITE_DOCS'] === '1') writeFileSync(DOCS, text);
  });

  it('shows a document of every kind', () => {
    const kinds = policies.flatMap((text) =>
      parseAllDocuments(text).map((document) => String((document.toJS() as Mapping)['kind'])),
    );
    expect(kinds).toEqual(expect.arrayContaining(KINDS));
  });

  it.each(policies)('shows a document that schema and reader accept: %#', (text) => {
    for (const document of parseAllDocuments(text))
      expect([text, validate(document.toJS())]).toEqual([text, true]);
    expect(problemsOfText(text)).toEqual([]);
  });

  it('shows tests that hold under the rules and guards it shows', async () => {
    // The map is about an application that names a tenant in every request, the allowances about an allow-list.
    const shown = policies.filter((text) => !/^kind: (?:ScopeMap|RouteAllowance)$/m.test(text));
    const { documents } = parsePolicyFile('docs.yaml', Buffer.from(shown.join('---\n')));
    const options = { source: 'docs.yaml', dangerouslyAllowEmpty: false, defaultEffect: 'allow' } as const;
    const { policy, problems } = compilePolicy(documents, options);
    expect(problems).toEqual([]);
    if (policy === null) throw new Error('no policy');
    const { results } = await runPolicyTests({
      policy,
      documents: documents.tests,
      parseTarget,
      filter: null,
    });
    expect(results.length).toBeGreaterThan(4);
    expect(results.filter((result) => !result.held)).toEqual([]);
  });

  it('shows a grant file that schema and reader accept', () => {
    const text = blocks.find((one) => one.includes('policy-grant.schema.json')) ?? '';
    expect(compileSchema(GRANT_SCHEMA)(parseAllDocuments(text)[0]?.toJS())).toBe(true);
    expect(parseGrantFile('grant.yaml', Buffer.from(text)).problems).toEqual([]);
  });

  it('lists what an editor cannot know', () => {
    const text = readFileSync(DOCS, 'utf8');
    for (const { what } of READER_ONLY) expect(text).toContain(`- ${what}`);
  });
});
