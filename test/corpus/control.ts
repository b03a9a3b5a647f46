// The positive control: the whole corpus against the naive gate, with the oracle that judges Postern. Were it to see
// nothing here, it would say nothing there.
import { recordingUpstream } from '../support/recording-upstream.ts';
import type { GeneratedRequest } from './generated-request.ts';
import { startNaiveGate } from './naive-gate.ts';
import { type DeniedRoute, leaksOf } from './oracle.ts';
import { answerWithSerial, caseOf, SERIAL_HEADER } from './serial-answers.ts';
import { shootAll, type ShotTarget } from './shooter.ts';

export interface Control {
  /** Cases of which something arrived that a reading maps to a denied route. */
  readonly leaks: number;
  /** Cases of which more requests arrived than a correct reader sees. */
  readonly smuggled: number;
  readonly upstreamRequests: number;
  /** Leaks by class. */
  readonly byClass: Readonly<Record<string, number>>;
}

/** `target` lends its host and its token; its port is not used. */
export async function runControl(
  requests: readonly GeneratedRequest[],
  target: ShotTarget,
  denied: readonly DeniedRoute[],
): Promise<Control> {
  await using upstream = await recordingUpstream(answerWithSerial());
  await using naive = await startNaiveGate(upstream.port);
  const bySerial = new Map<number, string>();
  await shootAll(
    requests,
    { ...target, port: naive.port },
    ({ request, answers }) => {
      for (const { headers } of answers) {
        const serial = headers[SERIAL_HEADER];
        if (serial !== undefined) bySerial.set(Number(serial), request.id);
      }
    },
    // It may well never answer.
    { parallel: 16, quietMs: 30, silentMs: 100, patienceMs: 400 },
  );
  const leaking = new Set<string>();
  const arrived = new Map<string, number>();
  for (const [serial, request] of upstream.requests.entries()) {
    const id = caseOf(request) ?? bySerial.get(serial) ?? '';
    arrived.set(id, (arrived.get(id) ?? 0) + 1);
    if (leaksOf(request, denied).length > 0) leaking.add(id);
  }
  const byClass: Record<string, number> = {};
  let leaks = 0;
  let smuggled = 0;
  for (const request of requests) {
    if ((arrived.get(request.id) ?? 0) > request.mostRequests) smuggled += 1;
    if (!leaking.has(request.id)) continue;
    leaks += 1;
    byClass[request.class] = (byClass[request.class] ?? 0) + 1;
  }
  return { leaks, smuggled, upstreamRequests: upstream.requests.length, byClass };
}
