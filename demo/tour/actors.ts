// Who acts in the tour: staff with their tokens at the gate, and the customer's admin at the control API and at the
// help desk's settings page.
import { call, type HttpAnswer, jsonOf } from '../http.ts';
import type { StaffName } from '../identity-provider/staff.ts';
import type { Stage } from '../stage.ts';

export interface Call {
  readonly method?: string;
  readonly tenant?: 'acme' | 'globex';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | object;
}

export interface Answer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly requestId: string;
}

export interface Staff {
  /** Through the gate. */
  ask(path: string, options?: Call): Promise<Answer>;
  /** At the control API, with a token for it. */
  askControl(path: string, options?: Call): Promise<Answer>;
  /** Headers for live connections through the gate. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Admin {
  askControl(path: string, options?: Call): Promise<Answer>;
  /** At the help desk's own settings page, past the gate, as the browser does. */
  askSettings(path: string, options?: Call): Promise<Answer>;
}

export async function createStaff(stage: Stage, name: StaffName): Promise<Staff> {
  const token = await stage.staffToken(name, 'urn:postern:data');
  const controlToken = await stage.staffToken(name, 'urn:postern:control');
  return {
    headers: { host: hostOf(stage.ports.data, 'acme'), authorization: `Bearer ${token}` },
    ask: (path, options) => ask(stage.ports.data, path, withBearer(token, options)),
    askControl: (path, options) => ask(stage.ports.control, path, withBearer(controlToken, options)),
  };
}

export function createAdmin(stage: Stage, userId: string): Admin {
  const { control, helpdesk } = stage.ports;
  return {
    askControl: async (path, options) =>
      ask(control, path, withBearer(await stage.helpdesk.adminToken(userId), options)),
    askSettings: (path, options) =>
      ask(helpdesk, `/settings/security/support-access${path}`, {
        ...options,
        headers: {
          cookie: stage.helpdesk.sessionCookie(userId),
          origin: `http://${hostOf(helpdesk, 'acme')}`,
        },
      }),
  };
}

/** Anybody, with whatever headers: one request to the gate. */
export async function ask(port: number, path: string, options: Call = {}): Promise<Answer> {
  const { tenant = 'acme', headers, ...rest } = options;
  const answer = await call({ port, path, ...rest, headers: { host: hostOf(port, tenant), ...headers } });
  return { status: answer.status, json: jsonOf(answer), text: answer.text, requestId: requestIdOf(answer) };
}

function requestIdOf(answer: HttpAnswer): string {
  return String(answer.headers['x-request-id'] ?? '');
}

function withBearer(token: string, options: Call = {}): Call {
  return { ...options, headers: { authorization: `Bearer ${token}`, ...options.headers } };
}

function hostOf(port: number, tenant: string): string {
  return `${tenant}.helpdesk.localhost:${port}`;
}
