// An example to copy: the server side of Settings › Security › Support access. The browser talks to these routes
// with the session it has; they talk to Postern's control API with a token that says which admin of which tenant
// is asking. Tenant and person come from the session, never from the browser, and staff who came in through
// Postern are refused: nobody opens the gate from inside.
import { readJson } from '../body.ts';
import { call, type HttpAnswer, jsonOf } from '../../http.ts';
import type { AdminTokens } from '../admin-tokens.ts';
import { HttpError } from '../http-error.ts';
import type { CustomerActor } from '../identity.ts';
import { type ActorContext, type Route, sendJson } from '../router.ts';

const BASE = '/settings/security/support-access/api';
const GRANT_ID = /^[A-Za-z0-9_]{1,64}$/;
const MAX_PAGES = 20;

export interface SupportAccessDeps {
  readonly tokens: AdminTokens;
  /** Postern's control listener, on loopback. */
  readonly controlPort: number;
  /** The vendor's organisation, as Postern pins it to the workforce's identity provider. */
  readonly vendorOrg: string;
}

export function supportAccessRoutes(deps: SupportAccessDeps): readonly Route[] {
  const control = createControlClient(deps);
  return [
    {
      method: 'GET',
      path: `${BASE}/grants`,
      handle: async ({ actor }) => ({ grants: await control.grants(adminOf(actor)) }),
    },
    {
      method: 'POST',
      path: `${BASE}/grants`,
      async handle(context) {
        const admin = adminOf(context.actor);
        const body = await readChange(context);
        const audience = { ...(body['audience'] as object | undefined), org: deps.vendorOrg };
        relay(context, await control.create(admin, { ...body, audience }));
      },
    },
    {
      method: 'GET',
      path: `${BASE}/grants/{id}/impact`,
      async handle(context) {
        relay(context, await control.send(adminOf(context.actor), 'GET', `${grantPath(context)}/impact`));
      },
    },
    {
      method: 'POST',
      path: `${BASE}/grants/{id}/revoke`,
      async handle(context) {
        const admin = adminOf(context.actor);
        await readChange(context);
        relay(context, await control.send(admin, 'POST', `${grantPath(context)}/revoke`));
      },
    },
    {
      method: 'POST',
      path: `${BASE}/close`,
      async handle(context) {
        const admin = adminOf(context.actor);
        await readChange(context);
        return { revoked: await control.revokeAll(admin) };
      },
    },
  ];
}

function createControlClient({ tokens, controlPort }: SupportAccessDeps) {
  async function send(
    admin: CustomerActor,
    method: string,
    path: string,
    body?: object,
  ): Promise<HttpAnswer> {
    const token = await tokens.sign(admin);
    try {
      return await call({
        port: controlPort,
        method,
        path,
        headers: { authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body }),
      });
    } catch {
      throw new HttpError(502, 'Support access cannot be read or changed right now.');
    }
  }

  /** Every grant of the admin's tenant, newest first. */
  async function grants(admin: CustomerActor): Promise<Record<string, unknown>[]> {
    const found: Record<string, unknown>[] = [];
    let cursor = '';
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const answer = await send(admin, 'GET', `/v1/tenants/${admin.tenant}/grants?limit=100${cursor}`);
      if (answer.status !== 200)
        throw new HttpError(answer.status, String(jsonOf(answer)['title'] ?? 'Refused.'));
      const { items, nextCursor } = jsonOf(answer);
      found.push(...(items as Record<string, unknown>[]));
      if (typeof nextCursor !== 'string') return found;
      cursor = `&cursor=${encodeURIComponent(nextCursor)}`;
    }
    return found;
  }

  return {
    send,
    grants,
    create: (admin: CustomerActor, body: object) =>
      send(admin, 'POST', `/v1/tenants/${admin.tenant}/grants`, body),
    /** The switch, turned off. Each revoke returns when nothing more of that grant is forwarded. */
    async revokeAll(admin: CustomerActor): Promise<number> {
      let revoked = 0;
      for (const grant of await grants(admin)) {
        if (grant['status'] !== 'active' && grant['status'] !== 'scheduled') continue;
        const answer = await send(admin, 'POST', `/v1/grants/${String(grant['id'])}/revoke`);
        if (answer.status !== 200) throw new HttpError(502, 'Not all access could be ended. Try again.');
        revoked += 1;
      }
      return revoked;
    },
  };
}

function adminOf(actor: ActorContext['actor']): CustomerActor {
  if (actor.kind !== 'customer' || actor.role !== 'admin') {
    throw new HttpError(403, 'Only an admin of this account may see or change support access.');
  }
  return actor;
}

/** JSON from a page of our own: a form on another site can send neither this media type nor this Origin. */
async function readChange({ request }: ActorContext): Promise<Record<string, unknown>> {
  const { origin, host } = request.headers;
  if (request.headers['content-type'] !== 'application/json' || origin !== `http://${host}`) {
    throw new HttpError(403, 'This request did not come from the settings page.');
  }
  return readJson(request);
}

function grantPath({ params }: ActorContext): string {
  const id = params['id'] ?? '';
  if (!GRANT_ID.test(id)) throw new HttpError(404, 'No such grant.');
  return `/v1/grants/${id}`;
}

function relay({ response }: ActorContext, answer: HttpAnswer): void {
  sendJson(response, answer.status, jsonOf(answer));
}
