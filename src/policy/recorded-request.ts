// A request as its record tells it, made ready to be judged again. What the record does not hold is not guessed: a
// query value that was left out is one that cannot be read, groups and headers are not known. Cold.
import type { EpochMs } from '#model/clock.ts';
import { NEVER } from '#model/clock.ts';
import type { Access, Grant, ReasonType } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { Credential } from '#model/principal.ts';
import type { ReasonCode } from '#model/reason.ts';
import type { JudgedRequest, JudgedSubject } from './judge.ts';
import { PLAIN_GRANT } from './policy-test.ts';
import { foldedNamesOf } from './query.ts';
import { LEFT_OUT } from './recorded-query.ts';
import { UNKNOWN_NAMES } from './when.ts';

export interface RecordedRequest {
  readonly id: string;
  readonly at: EpochMs;
  readonly tenant: string | null;
  readonly method: string;
  readonly host: string;
  /** Canonical. */
  readonly path: string;
  /** What the rules saw, where tenancy is by path; else null. */
  readonly route: string | null;
  /** Raw names of query keys, joined by `&`, at most 32, long ones as `(length)`. */
  readonly queryNames: string;
  /** Raw pairs of those keys that a rule read then, joined by `&`. */
  readonly queryPairs: string;
  /** Null: there was no body. */
  readonly bodyType: string | null;
  readonly upgrade: boolean;
  /** `id` tells one principal from another; it is the provider's or any other, since no condition asks for it. */
  readonly actor: { readonly id: string; readonly issuer: string; readonly org: string } | null;
  /** Null: it was refused before a grant was found. */
  readonly grant: RecordedGrant | null;
  /** `ok` where the policy let it pass, whatever became of it afterwards. */
  readonly code: ReasonCode;
  readonly rule: string | null;
}

export interface RecordedGrant {
  readonly id: string;
  readonly revision: number;
  readonly access: Access;
  readonly roles: readonly string[];
  readonly lifts: readonly string[];
  readonly workspaces: readonly string[];
  readonly reasonType: ReasonType | null;
}

/** Subjects by grant revision and principal: a journal holds few of them and millions of requests. */
export class RecordedSubjects {
  readonly #grants = new Map<string, Map<number, Grant>>();
  readonly #credentials = new Map<string, Map<string, Credential>>();

  of(request: RecordedRequest, grant: RecordedGrant): JudgedSubject {
    return {
      grant: this.#grantOf(grant, request),
      credential: request.actor === null ? null : this.#credentialOf(request.actor),
      tenant: request.tenant as TenantId | null,
      tenantClass: null,
    };
  }

  #grantOf(recorded: RecordedGrant, { tenant }: RecordedRequest): Grant {
    const revisions = madeIn(this.#grants, recorded.id, () => new Map<number, Grant>());
    return madeIn(revisions, recorded.revision, () => ({
      ...PLAIN_GRANT,
      tenant: tenant as TenantId,
      access: recorded.access,
      roles: recorded.roles,
      lifts: recorded.lifts,
      workspaces: recorded.workspaces.map((id) => ({ id, roles: UNKNOWN_NAMES })),
      reason: recorded.reasonType === null ? null : { type: recorded.reasonType, detail: '' },
    }));
  }

  #credentialOf({ id, issuer, org }: NonNullable<RecordedRequest['actor']>): Credential {
    const ofIssuer = madeIn(this.#credentials, issuer, () => new Map<string, Credential>());
    return madeIn(ofIssuer, id, () => ({
      principal: { id, issuer, email: null, name: null, groups: UNKNOWN_NAMES, org },
      keyId: '',
      expiresAt: NEVER,
    }));
  }
}

function madeIn<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** The request to judge, and what of it is not known: told by what the judgement asked for. */
export class RecordedFacts implements JudgedRequest {
  readonly method: string;
  readonly rawTarget: string;
  readonly routePath?: string;
  readonly host: string;
  readonly headers: JudgedRequest['headers'];
  readonly bodyBytes: number;
  readonly body = null;
  readonly upgrade: boolean;
  /** Some query value, or name, was not recorded. */
  readonly queryIsPartial: boolean;
  /** A check asked for a request header, which no record holds. */
  askedForHeader = false;

  constructor(request: RecordedRequest) {
    const query = request.queryNames === '' ? NO_QUERY : queryOf(request.queryNames, request.queryPairs);
    this.method = request.method;
    this.rawTarget = query.text === '' ? request.path : `${request.path}?${query.text}`;
    if (request.route !== null) this.routePath = request.route;
    this.host = request.host;
    this.bodyBytes = request.bodyType === null ? 0 : 1;
    this.upgrade = request.upgrade;
    this.queryIsPartial = query.isPartial;
    const type = request.bodyType === null ? [] : [request.bodyType];
    this.headers = {
      get: (name) => {
        if (name === 'content-type') return type;
        this.askedForHeader = true;
        return undefined;
      },
    };
  }
}

const NO_QUERY = { text: '', isPartial: false };
const MAX_RECORDED_NAMES = 32;
/** What cannot be decoded: the walk then says so exactly where a rule has to read it. */
const UNKNOWN_VALUE = '%';

function queryOf(names: string, pairs: string): { readonly text: string; readonly isPartial: boolean } {
  const recorded = pairs === '' ? [] : pairs.split('&');
  const known = new Set(recorded.flatMap((pair) => foldedNamesOf(nameOf(pair)) ?? []));
  const parts = recorded.map((pair) =>
    pair.endsWith(`=${LEFT_OUT}`) ? `${nameOf(pair)}=${UNKNOWN_VALUE}` : pair,
  );
  const all = names.split('&');
  let isPartial =
    all.length >= MAX_RECORDED_NAMES || parts.some((part) => part.endsWith(`=${UNKNOWN_VALUE}`));
  // An unreadable name: there may be any key behind it.
  if (all.length >= MAX_RECORDED_NAMES) parts.push(UNKNOWN_VALUE);
  for (const name of all) {
    const read = foldedNamesOf(name);
    if (read?.some((one) => known.has(one)) === true) continue;
    isPartial = true;
    parts.push(name.startsWith('(') || read === null ? UNKNOWN_VALUE : `${name}=${UNKNOWN_VALUE}`);
  }
  return { text: parts.join('&'), isPartial };
}

function nameOf(pair: string): string {
  const equals = pair.indexOf('=');
  return equals === -1 ? pair : pair.slice(0, equals);
}
