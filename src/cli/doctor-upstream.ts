// Whether there is a way around the gate: the upstream is asked as somebody would ask who does not come through Postern,
// without an assertion and with forged ones, and so is every address by which outsiders might reach it. Guarantees: GET
// only, no redirect followed, no header that the configuration injects, no credential. Cold.
import type { Config } from '#config/config.ts';
import { about, type Finding, type FindingState, type Sort } from './doctor-finding.ts';
import { forgeriesOf, type ForgeryOptions } from './doctor-forgery.ts';
import { probe, type Probe, type ProbeResult } from './doctor-probe.ts';
import type { DoctorRooms } from './doctor-rooms.ts';
import { tenantAskedFor } from './doctor-tenant.ts';

export interface Around {
  readonly path: string;
  readonly host: string | null;
  readonly publicUrl: readonly string[];
  /** Whoever runs this says that nothing but the gate can reach the upstream. */
  readonly trustNetwork: boolean;
  readonly timeoutMs: number;
  readonly rooms: Pick<DoctorRooms, 'assertionKey'>;
}

interface Target {
  readonly check: 'upstream' | 'public address';
  readonly request: Omit<Probe, 'headers'>;
  readonly trustNetwork: boolean;
}

const SHUT =
  'Let nothing but the gate reach the upstream (a network policy, a listener on loopback or a private network), or check ' +
  'the assertion in it (postern/upstream for Express and Fastify, docs/upstream.md for others).';
const BELIEVES =
  'Check signature, issuer, audience and expiry of the assertion in the upstream (postern/upstream does), with the keys at ' +
  '/-/postern/jwks.json.';
const OTHER_PATH =
  'Name a page that support would see: --path, and --host where customers are told apart by host.';

/** Any id is as good; the gate makes a key of this kind. */
const NO_KEY_YET = { kid: 'none', alg: 'ES256' } as const;

export async function aroundFindings(config: Config, around: Around): Promise<readonly Finding[]> {
  const { pem } = config.upstream.assertion.key;
  const key = pem === null ? NO_KEY_YET : await around.rooms.assertionKey(pem.reveal());
  const targets = [
    upstreamTarget(config, around),
    ...around.publicUrl.map((text) => publicTarget(text, around)),
  ];
  const found = await Promise.all(
    targets.map((target) => tried(target, config, { key, who: someSupport(config) })),
  );
  return found.flat();
}

/** Any of them: an application that tells them apart has to be told of each. */
function someSupport({ identity }: Config): ForgeryOptions['who'] {
  const [first] = identity.support;
  if (first === undefined) return { issuer: 'https://postern-doctor.invalid', org: 'postern-doctor' };
  const { issuer, org } = first;
  return { issuer, org: 'value' in org ? org.value : (org.oneOf[0] ?? 'postern-doctor') };
}

function upstreamTarget({ upstream }: Config, { path, host, timeoutMs, trustNetwork }: Around): Target {
  const { origin, dangerouslySkipTlsVerify } = upstream;
  const checksCertificate = !dangerouslySkipTlsVerify;
  return { check: 'upstream', request: { origin, path, host, checksCertificate, timeoutMs }, trustNetwork };
}

function publicTarget(text: string, { path, host, timeoutMs }: Around): Target {
  const { origin, pathname, search } = new URL(text);
  const own = `${pathname}${search}`;
  return {
    check: 'public address',
    request: { origin, path: own === '/' ? path : own, host, checksCertificate: false, timeoutMs },
    trustNetwork: false,
  };
}

async function tried(
  target: Target,
  { upstream: { assertion }, tenancy }: Config,
  by: Pick<ForgeryOptions, 'key' | 'who'>,
): Promise<readonly Finding[]> {
  const { check, request, trustNetwork } = target;
  const subject = `${request.origin}${request.path.split('?', 1)[0]}`;
  const sort = about(check, subject);
  const bare = await probe({ ...request, headers: {} });
  if (bare.kind === 'unreachable') return [unreachable(target, subject, bare.code)];
  if (bare.by === 'postern') {
    return [sort('ok', `leads to Postern itself, which asked for a credential (${bare.status})`)];
  }
  const tenant = tenantAskedFor(tenancy, request.host ?? new URL(request.origin).host, request.path);
  const forgeries = forgeriesOf({ ...by, assertion, tenant });
  const forged: { readonly what: string; readonly result: ProbeResult }[] = [];
  for (const { what, token } of forgeries) {
    forged.push({ what, result: await probe({ ...request, headers: { [assertion.header]: token } }) });
  }
  const open: FindingState = trustNetwork ? 'warning' : 'failed';
  const checksForgeries = forged.every(({ result }) => verdictOf(result) === 'checked');
  return [
    bareFinding(sort, { result: bare, open, checksForgeries }),
    ...forged.map(({ what, result }) =>
      forgedFinding(sort, what, { result, open, bare, isTenantKnown: tenant !== null }),
    ),
  ];
}

