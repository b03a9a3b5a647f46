// The request must name its tenant where the configuration says tenants are named.
// After the credential: a stranger does not learn which names are tenants.
import { deny, PASS } from '#model/verdict.ts';
import type { Stage } from '../stage.ts';

export const tenantStage: Stage = {
  name: 'tenant',
  run: (x) => (x.tenant === null ? deny('tenant_unresolved') : PASS),
};
