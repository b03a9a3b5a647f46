// Who is believed: issuers of support staff and of customers, services, duties. Cold.
// Guarantees: no two issuers share a name or a URL, so that a token is never judged as another's.
import type {
  CustomerIssuer,
  IdentityConfig,
  KeySetSource,
  ServiceAccount,
  ServiceDuty,
  SignatureAlgorithm,
  SupportIssuer,
} from './config.ts';
import { quoted } from './problem.ts';
import type { Reader } from './reader.ts';
import { secretOf } from './secret.ts';
import { keyUrlProblem } from './urls.ts';

const LISTS = ['support', 'customers'] as const;

export function buildIdentity(reader: Reader): IdentityConfig {
  const support = pointers(reader, '/identity/support').map((pointer) => buildSupport(reader, pointer));
  const customers = pointers(reader, '/identity/customers').map((pointer) => buildCustomer(reader, pointer));
  const services = pointers(reader, '/identity/services').flatMap((pointer) => buildService(reader, pointer));
  refuseTwins(reader);
  return {
    support,
    customers,
    services,
    roles: {
      lead: reader.texts('/identity/roles/lead/groups'),
      security: reader.texts('/identity/roles/security/groups'),
    },
  };
}

function pointers(reader: Reader, list: string): readonly string[] {
  return Array.from({ length: reader.count(list) }, (_, index) => `${list}/${index}`);
}

function buildIssuer(reader: Reader, pointer: string) {
  const issuer = reader.text(`${pointer}/issuer`);
  const dangerouslyAllowHttp = reader.flag(`${pointer}/dangerouslyAllowHttp`);
  if (dangerouslyAllowHttp) {
    reader.warn(
      `${pointer}/dangerouslyAllowHttp`,
      'keys may be fetched over plain HTTP: whoever can change that traffic can let themselves in',
    );
  }
  return {
    name: issuerName(reader, pointer),
    issuer,
    keys: buildKeySource(reader, pointer, dangerouslyAllowHttp),
    algorithms: reader.texts(`${pointer}/algorithms`) as readonly SignatureAlgorithm[],
    maxTokenAgeMs: reader.durationMs(`${pointer}/maxTokenAge`, '1m', '30d'),
    clockToleranceMs: reader.durationMs(`${pointer}/clockTolerance`, '0s', '60s'),
    otherAudiences: reader.texts(`${pointer}/otherAudiences`),
    authorizedParties: reader.texts(`${pointer}/authorizedParties`),
    dangerouslyAllowHttp,
  };
}

/** An issuer that is not a URL can have a key file, and then must be named. */
function issuerName(reader: Reader, pointer: string): string {
  const name = reader.text(`${pointer}/name`);
  return name === '' ? (URL.parse(reader.text(`${pointer}/issuer`))?.host ?? '') : name;
}

function buildKeySource(reader: Reader, pointer: string, allowHttp: boolean): KeySetSource {
  const file = reader.path(`${pointer}/jwks/fromFile`);
  const uri = reader.text(`${pointer}/jwksUri`);
  if (file !== '' && uri !== '') reader.problem(`${pointer}/jwks`, 'jwks and jwksUri exclude each other');
  if (file !== '') {
    if (issuerName(reader, pointer) === '')
      reader.problem(pointer, 'name is missing: the issuer is not a URL to take it from');
    return { kind: 'file', file };
  }
  if (uri !== '') {
    const problem = keyUrlProblem(uri, allowHttp);
    if (problem !== null) reader.problem(`${pointer}/jwksUri`, `jwksUri ${problem}`);
    return { kind: 'uri', uri };
  }
  const issuer = reader.text(`${pointer}/issuer`);
  const problem = issuer === '' ? null : discoveryProblem(issuer, allowHttp);
  if (problem !== null) reader.problem(`${pointer}/issuer`, `issuer ${problem}`);
  return { kind: 'discovery' };
}

