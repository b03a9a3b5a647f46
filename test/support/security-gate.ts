// A whole gate with people of the vendor's security team: their tokens, and what they do by the control API.
import { type Gate, type GateOptions, startGate } from './gate.ts';

export interface SecurityGate extends Gate {
  /** For the control API; `groups` other than security's make it somebody without the duty. */
  controlToken(id: string, claims?: Record<string, unknown>): Promise<string>;
  /** A call of the control API as Quinn of the security team, or somebody else by their token. */
  security(
    method: string,
    path: string,
    body?: object,
    token?: string,
  ): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>;
  /** Sets one as Quinn; its id. */
  lock(target: object, message?: string): Promise<string>;
  lift(id: string): Promise<void>;
}

const ROLES = { roles: { security: { groups: ['security'] } } };

export async function startSecurityGate(options: GateOptions): Promise<SecurityGate> {
  const { config, ...rest } = options;
  const gate = await startGate({ ...rest, ...(config === undefined ? {} : { config }), identity: ROLES });
  const controlToken = (id: string, claims: Record<string, unknown> = {}) =>
    gate.workforce.sign({
      sub: id,
      email: `${id}@vendor.test`,
      groups: ['support', 'security'],
      aud: 'postern-staff-control',
      ...claims,
    });

  async function security(method: string, path: string, body?: object, token?: string) {
    const response = await fetch(`http://127.0.0.1:${gate.controlPort}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token ?? (await controlToken('quinn'))}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  return Object.assign(gate, {
    controlToken,
    security,
    async lock(target: object, message?: string) {
      const { status, body } = await security('POST', '/v1/locks', {
        target,
        ...(message === undefined ? {} : { message }),
      });
      if (status !== 201) throw new Error(`not locked: ${status} ${JSON.stringify(body)}`);
      return body['id'] as string;
    },
    async lift(id: string) {
      const { status } = await security('DELETE', `/v1/locks/${id}`);
      if (status !== 200) throw new Error(`not lifted: ${status}`);
    },
  });
}
