// The customer's own kill switch: while it is thrown neither grant nor standing access lets anybody in.
// Assumes what stages/view.ts read in this very turn. Hot: one property.
import { deny, PASS } from '#model/verdict.ts';
import type { Stage } from '../stage.ts';

export const settingsStage: Stage = {
  name: 'settings',
  run(x) {
    if (x.view === null) return deny('store_unavailable', 'nobody has read what holds for the tenant');
    return x.view.settings.suspended ? deny('tenant_support_disabled') : PASS;
  },
};
