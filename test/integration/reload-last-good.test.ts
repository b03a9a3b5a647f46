// A set that is wrong changes nothing, and everybody who should know is told: the log names file, line and column, the
// metric falls, the journal has an event. What is written in two steps, or taken away and put back, is not lost.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { type Gate, gateFiles, startGate } from '../support/gate.ts';
import { ask, HELLO } from '../support/gate-traffic.ts';
import {
  denying,
  digestInForce,
  failuresOf,
  idOf,
  metric,
  policiesOf,
  untilInForce,
} from '../support/policy-changes.ts';
import { startAnswering } from '../support/upstream-wire.ts';

const BAD = 'apiVersion: postern/v1\nkind: RoutePolicy\nmetadata: { name: x }\nspec:\n  rulez: []\n';

describe('the log of a running program', () => {
  it('names file, line and column of what is wrong, and then that a good set is loaded', async () => {
    const { folder } = await gateFiles({ upstreamPort: 1, config: { log: { level: 'info' } } });
    const bin = resolve('src/main.ts');
    const config = join(folder, 'postern.yaml');
    const child = spawn(process.execPath, ['--conditions=source', bin, 'serve', '--config', config], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      const lines = createInterface({ input: child.stderr })[Symbol.asyncIterator]();
      const next = async (text: string): Promise<string> => {
        for (;;) {
          const { value, done } = await lines.next();
          if (done === true) throw new Error(`ended before it said ${text}`);
          if (value.includes(text)) return value;
        }
      };
      await next('"started"');
      writeFileSync(join(folder, 'policies', 'policy.yaml'), BAD);
      const said = await next('the last good one stays in force');
      expect(said).toMatch(/policies\/policy\.yaml:5:3: unknown key \\"rulez\\"/);
      expect(JSON.parse(said)).toMatchObject({ digest: expect.stringMatching(/^sha256:/) });
      writeFileSync(join(folder, 'policies', 'policy.yaml'), denying('/b'));
      expect(JSON.parse(await next('policy loaded'))).toMatchObject({ changed: true, ruleCount: 1 });
    } finally {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    }
  }, 30_000);
});

describe('the last good set', () => {
  it('decides while another is wrong, under its own digest, and until one is right again', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: denying('/a') });
    await gate.grant({});
    const digest = await untilInForce(gate);
    const file = join(policiesOf(gate), 'policy.yaml');
    for (const bad of [BAD, '', '['.repeat(5000), 'a: &x 1\nb: *x\n', 'x'.repeat(2_000_000)]) {
      const before = failuresOf(gate).length;
      writeFileSync(file, bad);
      await expect.poll(() => failuresOf(gate).length, { timeout: 10_000 }).toBeGreaterThan(before);
      expect(await ask(gate, 'GET /a')).toMatchObject({ status: 403, reason: 'rule_denied' });
      expect(await ask(gate, 'GET /b')).toMatchObject({ status: 200 });
      expect(await metric(gate, 'postern_policy_last_reload_successful')).toBe('0');
      expect(await digestInForce(gate)).toBe(digest);
    }
    const named = gate.journal().flatMap((line) => (line['policy'] === undefined ? [] : [line['policy']]));
    expect(new Set(named)).toEqual(new Set([digest]));
    writeFileSync(file, denying('/b'));
    await untilInForce(gate);
    expect(await metric(gate, 'postern_policy_last_reload_successful')).toBe('1');
    expect(await ask(gate, 'GET /b')).toMatchObject({ status: 403, reason: 'rule_denied' });
  });

  it('stays while a file is written half, is told, and gives way once the file is whole', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: denying('/a') });
    await gate.grant({});
    const whole = denying('/b', '/c');
    const file = join(policiesOf(gate), 'policy.yaml');
    writeFileSync(file, whole.slice(0, whole.length >> 1));
    await expect.poll(() => failuresOf(gate), { timeout: 10_000 }).toHaveLength(1);
    expect(await ask(gate, 'GET /a')).toMatchObject({ status: 403 });
    writeFileSync(file, whole.slice(whole.length >> 1), { flag: 'a' });
    await untilInForce(gate);
    expect(await ask(gate, 'GET /a')).toMatchObject({ status: 200 });
    expect(JSON.parse((await ask(gate, 'GET /c')).body)).toMatchObject({ rule: { id: idOf('/c') } });
  });

  it('stays when the directory is taken away, and gives way when it is back; events come from the new one', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: denying('/a') });
    await gate.grant({});
    rmSync(policiesOf(gate), { recursive: true });
    await expect.poll(() => failuresOf(gate).length, { timeout: 10_000 }).toBeGreaterThan(0);
    expect(await ask(gate, 'GET /a')).toMatchObject({ status: 403 });
    mkdirSync(policiesOf(gate));
    const file = join(policiesOf(gate), 'policy.yaml');
    writeFileSync(file, denying('/b'));
    await untilInForce(gate);
    expect(await ask(gate, 'GET /a')).toMatchObject({ status: 200 });
  });

  it('is told of a file that is refused by its name', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: denying('/a') });
    writeFileSync(join(policiesOf(gate), 'more.yml'), denying('/b'));
    await expect.poll(() => failuresOf(gate), { timeout: 10_000 }).toHaveLength(1);
    rmSync(join(policiesOf(gate), 'more.yml'));
    await expect
      .poll(() => metric(gate, 'postern_policy_last_reload_successful'), { timeout: 10_000 })
      .toBe('1');
  });
});

/** Gives staff of the group `security` the duty of the same name. */
function addSecurityStaff(folder: string): void {
  const file = join(folder, 'postern.yaml');
  const config = JSON.parse(readFileSync(file, 'utf8')) as { identity: Record<string, unknown> };
  config.identity['roles'] = { security: { groups: ['security'] } };
  writeFileSync(file, JSON.stringify(config));
}

async function policyShown(gate: Gate): Promise<unknown> {
  const token = await gate.staffToken({ aud: 'postern-staff-control', groups: ['security'] });
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`http://127.0.0.1:${gate.controlPort}/v1/policy`, { headers })).json();
}

describe('the digest', () => {
  it('is the same in the control API, in the metrics and in the event, before and after a reload', async () => {
    await using upstream = await startAnswering(HELLO);
    const policy = denying('/a');
    await using gate = await startGate({ upstreamPort: upstream.port, policy, prepare: addSecurityStaff });
    const first = await untilInForce(gate);
    expect(await policyShown(gate)).toMatchObject({ digest: first, rules: [{ id: idOf('/a') }] });
    writeFileSync(join(policiesOf(gate), 'policy.yaml'), denying('/b'));
    const second = await untilInForce(gate);
    expect(second).not.toBe(first);
    expect(await policyShown(gate)).toMatchObject({ digest: second, rules: [{ id: idOf('/b') }] });
    const told = () => gate.journal().filter((line) => line['event'] === 'policy.reloaded');
    await expect
      .poll(told, { timeout: 10_000 })
      .toMatchObject([{ details: { digest: first } }, { details: { digest: second } }]);
  });
});
