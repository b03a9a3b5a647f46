import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readSecretFile, type Secret, secretOf } from '#config/secret.ts';
import { configAt, configOf, SMALLEST, smallestWith, testFolder } from '../../support/config-files.ts';

const VALUE = 'correct horse battery staple';

describe('a secret', () => {
  const secret = secretOf(VALUE, '/run/secrets/token');

  it('is revealed only when asked for', () => {
    expect(secret.reveal()).toBe(VALUE);
    expect(secret.file).toBe('/run/secrets/token');
  });

  it.each([
    ['JSON', (one: Secret) => JSON.stringify({ one, list: [one] })],
    ['inspection', (one: Secret) => inspect({ one, list: [one] }, { depth: 9, showHidden: false })],
    ['a template', (one: Secret) => `${String(one)} ${one as unknown as string}`],
    ['its keys and values', (one: Secret) => Object.entries(one).join() + Object.keys(one).join()],
    ['a spread', (one: Secret) => inspect({ ...one })],
    ['a clone', (one: Secret) => inspect(structuredClone({ ...one }))],
  ])('does not show itself in %s', (_way, print) => {
    expect(print(secret)).not.toContain('horse');
  });

  it('says that it is there', () => {
    expect(JSON.stringify({ secret })).toBe('{"secret":"[secret]"}');
    expect(inspect({ secret })).toBe('{ secret: [secret] }');
  });

  it('cannot be changed', () => {
    expect(Object.isFrozen(secret)).toBe(true);
  });
});

describe('a whole configuration', () => {
  it('prints none of its secrets', () => {
    const config = configOf(
      smallestWith('secrets: { one: { fromEnv: ONE }, many: { acme: { fromEnv: MANY } } }\n'),
      { ONE: VALUE, MANY: VALUE },
    );
    const one = config.secrets.get('one');
    const many = config.secrets.get('many');
    expect(one?.kind === 'one' && one.value.reveal()).toBe(VALUE);
    expect(many?.kind === 'map' && many.values.get('acme')?.reveal()).toBe(VALUE);
    expect(inspect(config, { depth: 20 }) + JSON.stringify(config)).not.toContain('horse');
    expect(inspect(config.secrets, { depth: 20 })).toContain('[secret]');
  });
});

describe('a secret from a file', () => {
  it('is its text without the one line ending at the end', () => {
    using folder = testFolder();
    const value = (content: string): unknown => {
      const secret = readSecretFile(folder.write('s', content));
      return typeof secret === 'string' ? secret : secret.reveal();
    };
    expect([value('a'), value('a\n'), value('a\r\n'), value('a\n\n'), value(' a ')]).toEqual([
      'a',
      'a',
      'a',
      'a\n',
      ' a ',
    ]);
    expect([value(''), value('\n'), value('x'.repeat(1024 * 1024 + 1))]).toEqual([
      'is empty',
      'is empty',
      'is larger than 1 MiB',
    ]);
  });

  it('is refused when it is not a regular file or not text', () => {
    using folder = testFolder();
    mkdirSync(join(folder.path, 'folder'));
    expect(readSecretFile(join(folder.path, 'folder'))).toBe('is not a regular file');
    expect(readSecretFile(join(folder.path, 'none'))).toBe('does not exist');
    expect(readSecretFile('/dev/zero')).toBe('is not a regular file');
  });

  it('is found relative to the configuration file', () => {
    using folder = testFolder();
    folder.write('secrets/token', `${VALUE}\n`);
    const file = folder.write('postern.yaml', `${SMALLEST}secrets: { token: { fromFile: secrets/token } }\n`);
    const token = configAt(file).secrets.get('token');
    expect(token?.kind === 'one' && token.value.reveal()).toBe(VALUE);
    expect(token?.kind === 'one' && token.value.file).toBe(join(folder.path, 'secrets/token'));
  });
});
