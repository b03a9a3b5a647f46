import { serveCandidate } from './serve.ts';
import { startGate } from '../../test/support/gate.ts';
import { AppendJournal } from '../../src/audit/append-journal.ts';
const mode = process.env.PATCH;
if (mode === 'nojournal') {
  let q: any[] = [];
  const flush = () => { const w = q; q = []; for (const x of w) x.recorded(); };
  (AppendJournal.prototype as any).intend = function (x: any) { if (q.length === 0) setImmediate(flush); q.push(x); };
  (AppendJournal.prototype as any).complete = function () {};
}
if (mode === 'noforward') { /* answered by the gate itself after the record */ const { Flow } = await import('../../src/gateway/flow.ts'); const body = 'x'.repeat(1000); (Flow.prototype as any).recorded = function (x: any) { if (x.phase === 'recording') { x.phase = 'forwarding'; x.res.writeHead(200, ['content-type','application/json','content-length','1000']); x.res.end(body, 'latin1'); this.ended(x, 'upstream'); } }; }
if (mode === 'nocomplete') (AppendJournal.prototype as any).complete = function () {};
await serveCandidate(async (upstreamPort) => {
  const gate = await startGate({ upstreamPort, rules: 200 });
  await gate.grant({});
  const token = await gate.staffToken({}, 3600);
  return { port: gate.dataPort, headers: { host: gate.host, authorization: `Bearer ${token}` } };
});
if (process.env.HEAP) {
  const { Session } = await import('node:inspector/promises');
  const s = new Session(); s.connect();
  setTimeout(async () => {
    await s.post('HeapProfiler.startSampling', { samplingInterval: 16384, includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: process.env.HEAP === 'minor' } as never);
    setTimeout(async () => {
      const { profile } = await s.post('HeapProfiler.stopSampling') as any;
      const out = new Map<string, number>(); let total = 0;
      const walk = (n: any, path: string[]) => { const f = `${n.callFrame.functionName}@${n.callFrame.url.split('/').slice(-1)}:${n.callFrame.lineNumber}`; const p = [f, ...path]; total += n.selfSize; if (n.selfSize) { const k = p.slice(0, 3).join(' < '); out.set(k, (out.get(k) ?? 0) + n.selfSize); } for (const c of n.children) walk(c, p); };
      walk(profile.head, []);
      console.log('TOTAL', (total / 1e6).toFixed(1));
      for (const [k, v] of [...out].sort((a, b) => b[1] - a[1]).slice(0, 45)) console.log((v / total * 100).toFixed(1), k);
    }, 4000);
  }, 6000);
}
