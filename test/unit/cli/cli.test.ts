import { describe, expect, it } from 'vitest';
import { type CliDeps, runCli } from '#cli/cli.ts';
import type { ServeStart } from '#cli/serve.ts';
import { parseTarget } from '#gateway/request-target.ts';
import { SMALLEST, testFolder } from '../../support/config-files.ts';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly served: readonly ServeStart[];
}

async function run(
  argv: readonly string[],
  more: Partial<CliDeps> & { readonly isTTY?: boolean } = {},
): Promise<Ran> {
  const written = { out: '', err: '' };
  const served: ServeStart[] = [];
  const { isTTY = false, ...deps } = more;
  const stream = (name: 'out' | 'err') => ({
    isTTY,
    write(text: string) {
      written[name] += text;
    },
  });
  const code = await runCli(argv, {
    version: '1.2.3',
    env: {},
    stdout: stream('out'),
    stderr: stream('err'),
    parseTarget,
    async serve(start) {
      served.push(start);
      return 0;
    },
    ...deps,
  });
  return { code, ...written, served };
}

describe('the command line', () => {
  it('prints help and the version on standard output', async () => {
    const help = await run(['--help']);
    expect([help.code, help.err]).toEqual([0, '']);
    for (const command of ['serve', 'config', 'policy', 'healthcheck'])
      expect(help.out).toContain(`  ${command}`);
    expect(await run(['--version'])).toMatchObject({ code: 0, out: '1.2.3\n' });
    expect(await run(['config', 'check', '--help'])).toMatchObject({ code: 0, err: '' });
  });

  it.each([
    [['serv'], "error: unknown command 'serv' (Did you mean serve?)\n"],
    [['config', 'chek'], "error: unknown command 'chek' (Did you mean check?)\n"],
    [['policy', 'tset'], "error: unknown command 'tset' (Did you mean test?)\n"],
    [['serve', '--confg', 'x'], "error: unknown option '--confg' (Did you mean --config?)\n"],
    [['serve', '--config'], "error: option '--config <file>' argument missing\n"],
    [
      ['healthcheck', 'now'],
      "error: too many arguments for 'healthcheck'. Expected 0 arguments but got 1: now.\n",
    ],
    [['healthcheck', '--url', 'ftp://x'], 'error: --url must be an http:// address\n'],
  ])('answers %j with one line and exit code 2', async (argv, expected) => {
    expect(await run(argv)).toMatchObject({ code: 2, out: '', err: expected });
  });

  it('without a command shows help as an error', async () => {
    const { code, out, err } = await run([]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('Usage: postern');
  });

  it('colours errors on a terminal only, and not where NO_COLOR is set', async () => {
    expect((await run(['serv'], { isTTY: true })).err).toContain('\u001B[31merror:\u001B[39m');
    expect((await run(['serv'], { isTTY: true, env: { NO_COLOR: '1' } })).err).not.toContain('\u001B');
    expect((await run(['serv'])).err).not.toContain('\u001B');
  });
});

describe('postern serve', () => {
  it('starts nothing under a wrong configuration', async () => {
    using folder = testFolder();
    const file = folder.write('postern.yaml', `${SMALLEST}workers: 2\n`);
    const { code, err, served } = await run(['serve', '--config', file]);
    expect([code, served]).toEqual([2, []]);
    expect(err).toContain(`${file}:4:10: error: more than one worker is not supported by this version\n`);
    expect(err).toContain(`${file}: one problem\n`);
  });

  it('starts with the configuration and its warnings, and exits as it says', async () => {
    using folder = testFolder();
    const file = folder.write('postern.yaml', `${SMALLEST}policies: { dangerouslyAllowEmpty: true }\n`);
    const { code, served } = await run(['serve'], {
      env: { POSTERN_CONFIG: file },
      serve: (start) => Promise.resolve(start.warnings.length === 1 && start.config.file === file ? 7 : 8),
    });
    expect([code, served]).toEqual([7, []]);
  });
});

describe('postern config check', () => {
  it('says that a file is valid, and warns', async () => {
    using folder = testFolder();
    const file = folder.write('postern.yaml', `${SMALLEST}policies: { dangerouslyAllowEmpty: true }\n`);
    const { code, out, err } = await run(['config', 'check', '--config', file]);
    expect([code, out]).toEqual([0, `${file}: the configuration is valid\n`]);
    expect(err).toMatch(/^\S+:4:36: warning: the gate starts even if/);
  });

  it('prints every problem at once, or one JSON document', async () => {
    using folder = testFolder();
    const file = folder.write('postern.yaml', `${SMALLEST}workers: 2\nlog: { level: loud }\n`);
    const text = await run(['config', 'check', '--config', file]);
    expect([text.code, text.out]).toEqual([2, '']);
    expect(text.err.trimEnd().split('\n').at(-1)).toBe(`${file}: 2 problems`);
    const json = await run(['config', 'check', '--json', '--config', file]);
    expect([json.code, json.err]).toEqual([2, '']);
    const document = JSON.parse(json.out) as {
      ok: boolean;
      problems: { line: number; column: number; pointer: string }[];
    };
    expect(document.ok).toBe(false);
    expect(document.problems.map(({ line, column, pointer }) => [line, column, pointer])).toEqual([
      [4, 10, '/workers'],
      [5, 15, '/log/level'],
    ]);
  });

  it('says so when the file does not exist', async () => {
    const { code, err } = await run(['config', 'check', '--config', '/nowhere/postern.yaml']);
    expect([code, err]).toEqual([
      2,
      '/nowhere/postern.yaml:1:1: error: the file does not exist\n/nowhere/postern.yaml: one problem\n',
    ]);
  });
});
