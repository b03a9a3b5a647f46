import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { GrantLine, IntentLine, SubjectLine } from '#audit/journal-lines.ts';
import { LineContext, NO_KEYS, type SubjectKeys } from '#audit/line-context.ts';
import { lineKeyOf, type PersonFields, sealedBox } from '#audit/subjects/subject-box.ts';

const KEYS = new Map(['ada', 'grace', 'anonymous-2026-01-31'].map((id) => [id, randomBytes(32)]));
const ALL: SubjectKeys = { keyOf: (id) => KEYS.get(id) ?? null };

const ADA: PersonFields = {
  id: 'agent-7',
  email: 'ada@vendor.example',
  name: 'Ada',
  ip: '192.0.2.1',
  peer: null,
  agent: 'curl',
};

function subject(s: number, id: string, fields: Partial<PersonFields> = {}): SubjectLine {
  const key = KEYS.get(id) as Buffer;
  const kind = id === 'ada' ? 'principal' : id === 'grace' ? 'customer' : 'anonymous';
  const box = sealedBox({ ...ADA, ...fields }, { id, key });
  return { k: 'subject', s, subject: id, kind, issuer: 'https://idp', org: 'vendor', ...box };
}

const GRANT: GrantLine = {
  k: 'grant',
  tenant: 'acme',
  g: 3,
  grant: {
    id: 'grt_1',
    revision: 2,
    expiresAt: null,
    grantedBy: { kind: 'tenant_admin', s: 2, onBehalfOf: null },
    access: 'read',
    roles: ['viewer'],
  },
  lifts: ['export'],
  actAs: 2,
  caseRef: 'CASE-1',
};

const INTENT: IntentLine = {
  k: 'intent',
  tenant: 'acme',
  s: 1,
  g: 3,
  e: 'r',
  n: 7,
  p: 4,
  id: 'r-1',
  t: 1,
  method: 'GET',
  version: '1.1',
  host: 'acme.example',
  path: '/',
  cache: 'hit',
};

function contextWith(keys: SubjectKeys): LineContext {
  const context = new LineContext(keys);
  context.take(subject(1, 'ada'), 1);
  context.take(subject(2, 'grace', { id: 'admin-1', ip: null, agent: null }), 1);
  context.take(GRANT, 1);
  context.take({ k: 'policy', p: 4, digest: 'sha256:0' }, 1);
  return context;
}

describe('a request line', () => {
  it('is put together with whom, what and which policy it refers to', () => {
    expect(contextWith(ALL).resolvedRequest(INTENT)).toEqual({
      ...INTENT,
      actor: {
        subject: 'ada',
        id: 'agent-7',
        name: 'Ada',
        email: 'ada@vendor.example',
        issuer: 'https://idp',
        org: 'vendor',
      },
      person: { ip: '192.0.2.1', peer: null, agent: 'curl' },
      grant: {
        id: 'grt_1',
        revision: 2,
        expiresAt: null,
        grantedBy: {
          kind: 'tenant_admin',
          subject: 'grace',
          id: 'admin-1',
          issuer: 'https://idp',
          onBehalfOf: null,
        },
        access: 'read',
        roles: ['viewer'],
      },
      lifts: ['export'],
      workspaces: [],
      actAs: 'admin-1',
      caseRef: 'CASE-1',
      reason: null,
      session: null,
      policy: 'sha256:0',
    });
  });

  it('of a session says its case before that of the grant, and why it was opened beside the grant’s reason', () => {
    const context = contextWith(ALL);
    const reason = { type: 'debug_log', detail: 'the fault' } as const;
    context.take({ ...GRANT, g: 9, session: { id: 'ses_1', access: 'read', caseRef: 'CASE-2', reason } }, 1);
    context.take({ ...GRANT, g: 10, session: { id: 'ses_2', access: 'read', reason } }, 1);
    expect(context.resolvedRequest({ ...INTENT, g: 9 })).toMatchObject({
      caseRef: 'CASE-2',
      reason: null,
      session: { id: 'ses_1', access: 'read', caseRef: 'CASE-2', reason },
    });
    expect(context.resolvedRequest({ ...INTENT, g: 10 })).toMatchObject({
      caseRef: 'CASE-1',
      session: { id: 'ses_2', caseRef: null },
    });
  });

  it('of somebody not identified has a place and no actor', () => {
    const context = new LineContext(ALL);
    context.take(subject(1, 'anonymous-2026-01-31', { id: null, name: null, email: null }), 1);
    const resolved = context.resolvedRequest({ ...INTENT, g: 0, p: 0 });
    expect(resolved).toMatchObject({ actor: null, grant: null, policy: null, person: { ip: '192.0.2.1' } });
    expect(context.missing).toBe(0);
  });

  it('whose references are not there has nulls, and they are counted', () => {
    const context = contextWith(ALL);
    const resolved = context.resolvedRequest({ ...INTENT, s: 91, g: 92, p: 93 });
    expect(resolved).toMatchObject({
      actor: null,
      grant: null,
      policy: null,
      person: { ip: null, peer: null, agent: null },
    });
    expect(context.missing).toBe(3);
  });

  it('refers to nothing of another segment', () => {
    const context = contextWith(ALL);
    context.enter(2);
    expect(context.resolvedRequest(INTENT)).toMatchObject({ actor: null, grant: null, policy: null });
    context.take(subject(1, 'grace'), 2);
    expect(context.resolvedRequest(INTENT).actor?.subject).toBe('grace');
  });

  it('keeps what it refers to beyond its segment, for a completion that comes later', () => {
    const context = contextWith(ALL);
    const { subject: held } = context.partsOf(INTENT);
    context.enter(2);
    expect(held?.fields().name).toBe('Ada');
  });
});

