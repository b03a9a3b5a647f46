import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configOf, SMALLEST } from '../../support/config-files.ts';

interface Instruction {
  readonly stage: number;
  readonly name: string;
  readonly rest: string;
}

/** Comments dropped, continued lines joined; `stage` counts FROMs. */
function readDockerfile(): readonly Instruction[] {
  const text = readFileSync('Dockerfile', 'utf8')
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n\s*/g, '');
  let stage = 0;
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
      if (name === 'FROM') stage += 1;
      return { stage, name, rest };
    });
}

const instructions = readDockerfile();
const last = Math.max(...instructions.map((one) => one.stage));
const final = instructions.filter((one) => one.stage === last);
const inFinal = (name: string): readonly string[] =>
  final.filter((one) => one.name === name).map((one) => one.rest);
const environment = Object.fromEntries(
  inFinal('ENV').flatMap((rest) =>
    [...rest.matchAll(/(\w+)=(\S+)/g)].map(([, key, value]) => [key as string, value as string]),
  ),
);

describe('the image', () => {
  it('is built in stages from one Debian-based Node', () => {
    const bases = instructions.filter((one) => one.name === 'FROM').map((one) => one.rest.split(' ')[0]);
    expect(bases).toEqual(Array(last).fill('${NODE_IMAGE}'));
    expect(instructions[0]).toMatchObject({
      name: 'ARG',
      rest: expect.stringMatching(/^NODE_IMAGE=node:26-\w+-slim$/),
    });
  });

  it('runs as a user that is a number and not root', () => {
    expect(inFinal('USER')).toEqual([expect.stringMatching(/^[1-9]\d{3,}:[1-9]\d{3,}$/)]);
  });

  it('has production dependencies only, and no sources', () => {
    const copied = inFinal('COPY').join('\n');
    expect(copied).toContain('--from=dependencies /app/node_modules');
    expect(copied).not.toMatch(/\bsrc\b|\btest\b|\bdemo\b|^\. /m);
    const installs = instructions.filter((one) => one.name === 'RUN' && one.rest.includes('npm ci'));
    expect(installs.at(-1)?.rest).toContain('--omit=dev');
  });

  it('holds no secret: none is an argument, a variable or a file', () => {
    const all = instructions.map((one) => `${one.name} ${one.rest}`).join('\n');
    expect(all).not.toMatch(/token|password|secret|\.pem|\.env\b/i);
    expect(readFileSync('.dockerignore', 'utf8').split('\n')).toContain('*');
  });

  it('copies only what exists and what .dockerignore lets in', () => {
    const allowed = readFileSync('.dockerignore', 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const sources = instructions
      .filter((one) => one.name === 'COPY' && !one.rest.startsWith('--from'))
      .flatMap((one) => one.rest.split(' ').slice(0, -1));
    expect(sources.filter((source) => !allowed.includes(source))).toEqual([]);
    expect(allowed.filter((one) => !sources.includes(one))).toEqual([]);
    // LICENSE comes with the README.
    expect(sources.filter((source) => source !== 'LICENSE' && !existsSync(source))).toEqual([]);
  });

  it('runs the smallest configuration with everything it writes on a volume', () => {
    const volumes = JSON.parse(inFinal('VOLUME').join()) as string[];
    expect(volumes).toEqual(['/postern/data', '/postern/data/audit']);
    const config = configOf(SMALLEST, environment, environment['POSTERN_CONFIG']);
    const written = [
      config.grants.store.sqlite.path,
      config.audit.directory,
      config.upstream.assertion.key.file ?? '',
      config.killSwitch.file,
    ];
    expect(written.filter((path) => !path.startsWith('/postern/data/'))).toEqual([]);
    expect(config.audit.directory).toBe(volumes[1]);
    expect(inFinal('COPY').join('\n')).toContain(`policies ${config.policies.directory}`);
    expect(config.listen.ops.address).toEqual({ kind: 'tcp', host: '0.0.0.0', port: 9090 });
  });

  it('has the shipped profiles where the build looks for them', () => {
    expect(inFinal('WORKDIR')[0]).toBe('/app');
    expect(inFinal('COPY')).toContain('config/profiles ./config/profiles');
  });

  it('checks its health with the program itself', () => {
    expect(inFinal('HEALTHCHECK').join()).toMatch(/CMD \["node", "\/app\/dist\/main.js", "healthcheck"\]$/);
    expect(inFinal('ENTRYPOINT')).toEqual(['["node", "/app/dist/main.js"]']);
    expect(inFinal('CMD')).toEqual(['["serve"]']);
  });
});
