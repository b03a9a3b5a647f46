// The upstream, the assertion it is sent, the headers injected, and the secrets they name. Cold.
// Guarantees: every template compiles and every secret it names exists, but for entries of a map.
import type { AssertionConfig, SecretEntry, UpstreamConfig } from './config.ts';
import { injectedNameProblem } from './header-names.ts';
import { nearestWord } from './nearest.ts';
import { quoted } from './problem.ts';
import type { Reader } from './reader.ts';
import type { Secret } from './secret.ts';
import { buildSigningKey } from './signing-key.ts';
import { templateProblems } from './template-check.ts';
import { httpOrigin } from './urls.ts';
import { pointerTo } from './yaml-source.ts';

const SECRET_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function buildSecrets(reader: Reader): ReadonlyMap<string, SecretEntry> {
  const secrets = new Map<string, SecretEntry>();
  for (const name of reader.keys('/secrets')) {
    const pointer = pointerTo('/secrets', name);
    if (!SECRET_NAME.test(name)) {
      reader.problem(pointer, 'the name of a secret has letters, digits, dots, underscores and hyphens only');
    }
    const isReference = reader.has(`${pointer}/fromEnv`) || reader.has(`${pointer}/fromFile`);
    if (isReference) {
      const value = sendable(reader, pointer);
      if (value !== null) secrets.set(name, { kind: 'one', value });
      continue;
    }
    const values = new Map<string, Secret>();
    for (const key of reader.keys(pointer)) {
      const value = sendable(reader, pointerTo(pointer, key));
      if (value !== null) values.set(key, value);
    }
    secrets.set(name, { kind: 'map', values });
  }
  return secrets;
}

/** A secret goes into a header: a line break in it would fail each request, so it is found at start. */
function sendable(reader: Reader, pointer: string): Secret | null {
  const secret = reader.secret(pointer);
  if (secret !== null && /\p{Cc}/u.test(secret.reveal())) {
    const where = reader.has(`${pointer}/fromEnv`) ? 'fromEnv' : 'fromFile';
    reader.problem(`${pointer}/${where}`, 'the value holds a line break or another control character');
  }
  return secret;
}

export function buildUpstream(reader: Reader): UpstreamConfig {
  const text = reader.text('/upstream/url');
  const origin = httpOrigin(text);
  if (text !== '' && origin === null) {
    reader.problem(
      '/upstream/url',
      'upstream.url must be http:// or https://, a host and perhaps a port, nothing else',
    );
  }
  const dangerouslySkipTlsVerify = reader.flag('/upstream/dangerouslySkipTlsVerify');
  if (dangerouslySkipTlsVerify) {
    reader.warn(
      '/upstream/dangerouslySkipTlsVerify',
      'any certificate is accepted from the upstream: whoever stands between can read and change everything',
    );
  }
  return {
    origin: origin ?? '',
    preserveHost: reader.flag('/upstream/preserveHost'),
    connections: reader.number('/upstream/connections'),
    timeouts: {
      connectMs: reader.durationMs('/upstream/timeouts/connect', '1s', '5m'),
      headersMs: reader.durationMs('/upstream/timeouts/headers', '1s', '1h'),
      idleMs: reader.durationMs('/upstream/timeouts/idle', '1s', '1h'),
    },
    assertion: buildAssertion(reader, origin ?? ''),
    inject: buildInject(reader),
    dangerouslySkipTlsVerify,
  };
}

function buildAssertion(reader: Reader, origin: string): AssertionConfig {
  const header = reader.text('/upstream/assertion/header');
  const problem = header === '' ? null : injectedNameProblem(header);
  if (problem !== null) reader.problem('/upstream/assertion/header', `${quoted(header)} ${problem}`);
  const audience = reader.text('/upstream/assertion/audience');
  return {
    header,
    issuer: reader.text('/upstream/assertion/issuer'),
    audience: audience === '' ? origin : audience,
    lifetimeMs: reader.durationMs('/upstream/assertion/lifetime', '1s', '60s'),
    key: buildSigningKey(reader, '/upstream/assertion/key', ['P-256', 'ed25519']),
  };
}

function buildInject(reader: Reader): UpstreamConfig['inject'] {
  const assertion = reader.text('/upstream/assertion/header').toLowerCase();
  const names = new Set<string>();
  return reader.keys('/upstream/inject').map((name) => {
    const pointer = pointerTo('/upstream/inject', name);
    const lower = name.toLowerCase();
    const problem = injectedNameProblem(name);
    if (problem !== null) reader.problem(pointer, `${quoted(name)} ${problem}`);
    if (names.has(lower)) reader.problem(pointer, `${quoted(name)} is injected twice, but for letter case`);
    if (lower === assertion) reader.problem(pointer, `${quoted(name)} carries the assertion`);
    names.add(lower);
    const template = reader.text(pointer);
    for (const message of templateProblems(template, (secret) => kindOf(reader, secret))) {
      reader.problem(pointer, `${name}: ${message}${nearestSecret(reader, message)}`);
    }
    return { name, template };
  });
}

/** Asked of the file and not of what was read: a secret that is missing was already reported where it stands. */
function kindOf(reader: Reader, name: string): 'one' | 'map' | null {
  const pointer = pointerTo('/secrets', name);
  if (!reader.has(pointer)) return null;
  return reader.has(`${pointer}/fromEnv`) || reader.has(`${pointer}/fromFile`) ? 'one' : 'map';
}

function nearestSecret(reader: Reader, message: string): string {
  const name = /^\{secret:([^[\]{}]+).*names no secret/.exec(message)?.[1];
  const nearest = name === undefined ? null : nearestWord(name, reader.keys('/secrets'));
  return nearest === null ? '' : `; did you mean ${quoted(nearest)}?`;
}
