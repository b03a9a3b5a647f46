// The real control server with locks and break glass over a real store, and callers of every kind by name. What is not
// theirs (grants, records) is not there: a call of it would be a defect of the test.
import type { ControlAuthenticator, ControlIdentity, StaffRole } from '#authn/control-authenticator.ts';
import { type ControlServerDeps, createControlServer } from '#control/control-server.ts';
import { createEmergencyAuthority } from '#grants/emergencies/emergency-authority.ts';
import { createLockAuthority } from '#grants/locks/lock-authority.ts';
import { createLockBoard } from '#grants/locks/lock-board.ts';
import type { Lock } from '#model/lock.ts';
import type { Principal } from '#model/principal.ts';
import { deny } from '#model/verdict.ts';
import { acme, sam } from './grants-fixtures.ts';
import { IDP, lockPlace } from './lock-fixtures.ts';

const customer = { kind: 'customer', issuer: 'https://app.example', permissions: [], products: [] } as const;
const staff = (id: string, roles: readonly StaffRole[], over: Partial<Principal> = {}): ControlIdentity => ({
  kind: 'staff',
  principal: { ...sam, id, issuer: IDP, email: `${id}@vendor.example`, name: id, ...over },
  roles,
});

/** By the token that `call` sends. */
const CALLERS: Readonly<Record<string, ControlIdentity>> = {
  quinn: staff('quinn', ['security']),
  rita: staff('rita', ['security', 'lead']),
  /** Quinn, by way of another identity provider. */
  quinnToo: staff('q-2', ['security'], { issuer: 'https://other.example', email: 'Quinn@Vendor.example' }),
  nameless: staff('nia', ['security'], { email: null }),
  sam: staff('sam', []),
  lea: staff('lea', ['lead']),
  ada: { ...customer, id: 'u-1', email: 'ada@acme.example', name: 'Ada', tenant: acme, admin: true },
  uwe: { ...customer, id: 'u-2', email: null, name: null, tenant: acme, admin: false },
  key: { kind: 'service', name: 'provisioning', may: ['grants', 'tenants'] },
};

export const CALLER_NAMES = Object.keys(CALLERS);

const authenticator: ControlAuthenticator = {
  async authenticate(header) {
    if (header === undefined) return deny('no_credential');
    return CALLERS[header.replace(/^Bearer /, '')] ?? deny('credential_invalid');
  },
};

const silent = { debug() {}, info() {}, warn() {}, error() {} };

export async function startSecurityServer() {
  const place = lockPlace();
  const here = place.open();
  const { clock } = place;
  const cut: Lock[] = [];
  const events: object[] = [];
  const forgotten: string[] = [];
  const onEvent = (event: object) => void events.push(event);
  const board = createLockBoard({
    store: here.locks,
    clock,
    log: silent,
    onLocked: (lock) => cut.push(lock),
  });
  await board.firstRead;
  const enforcer = { locked: (lock: Lock) => void cut.push(lock) };
  let requests = 0;
  const deps = {
    authenticator,
    clock,
    log: silent,
    nextRequestId: () => `request-${++requests}`,
    tls: null,
    locks: {
      authority: createLockAuthority({ store: here.locks, board, enforcer, onEvent }),
      store: here.locks,
    },
    emergencies: {
      authority: createEmergencyAuthority({
        store: here.emergencies,
        cache: { invalidate: (tenant) => void forgotten.push(tenant) },
        onEvent,
      }),
      store: here.emergencies,
    },
  };
  const server = await createControlServer(deps as unknown as ControlServerDeps);
  await server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
  const { address } = server;
  if (address?.kind !== 'tcp') throw new TypeError('the server is not listening on a port');
  const url = `http://127.0.0.1:${address.port}`;
  return {
    ...here,
    url,
    place,
    board,
    cut,
    events,
    forgotten,
    async call(caller: string, method: string, path: string, body?: unknown) {
      const headers = new Headers(caller === '' ? {} : { authorization: `Bearer ${caller}` });
      if (body !== undefined) headers.set('content-type', 'application/json');
      const init = body === undefined ? {} : { body: JSON.stringify(body) };
      const response = await fetch(url + path, { method, headers, ...init });
      return {
        status: response.status,
        headers: response.headers,
        body: (await response.json()) as AnswerBody,
      };
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      board[Symbol.dispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

interface AnswerBody {
  readonly id: string;
  readonly type: string;
  readonly detail: string;
  readonly status: string | number;
  readonly items: readonly AnswerBody[];
  readonly nextCursor: string | null;
  readonly errors: readonly { readonly pointer: string; readonly message: string }[];
  readonly grantId: string | null;
  readonly target: Readonly<Record<string, unknown>>;
  readonly paths: Readonly<Record<string, unknown>>;
}
