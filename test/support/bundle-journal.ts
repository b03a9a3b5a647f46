// A journal of two tenants with the checkpoints that the notary makes of it, people in a real store, and bundles of it.
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type ExportOptions, type ExportResult, exportBundle } from '#audit/bundle/export-bundle.ts';
import type { BundleReport } from '#audit/bundle/bundle-report.ts';
import { verifyBundle, type VerifyDeps } from '#audit/bundle/verify-bundle.ts';
import { Notary, type NotaryStart } from '#audit/chain/notary.ts';
import { importSigningKey, type SigningKey } from '#audit/chain/signing-key.ts';
import { openSubjectStore, type OpenSubjectStore } from '#audit/subjects/sqlite-subject-store.ts';
import { sealedBox } from '#audit/subjects/subject-box.ts';
import { EXAMPLE_CHAIN, JournalBuilder } from './journal-builder.ts';

export const T0 = 1_768_000_000_000;

export interface BundleJournal extends Disposable {
  readonly directory: string;
  readonly builder: JournalBuilder;
  readonly key: SigningKey;
  readonly people: OpenSubjectStore;
  readonly notices: string[];
  /** The file of the private key, and of the public one. */
  readonly keyFile: string;
  readonly publicKeyFile: string;
  file(name: string): string;
  /** A subject line; `s` numbers it in its segment. */
  subject(s: number, email: string, kind?: 'principal' | 'service' | 'customer'): object;
  /** Makes checkpoints of everything that is written and adds them as the main thread would. How many. */
  sign(): Promise<number>;
  export(options?: Partial<ExportOptions>): ExportResult;
}

