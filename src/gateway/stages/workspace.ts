// Where the policy's ScopeMaps say that a request names its workspace or tenant: another tenant's is refused, and so
// is a workspace that the grant does not cover.
import { judgeWorkspace } from '../policy-judgement.ts';
import type { Stage } from '../stage.ts';

export const workspaceStage: Stage = { name: 'workspace', run: judgeWorkspace };
