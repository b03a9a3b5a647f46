// A file that holds one grant or one principal: a second one is told, not passed over.
import { describe, expect, it } from 'vitest';
import { parseGrantFile } from '#policy/policy-file.ts';
import { parsePrincipalFile } from '#policy/policy-test-principal.ts';

describe('a file of one document', () => {
  it('is read', () => {
    expect(parseGrantFile('g.yaml', Buffer.from('access: read\n'))).toMatchObject({
      grant: { access: 'read' },
      problems: [],
    });
  });

  it.each([
    ['grant', () => parseGrantFile('g.yaml', Buffer.from('access: read\n---\naccess: write\n'))],
    ['principal', () => parsePrincipalFile('p.yaml', Buffer.from('id: a\n---\nid: b\n'))],
  ])('is refused when there is a second %s in it', (_name, parse) => {
    const { problems } = parse();
    expect(problems.map(({ line, message }) => `${line} ${message}`)).toContain(
      '3 the file holds more than one document',
    );
  });
});
