// Problems go to terminals, build logs and tickets. A person who wrote a secret into the file, in the right place or a
// wrong one, in a misspelled key or in a broken line, must not find it there too.
import { describe, expect, it } from 'vitest';
import { formatProblems } from '#config/problem.ts';
import { problemsOf, SMALLEST, smallestWith, testFolder } from '../support/config-files.ts';

const SECRET = 'hunter2hunter2';

describe('a secret in the wrong place', () => {
  it.each([
    ['as a secret itself', smallestWith(`secrets: { token: ${SECRET} }\n`)],
    ['in a map of secrets', smallestWith(`secrets: { tokens: { acme: ${SECRET} } }\n`)],
    ['in a misspelled section', smallestWith(`secretss: { token: ${SECRET} }\n`)],
    ['as the address of the mail server', smallestWith(`notify: { smtp: { url: ${SECRET} } }\n`)],
    ['below it', smallestWith(`notify: { smtp: { url: { fromEnvv: ${SECRET} } } }\n`)],
    [
      'in a section of another version',
      smallestWith(`grants: { store: { postgres: { url: ${SECRET} } } }\n`),
    ],
    ['in a misspelled reference', smallestWith(`secrets: { token: { fromEnvv: ${SECRET} } }\n`)],
    ['as the name of a variable', smallestWith(`secrets: { token: { fromEnv: "${SECRET}!" } }\n`)],
    ['as a key hash', SMALLEST.replace(']', `], services: [{ name: a, keyHash: ${SECRET} }]`)],
    ['as the assertion key', SMALLEST.replace('3000"', `3000", assertion: { key: ${SECRET} }`)],
    ['in the address of the upstream', SMALLEST.replace('http://', `http://user:${SECRET}@`)],
    ['in the address of an issuer', SMALLEST.replace('https://idp', `https://user:${SECRET}@idp`)],
    ['in an origin', smallestWith(`traffic: { origins: ["https://user:${SECRET}@a.example"] }\n`)],
    [
      'in an injected header',
      SMALLEST.replace('3000"', `3000", inject: { Authorization: "${SECRET} {nope}" }`),
    ],
    ['as a placeholder', SMALLEST.replace('3000"', `3000", inject: { X-A: '{"password": "${SECRET}"}' }`)],
    [
      'beside a problem on the same line',
      smallestWith(`secrets: { token: ${SECRET}, other: { fromEnv: NOPE } }\n`),
    ],
    [
      'in a service key',
      SMALLEST.replace(']', `], services: [{ name: "psk_${SECRET} ", keyHash: { fromEnv: NOPE } }]`),
    ],
    ['in a line that is not YAML', smallestWith(`secrets: { token: "${SECRET}\n`)],
    ['in a broken block of text', smallestWith(`secrets:\n  token: |${SECRET}\n`)],
    ['after a bad escape', smallestWith(`secrets: { token: "\\q${SECRET}" }\n`)],
    ['twice', smallestWith(`secrets:\n  token: ${SECRET}\n  token: ${SECRET}\n`)],
    ['as a block of text', smallestWith(`secrets:\n  token: |\n    ${SECRET}\n`)],
  ])('is not printed: %s', (_where, text) => {
    const problems = problemsOf(text);
    expect(problems.length).toBeGreaterThan(0);
    expect(formatProblems(problems)).not.toContain('hunter2');
  });

  it('is not printed when it was read and is wrong', () => {
    using folder = testFolder();
    folder.write('key.pem', `-----BEGIN PRIVATE KEY-----\n${SECRET}\n-----END PRIVATE KEY-----\n`);
    folder.write('two-lines', `${SECRET}\n${SECRET}`);
    const text = `${SMALLEST.replace('3000"', '3000", assertion: { key: { fromFile: key.pem } }').replace(
      ']',
      '], services: [{ name: a, keyHash: { fromEnv: HASH } }]',
    )}secrets: { lines: { fromFile: two-lines } }
listen: { data: { tls: { cert: { fromFile: key.pem }, key: { fromFile: key.pem } } } }
`;
    const problems = problemsOf(text, { HASH: SECRET }, `${folder.path}/postern.yaml`);
    expect(problems.map((one) => one.line)).toEqual([1, 3, 4, 5]);
    expect(formatProblems(problems)).not.toContain('hunter2');
  });
});
