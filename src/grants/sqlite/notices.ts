// The outbox: a notice is written by the transaction that made it true, so that none is lost by a crash and none is
// sent of what did not happen. Planning and delivery read it later (notice-outbox.ts). Cold.
import type { NoticeDraft } from '#model/notice.ts';
import type { Transaction } from './store-core.ts';

const ADD = `INSERT INTO notices (id, dedupe, tenant, at, document) VALUES (:id, :dedupe, :tenant, :at, :document)
  ON CONFLICT (dedupe) DO NOTHING`;

export function addNotice(tx: Transaction, draft: NoticeDraft): void {
  const { dedupe, ...rest } = draft;
  const id = tx.nextId('ntc');
  const document = JSON.stringify({ id, at: tx.now, ...rest });
  tx.statements.sql(ADD).run({ id, dedupe, tenant: draft.tenant, at: tx.now, document });
}
