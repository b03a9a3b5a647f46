// Open sessions follow what newer tokens say of their principal: a group that is gone is gone from them too, and never comes
// back. Guarantees: nothing is written where nothing is lost; a session only ever loses groups here. Cold.
import type { Actor } from '#model/grant.ts';
import type { Principal } from '#model/principal.ts';
import type { SupportSession } from '#model/session.ts';
import { replaceSession, SESSION_COLUMNS, sessionById, sessionsOf } from './session-rows.ts';
import type { Statements } from './statements.ts';
import type { StoreCore, Transaction } from './store-core.ts';

type Shown = Pick<Principal, 'issuer' | 'id' | 'groups'>;

export interface SessionNarrowing {
  narrow(shown: Shown): Promise<readonly SupportSession[]>;
}

const OPEN_OF_PRINCIPAL = `SELECT ${SESSION_COLUMNS} FROM sessions s
  WHERE s.principal_issuer = :issuer AND s.principal_id = :id AND s.ended_at IS NULL`;

export function sessionNarrowing(core: StoreCore): SessionNarrowing {
  return {
    async narrow(shown) {
      // Nearly always none, and a look costs no write lock.
      const wider = await core.read((statements) => widerThan(statements, shown).length > 0);
      if (!wider) return [];
      return core.write((tx) =>
        widerThan(tx.statements, shown).map((session) => narrowed(tx, session, shown)),
      );
    },
  };
}

function widerThan(statements: Statements, { issuer, id, groups }: Shown): readonly SupportSession[] {
  return sessionsOf(statements.sql(OPEN_OF_PRINCIPAL).all({ issuer, id })).filter(({ principal }) =>
    principal.groups.some((group) => !groups.includes(group)),
  );
}

function narrowed(tx: Transaction, session: SupportSession, { groups }: Shown): SupportSession {
  const { id, tenant, principal } = session;
  const kept = principal.groups.filter((group) => groups.includes(group));
  const document: SupportSession = { ...session, principal: { ...principal, groups: kept } };
  replaceSession(tx.statements, document);
  const { issuer, email, name } = principal;
  const by: Actor = { kind: 'staff', id: principal.id, issuer, email, name, onBehalfOf: null };
  tx.changed({ kind: 'session', id, tenant, operation: 'narrow', by, document });
  return sessionById(tx.statements, id) as SupportSession;
}