describe('without its key a person', () => {
  it('is a subject and where it belongs', () => {
    expect(contextWith(NO_KEYS).resolvedRequest(INTENT)).toMatchObject({
      actor: { subject: 'ada', id: null, name: null, email: null, issuer: 'https://idp', org: 'vendor' },
      person: { ip: null, peer: null, agent: null },
      grant: { grantedBy: { subject: 'grace', id: null } },
      actAs: null,
    });
  });

  it('is forgotten in all contexts of a reader together', () => {
    const keys = new Map(KEYS);
    const first = new LineContext({ keyOf: (id) => keys.get(id) ?? null });
    const second = first.beside();
    for (const context of [first, second]) {
      context.take(subject(1, 'ada'), 1);
      expect(context.resolvedRequest(INTENT).actor?.name).toBe('Ada');
    }
    keys.delete('ada');
    expect(second.resolvedRequest(INTENT).actor?.name).toBe('Ada');
    first.forget();
    expect(second.resolvedRequest(INTENT).actor?.name).toBeNull();
    expect(first.resolvedRequest(INTENT).actor?.name).toBeNull();
  });

  it('whose line was changed stays closed', () => {
    const context = new LineContext(ALL);
    const line = subject(1, 'ada');
    context.take({ ...line, subject: 'grace' }, 1);
    expect(context.resolvedRequest(INTENT).actor).toMatchObject({ subject: 'grace', name: null });
    context.take({ ...line, box: 'AAAA' }, 1);
    expect(context.resolvedRequest(INTENT).actor).toMatchObject({ subject: 'ada', name: null });
  });
});

it('opens lines by keys of single lines, where only these are known', () => {
  const line = subject(1, 'ada');
  const key = lineKeyOf(KEYS.get('ada') as Buffer, Buffer.from(line.iv, 'base64'));
  const context = new LineContext({
    keyOf: () => null,
    lineKeyOf: (id, iv) => (id === 'ada' && iv === line.iv ? key : null),
  });
  context.take(line, 1);
  expect(context.resolvedRequest(INTENT).actor?.name).toBe('Ada');
});

it('an event of Postern itself has no actor', () => {
  const event = {
    k: 'event',
    tenant: null,
    s: 0,
    id: 'e',
    t: 1,
    event: 'gateway.started',
    grant: null,
    details: {},
  } as const;
  const context = contextWith(ALL);
  expect(context.resolvedEvent(event).actor).toBeNull();
  expect(context.missing).toBe(0);
  expect(context.resolvedEvent({ ...event, s: 2 }).actor).toMatchObject({ kind: 'customer', id: 'admin-1' });
});
