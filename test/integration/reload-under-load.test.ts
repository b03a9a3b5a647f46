// The digest in a record is that of the set the request was decided under, also when the set is swapped between two
// requests: 2,000 requests on kept connections, 20 swaps, and each decision is checked against the set its record names.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Gate, startGate } from '../support/gate.ts';
import { answerOn, dial, headFor, HELLO } from '../support/gate-traffic.ts';
import { denying, idOf, policiesOf, untilInForce } from '../support/policy-changes.ts';
import { startAnswering } from '../support/upstream-wire.ts';

const SWAPS = 20;
const REQUESTS = 2000;
const CLIENTS = 4;
const PATHS = ['/a', '/b', '/c'] as const;

/** Set `n` denies one of the paths, and one that tells it from every other set. */
function setOf(n: number): { readonly denied: string; readonly text: string } {
  const denied = PATHS[n % PATHS.length] as string;
  return { denied, text: denying(denied, `/set/${n}`) };
}

function replace(gate: Gate, text: string): void {
  const file = join(policiesOf(gate), 'policy.yaml');
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

/** Asks for one path after the other until told to stop, but at least `least` times. */
async function client(gate: Gate, least: number, isOver: () => boolean): Promise<number> {
  using wire = await dial(gate);
  const heads = await Promise.all(PATHS.map((path) => headFor(gate, `GET ${path}`)));
  let sent = 0;
  for (; sent < least || !isOver(); sent++) {
    wire.clear();
    wire.send(heads[sent % heads.length] as string);
    const { status, reason } = await answerOn(wire);
    if (status !== 200) expect(`${status} ${reason}`).toBe('403 rule_denied');
  }
  return sent;
}

interface Line {
  readonly k: string;
  readonly id: string;
  readonly path: string;
  readonly policy: string;
  readonly code: string;
  readonly endedBy?: string;
  readonly rule?: { readonly id: string };
}

describe('records of requests while policies are swapped', () => {
  it('each name the set that decided', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port, policy: setOf(0).text });
    await gate.grant({});
    const deniedBy = new Map([[await untilInForce(gate), setOf(0).denied]]);
    let isOver = false;
    const clients = Array.from({ length: CLIENTS }, () => client(gate, REQUESTS / CLIENTS, () => isOver));
    for (let n = 1; n <= SWAPS; n++) {
      replace(gate, setOf(n).text);
      deniedBy.set(await untilInForce(gate), setOf(n).denied);
    }
    isOver = true;
    const sent = (await Promise.all(clients)).reduce((sum, one) => sum + one, 0);
    const lines = gate.journal() as unknown as Line[];
    const decided = lines.filter(({ k }) => k === 'intent' || k === 'refused');
    expect(decided).toHaveLength(sent);
    const wrong = decided.filter(({ k, path, policy, rule }) => {
      const denied = deniedBy.get(policy);
      if (denied === undefined) return true;
      return k === 'intent' ? path === denied : path !== denied || rule?.id !== idOf(path);
    });
    expect(wrong).toEqual([]);
    // What a swap overtook on its way is the only thing that ends otherwise than it was decided.
    const ends = lines.filter(
      ({ k, code, endedBy }) => k === 'done' && code !== 'ok' && endedBy !== 'policy',
    );
    expect(ends).toEqual([]);
    expect(deniedBy.size).toBe(SWAPS + 1);
    expect(new Set(decided.map(({ policy }) => policy)).size).toBe(SWAPS + 1);
  }, 60_000);
});
