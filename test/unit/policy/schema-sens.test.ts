import { it } from 'vitest';
import { readFileSync } from 'node:fs';
import { compileSchema, POLICY_SCHEMA } from '../../support/policy-schema.ts';
import * as c from '../../support/policy-schema-corpus.ts';
import { unexcused } from '../../support/policy-schema-reasons.ts';
import { parseAllDocuments } from 'yaml';
it('x', { timeout: 400000 }, () => {
  const cases: [unknown, boolean][] = [];
  for (const { document, path } of c.placesOf(c.smallDocuments([...c.exampleDocuments(), ...c.SHIPPED_FILES.flatMap(c.documentsOf)])))
    for (const m of c.mutationsAt(document, path)) { const p = c.readerProblems(m); cases.push([m, unexcused(p, m).length > 0]); }
  const text = readFileSync('test/unit/policy/schema-agreement.test.ts', 'utf8');
  // REFUSED list by evaluating source
  const start = text.indexOf('const head ='), end = text.indexOf('function schemaAccepts');
  const js = text.slice(start, end).replace(/: string\b/g, '').replace(/\(kind, spec\)/, '(kind, spec)');
  const { ACCEPTED, REFUSED } = new Function(`${js}; return { ACCEPTED, REFUSED };`)() as { ACCEPTED: string[]; REFUSED: string[] };
  for (const t of REFUSED) for (const d of parseAllDocuments(t)) cases.push([d.toJS(), true]);
  console.log(cases.length);
  const bad = cases.filter(([, r]) => r);
  const KEYWORDS = ['minItems','uniqueItems','pattern','additionalProperties','if','minLength','maxLength','minProperties','maxProperties','propertyNames','maximum','minimum','anyOf','allOf','type','const','enum','not','maxItems'];
  const missed: string[] = []; let n = 0;
  const visit = (node: any, where: string) => {
    if (typeof node !== 'object' || node === null) return;
    const tryIt = (label: string) => { n++; const v = compileSchema(structuredClone(POLICY_SCHEMA)); if (bad.every(([d]) => !v(d))) missed.push(label); };
    for (const k of KEYWORDS) if (!Array.isArray(node) && Object.hasOwn(node, k) && !where.endsWith('/properties')) {
      const was = node[k]; const then = node.then, els = node.else; delete node[k]; if (k === 'if') { delete node.then; delete node.else; }
      try { tryIt(`${where} ${k}`); } catch (e) { missed.push(`${where} ${k} ERR ${e}`); }
      node[k] = was; if (k === 'if') { if (then) node.then = then; if (els) node.else = els; }
    }
    if (Array.isArray(node.required) && !where.includes('/if')) for (let i = 0; i < node.required.length; i++) { const was = node.required; node.required = was.filter((_: unknown, j: number) => j !== i); tryIt(`${where} required ${was[i]}`); node.required = was; }
    for (const [k, v] of Object.entries(node)) if (!['examples', 'enum', 'enumDescriptions', 'required', 'default'].includes(k)) visit(v, `${where}/${k}`);
  };
  visit(POLICY_SCHEMA, '');
  console.log(n, 'missed', missed.length); console.log(missed.join('\n'));
  console.log(ACCEPTED.length);
});