/** OpenID Connect Discovery 1.0 section 3: an issuer has no query and no fragment. */
function discoveryProblem(issuer: string, allowHttp: boolean): string | null {
  return /[?#]/.test(issuer) ? 'must have no query and no fragment' : keyUrlProblem(issuer, allowHttp);
}

function buildSupport(reader: Reader, pointer: string): SupportIssuer {
  const common = buildIssuer(reader, pointer);
  const audience = reader.text(`${pointer}/audience`);
  const controlAudience = reader.text(`${pointer}/controlAudience`);
  if (audience !== '' && audience === controlAudience) {
    reader.problem(`${pointer}/controlAudience`, 'audience and controlAudience must differ');
  }
  refuseOwnAudience(reader, pointer, [audience, controlAudience]);
  return {
    ...common,
    audience,
    controlAudience,
    claims: {
      id: reader.text(`${pointer}/claims/id`),
      email: reader.text(`${pointer}/claims/email`),
      name: reader.text(`${pointer}/claims/name`),
      groups: reader.text(`${pointer}/claims/groups`),
    },
    org: buildOrg(reader, `${pointer}/org`, common.name),
    requireGroups: reader.texts(`${pointer}/require/groups`),
  };
}

function buildOrg(reader: Reader, pointer: string, name: string): SupportIssuer['org'] {
  const claim = reader.text(`${pointer}/claim`);
  const value = reader.text(`${pointer}/value`);
  const oneOf = reader.texts(`${pointer}/oneOf`);
  const isPinned = value !== '' && claim === '' && oneOf.length === 0;
  const isChosen = value === '' && claim !== '' && oneOf.length > 0;
  if (reader.has(pointer) && !isPinned && !isChosen) {
    reader.problem(
      pointer,
      'org must be {value}, or {claim, oneOf}: an organisation is never taken from a free claim',
    );
  }
  if (isChosen) return { claim, oneOf };
  return { value: value === '' ? name : value };
}

function buildCustomer(reader: Reader, pointer: string): CustomerIssuer {
  const common = buildIssuer(reader, pointer);
  const audience = reader.text(`${pointer}/audience`);
  refuseOwnAudience(reader, pointer, [audience]);
  const claim = (key: string): string => reader.text(`${pointer}/claims/${key}`);
  return {
    ...common,
    audience,
    claims: {
      tenant: claim('tenant'),
      admin: claim('admin'),
      id: claim('id'),
      email: claim('email'),
      name: claim('name'),
      permissions: claim('permissions'),
      products: claim('products'),
    },
  };
}

function refuseOwnAudience(reader: Reader, pointer: string, own: readonly string[]): void {
  for (const [index, other] of reader.texts(`${pointer}/otherAudiences`).entries()) {
    if (own.includes(other)) {
      reader.problem(
        `${pointer}/otherAudiences/${index}`,
        'otherAudiences must not name an audience of our own',
      );
    }
  }
}

function buildService(reader: Reader, pointer: string): readonly ServiceAccount[] {
  const hash = reader.secret(`${pointer}/keyHash`);
  if (hash === null) return [];
  const digits = hash.reveal().toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(digits)) {
    reader.problem(
      `${pointer}/keyHash`,
      'keyHash must be the SHA-256 of the key, 64 hex digits; never the key itself',
    );
  }
  const may = reader.texts(`${pointer}/may`) as readonly ServiceDuty[];
  return [{ name: reader.text(`${pointer}/name`), keyHash: secretOf(digits, hash.file), may }];
}

/** Two issuers with one URL: a token could be judged as either's. Two with one name: nobody could tell which. */
function refuseTwins(reader: Reader): void {
  const issuers = new Set<string>();
  const names = new Set<string>();
  for (const pointer of LISTS.flatMap((list) => pointers(reader, `/identity/${list}`))) {
    const issuer = reader.text(`${pointer}/issuer`);
    const name = issuerName(reader, pointer);
    if (issuer !== '' && issuers.has(issuer)) {
      reader.problem(`${pointer}/issuer`, 'this issuer is configured twice under identity');
    } else if (name !== '' && names.has(name)) {
      reader.problem(
        `${pointer}/name`,
        `another issuer is named ${quoted(name)} too; give each a name of its own`,
      );
    }
    issuers.add(issuer);
    names.add(name);
  }
  const services = new Set<string>();
  for (const pointer of pointers(reader, '/identity/services')) {
    const name = reader.text(`${pointer}/name`);
    if (name !== '' && services.has(name))
      reader.problem(`${pointer}/name`, `another service is named ${quoted(name)}`);
    services.add(name);
  }
}
