// A ConfigMap that kubelet swaps under a running gate: the new set comes into force as a whole, files that come and go
// with it included, also where packs lie below the mount; a bad one leaves the last good one.
import { renameSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type ConfigMap, mountConfigMap } from '../support/config-map.ts';
import { type Gate, startGate } from '../support/gate.ts';
import { ask, HELLO } from '../support/gate-traffic.ts';
import { denying, failuresOf, idOf, metric, policiesOf, untilInForce } from '../support/policy-changes.ts';
import { startAnswering } from '../support/upstream-wire.ts';

interface Mounted {
  readonly gate: Gate;
  readonly map: ConfigMap;
}

async function mounted(
  upstreamPort: number,
  files: Readonly<Record<string, string>>,
  packs: readonly string[] = [],
): Promise<Mounted> {
  let map: ConfigMap | null = null;
  const gate = await startGate({
    upstreamPort,
    config: { policies: { directory: 'policies', packs } },
    prepare: (folder) => (map = mountConfigMap(`${folder}/policies`, files)),
  });
  await gate.grant({});
  return { gate, map: map as unknown as ConfigMap };
}

/** The rule that denies the path, or the status. */
async function answerTo(gate: Gate, path: string): Promise<unknown> {
  const { status, body } = await ask(gate, `GET ${path}`);
  return status === 403 ? (JSON.parse(body) as { rule: { id: string } }).rule.id : status;
}

describe('a ConfigMap that is swapped', () => {
  it('comes into force with files that are new, and without those that are gone', async () => {
    await using upstream = await startAnswering(HELLO);
    const { gate, map } = await mounted(upstream.port, {
      'a.yaml': denying('/a'),
      'old.yaml': denying('/old'),
    });
    await using _ = gate;
    expect(await answerTo(gate, '/old')).toBe(idOf('/old'));
    map.update({ 'a.yaml': denying('/b'), 'new.yaml': denying('/new') });
    await untilInForce(gate);
    expect(await answerTo(gate, '/a')).toBe(200);
    expect(await answerTo(gate, '/b')).toBe(idOf('/b'));
    expect(await answerTo(gate, '/new')).toBe(idOf('/new'));
    expect(await answerTo(gate, '/old')).toBe(200);
    expect(await metric(gate, 'postern_policy_last_reload_successful')).toBe('1');
    expect(failuresOf(gate)).toEqual([]);
  });

  it('comes into force where only a pack below the mount changed', async () => {
    await using upstream = await startAnswering(HELLO);
    const own = { 'a.yaml': denying('/a') };
    const before = { ...own, 'packs/p.yaml': denying('/p') };
    const { gate, map } = await mounted(upstream.port, before, ['p']);
    await using _ = gate;
    expect(await answerTo(gate, '/p')).toBe(idOf('/p'));
    map.update({ ...own, 'packs/p.yaml': denying('/q') });
    await untilInForce(gate, ['p']);
    expect(await answerTo(gate, '/p')).toBe(200);
    expect(await answerTo(gate, '/q')).toBe(idOf('/q'));
  });

  it('is not taken over when it is wrong, and a good one after it is', async () => {
    await using upstream = await startAnswering(HELLO);
    const { gate, map } = await mounted(upstream.port, { 'a.yaml': denying('/a') });
    await using _ = gate;
    const digest = await untilInForce(gate);
    map.update({
      'a.yaml': denying('/b'),
      'b.yaml': 'apiVersion: postern/v1\nkind: RoutePolicy\nspecs: {}\n',
    });
    await expect
      .poll(() => metric(gate, 'postern_policy_last_reload_successful'), { timeout: 10_000 })
      .toBe('0');
    expect(await answerTo(gate, '/a')).toBe(idOf('/a'));
    expect(await answerTo(gate, '/b')).toBe(200);
    await expect
      .poll(() => failuresOf(gate), { timeout: 10_000 })
      .toMatchObject([{ details: { digest, ruleCount: 1 } }]);
    map.update({ 'a.yaml': denying('/c') });
    await untilInForce(gate);
    expect(await metric(gate, 'postern_policy_last_reload_successful')).toBe('1');
    expect(await answerTo(gate, '/c')).toBe(idOf('/c'));
  });

  it('is served from the last good set while the mount is away', async () => {
    await using upstream = await startAnswering(HELLO);
    const { gate } = await mounted(upstream.port, { 'a.yaml': denying('/a') });
    await using _ = gate;
    renameSync(policiesOf(gate), `${policiesOf(gate)}.away`);
    await expect
      .poll(() => metric(gate, 'postern_policy_last_reload_successful'), { timeout: 10_000 })
      .toBe('0');
    expect(await answerTo(gate, '/a')).toBe(idOf('/a'));
    mountConfigMap(policiesOf(gate), { 'a.yaml': denying('/b') });
    await untilInForce(gate);
    expect(await answerTo(gate, '/b')).toBe(idOf('/b'));
  });
});
