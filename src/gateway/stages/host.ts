// Is this host served here, and where does the request name its tenant? Whether it names one is judged later:
// an unknown caller learns nothing about tenants.
import { deny, PASS } from '#model/verdict.ts';
import type { Stage } from '../stage.ts';
import type { Tenancy } from '../tenancy.ts';

export function hostStage(tenancy: Tenancy): Stage {
  return {
    name: 'host',
    run(x) {
      if (!tenancy.hostIsKnown(x.hostName, x.host)) return deny('host_unknown');
      if (x.target === null) return deny('bad_request_target');
      tenancy.resolve(x.hostName, x.target.path, x.head.tenantHeader, x);
      x.upstreamPath = x.target.hasQuery ? `${x.forwardPath}?${x.target.query}` : x.forwardPath;
      return PASS;
    },
  };
}