export function newKey(): { readonly key: SigningKey; readonly pem: string; readonly publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return {
    key: importSigningKey(pem),
    pem,
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

export function bundleJournal(): BundleJournal {
  const root = mkdtempSync(path.join(tmpdir(), 'postern-bundle-'));
  const directory = path.join(root, 'audit');
  mkdirSync(directory);
  const { key, pem, publicPem } = newKey();
  const keyFile = path.join(root, 'audit.pem');
  const publicKeyFile = path.join(root, 'audit.pub.pem');
  writeFileSync(keyFile, pem, { mode: 0o600 });
  writeFileSync(publicKeyFile, publicPem);
  const builder = new JournalBuilder(directory, key.publicKey);
  const people = openSubjectStore({ directory });
  const notices: string[] = [];
  const notice = (_fields: object, text: string): void => void notices.push(text);
  let start: NotaryStart = { chain: EXAMPLE_CHAIN, coveredTo: 0, from: { segment: 1, offset: 0 } };
  const file = (name: string): string => path.join(root, name);
  return {
    directory,
    builder,
    key,
    people,
    notices,
    keyFile,
    publicKeyFile,
    file,
    subject(s, email, kind = 'principal') {
      const issuer = 'https://idp.example';
      const person = { kind, id: `id-of-${email}`, issuer, org: null, email, name: email.toUpperCase() };
      const subject = people.of(person);
      const fields = { id: person.id, email, name: person.name, ip: '192.0.2.7', peer: null, agent: 'curl' };
      return { k: 'subject', s, subject: subject.id, kind, issuer, org: null, ...sealedBox(fields, subject) };
    },
    async sign() {
      const texts: string[] = [];
      const publish = (text: string): void => void texts.push(text);
      const notary = new Notary({
        directory,
        start,
        key,
        nowMs: () => 0,
        epochMs: () => T0,
        publish,
        notice,
      });
      const end = { segment: builder.segment, offset: statSync(builder.path()).size };
      await notary.finish(end);
      notary.close();
      start = { ...start, coveredTo: builder.group, from: end };
      for (const text of texts) builder.add(text.trimEnd());
      return texts.length;
    },
    export(options = {}) {
      const defaults = {
        directory,
        tenant: 'acme',
        since: null,
        until: null,
        out: file('bundle'),
        key,
        people,
      };
      return exportBundle({ ...defaults, now: T0, record: () => undefined, ...options });
    },
    [Symbol.dispose]() {
      people.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

interface RequestNumbers {
  readonly tenant: string | null;
  readonly n?: number;
  readonly s: number;
  readonly g: number;
  readonly t?: number;
  readonly id: string;
}

export function intent({ tenant, n, s, g, t = T0, id }: RequestNumbers): object {
  const rest = {
    p: 1,
    id,
    t,
    method: 'GET',
    version: '1.1',
    host: 'h.example',
    path: `/${id}`,
    cache: 'none',
  };
  return { k: 'intent', tenant, s, g, e: 'r', ...(n === undefined ? {} : { n }), ...rest };
}

export function done(tenant: string, n: number, id: string): object {
  return {
    k: 'done',
    tenant,
    n,
    id,
    code: 'ok',
    status: 200,
    bytesIn: 0,
    bytesOut: 7,
    us: 900,
    decisionUs: 20,
  };
}

export function grant(tenant: string, g: number, by: number): object {
  const grantedBy = { kind: 'principal', s: by, onBehalfOf: null };
  const part = {
    id: `grant-of-${tenant}`,
    revision: 1,
    expiresAt: null,
    grantedBy,
    access: 'read',
    roles: [],
  };
  return { k: 'grant', tenant, g, grant: part, caseRef: `case-of-${tenant}` };
}

/** Two tenants, two segments; people whom only one of the tenants has seen, and one whom both have. */
export async function twoTenants(): Promise<BundleJournal> {
  const journal = bundleJournal();
  const { builder, subject } = journal;
  builder.add({ k: 'opened', t: T0, instance: 'test-1', tornBytes: 0 });
  builder.add(
    { k: 'policy', p: 1, digest: 'sha256:one' },
    subject(2, 'both@vendor.example'),
    subject(3, 'granter@acme.example'),
    grant('acme', 4, 3),
    intent({ tenant: 'acme', n: 1, s: 2, g: 4, id: 'a1' }),
    subject(5, 'secret@globex.example'),
    grant('globex', 6, 5),
    intent({ tenant: 'globex', n: 1, s: 2, g: 6, id: 'b1' }),
    done('acme', 2, 'a1'),
  );
  await journal.sign();
  builder.add(subject(7, 'only@globex.example'), intent({ tenant: 'globex', n: 2, s: 7, g: 6, id: 'b2' }));
  for (let i = 0; i < 4; i += 1) {
    builder.add(
      intent({ tenant: 'acme', n: 3 + 2 * i, s: 2, g: 4, t: T0 + 60_000 * (i + 1), id: `c${i}` }),
      intent({ tenant: null, s: 2, g: 0, id: `x${i}` }),
      done('acme', 4 + 2 * i, `c${i}`),
    );
  }
  builder.add({ k: 'gap', id: 'gap-1', since: T0, until: T0 + 1, count: 3, lost: 0 });
  builder.add(
    { k: 'unused', tenant: 'acme', ranges: [[11, 12]] },
    { k: 'unused', tenant: 'globex', ranges: [[3, 9]] },
  );
  builder.startSegment();
  builder.add(
    { k: 'tenants', next: { acme: 13, globex: 10 } },
    { k: 'policy', p: 1, digest: 'sha256:two' },
    subject(2, 'late@vendor.example'),
    {
      k: 'event',
      tenant: 'acme',
      n: 13,
      s: 2,
      id: 'e1',
      t: T0 + 400_000,
      event: 'grant.revoked',
      grant: null,
      details: {},
    },
    subject(3, 'granter@acme.example'),
    grant('acme', 4, 3),
    intent({ tenant: 'acme', n: 14, s: 2, g: 4, t: T0 + 400_000, id: 'd1' }),
  );
  await journal.sign();
  builder.add(done('acme', 15, 'd1'));
  await journal.sign();
  return journal;
}

export function verified(file: string, deps: Partial<VerifyDeps> = {}): BundleReport {
  return verifyBundle(file, { publicKeys: null, ...deps });
}

export function textOf(file: string): string {
  return readFileSync(file, 'latin1');
}