function unreachable({ check }: Target, subject: string, code: string): Finding {
  const sort = about(check, subject);
  if (check === 'upstream') {
    return sort('failed', `cannot be reached (${code})`, 'Start the upstream, or correct upstream.url.');
  }
  return sort('ok', `cannot be reached from here (${code})`);
}

type Verdict = 'open' | 'checked' | 'refused' | 'unclear';

/** `checked`: the middleware says that it is the assertion which is missing. `refused`: somebody says no, who knows why. */
function verdictOf(result: ProbeResult): Verdict {
  if (result.kind === 'unreachable') return 'unclear';
  const { status, by } = result;
  if (by === 'middleware') return status < 500 ? 'checked' : 'unclear';
  if (status >= 200 && status < 400) return 'open';
  return status === 401 || status === 403 ? 'refused' : 'unclear';
}

function shown(result: ProbeResult): string {
  return result.kind === 'answered' ? String(result.status) : result.code;
}

interface Bare {
  readonly result: ProbeResult;
  readonly open: FindingState;
  readonly checksForgeries: boolean;
}

function bareFinding(sort: Sort, { result, open, checksForgeries }: Bare): Finding {
  const status = shown(result);
  switch (verdictOf(result)) {
    case 'open':
      if (checksForgeries) {
        return sort(
          'warning',
          `answers without an assertion (${status}), but refuses a forged one`,
          'Right where customers use this address too. Routes that support alone uses should be in mode `required`.',
        );
      }
      return sort(open, `the upstream answers requests that did not come through Postern: ${status}`, SHUT);
    case 'checked':
      return sort('ok', `checks the assertion: without one ${status}`);
    case 'refused':
      return sort(
        'warning',
        `refuses (${status}), but does not say that it is the assertion that is missing`,
        `An application with a sign-in of its own answers so to everybody. ${OTHER_PATH}`,
      );
    default:
      return sort('warning', `cannot be told from this answer (${status})`, OTHER_PATH);
  }
}

interface Forged {
  readonly result: ProbeResult;
  readonly open: FindingState;
  readonly bare: ProbeResult;
  readonly isTenantKnown: boolean;
}

function forgedFinding(sort: Sort, what: string, forged: Forged): Finding {
  const { result, open } = forged;
  const status = shown(result);
  switch (verdictOf(result)) {
    case 'open':
      return sort(open, `the upstream answers a request with ${what}: ${status}`, BELIEVES);
    case 'checked':
      return sort('ok', `refuses a request with ${what} (${status})`);
    case 'refused':
      return refusedFinding(sort, what, forged);
    default:
      return sort('warning', `with ${what}: cannot be told from this answer (${status})`, OTHER_PATH);
  }
}

/** Somebody says no, who does not say why: it was for the assertion only where nothing else explains it. */
function refusedFinding(sort: Sort, what: string, { result, bare, isTenantKnown }: Forged): Finding {
  const status = shown(result);
  const without = verdictOf(bare);
  if (without === 'refused' && shown(bare) === status) {
    return sort(
      'warning',
      `with ${what} the answer is the same as without one (${status}): cannot be told whether it was looked at`,
      OTHER_PATH,
    );
  }
  if (without === 'checked') {
    return sort(
      'warning',
      `refuses a request with ${what} (${status}), but not as it does one without: perhaps for another reason`,
      BELIEVES,
    );
  }
  if (!isTenantKnown) {
    return sort(
      'warning',
      `refuses a request with ${what} (${status}) of a tenant that doctor made up: perhaps for that alone`,
      'Name a tenant that there is: by --host where customers are told apart by host, by --path where by path.',
    );
  }
  return sort('ok', `refuses a request with ${what} (${status})`);
}
