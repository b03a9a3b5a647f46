// Where the text of a key set comes from: OpenID discovery, a fixed address, a file, or the configuration itself.
// A source loads and tells of changes; what is believed for how long is the key set's matter. Cold.
import { unwatchFile, watchFile } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Clock } from '#model/clock.ts';
import { isJsonObject, member } from '#model/strict-json.ts';
import { codeOf, fetchJson, parseJson, unavailable } from './fetch-json.ts';
import { checkKeyUrl, type Issuer } from './options.ts';

const MAX_FILE_BYTES = 512 * 1024;
const FILE_POLL_MS = 1000;
/** Providers move their key set about never; a failure makes us ask again at once anyway. */
const REDISCOVER_MS = 3_600_000;

export interface KeySource {
  /** True where the keys cannot change as long as the process runs. */
  readonly fixed: boolean;
  /** A JWK set, not checked. Throws PosternError KEYS_UNAVAILABLE. */
  load(signal: AbortSignal): Promise<unknown>;
  /** Calls when what `load` would give may have changed. Null where nobody tells. */
  readonly watch: ((onChange: () => void) => Disposable) | null;
}

export function createKeySource(issuer: Issuer, clock: Clock): KeySource {
  const { keys } = issuer;
  if (keys.kind === 'inline') return inlineSource(keys.json);
  if (keys.kind === 'file') return fileSource(keys.file);
  if (keys.kind === 'uri') {
    const url = checkKeyUrl(keys.uri, issuer.dangerouslyAllowHttp);
    return { fixed: false, watch: null, load: (signal) => fetchJson(url, signal) };
  }
  return discoverySource(issuer, clock);
}

function inlineSource(json: string): KeySource {
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch (error) {
    throw new TypeError('an inline key set is not JSON', { cause: error });
  }
  return { fixed: true, watch: null, load: () => Promise.resolve(document) };
}

/** OpenID Connect Discovery 1.0 section 4: the document, then the key set that it points at. */
function discoverySource(issuer: Issuer, clock: Clock): KeySource {
  const documentUrl = new URL(`${issuer.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
  let keySetUrl: URL | null = null;
  let discoveredAt = 0;
  return {
    fixed: false,
    watch: null,
    async load(signal) {
      const isFresh = clock.monotonic() - discoveredAt < REDISCOVER_MS;
      let url = isFresh ? keySetUrl : null;
      if (url === null) {
        url = keySetUrlIn(await fetchJson(documentUrl, signal), issuer);
        discoveredAt = clock.monotonic();
      }
      keySetUrl = null;
      const document = await fetchJson(url, signal);
      keySetUrl = url;
      return document;
    },
  };
}

function keySetUrlIn(document: unknown, issuer: Issuer): URL {
  if (!isJsonObject(document)) throw unavailable('the discovery document is not an object');
  // Discovery section 4.3: exactly equal, else one issuer could speak for another.
  if (member(document, 'issuer') !== issuer.issuer)
    throw unavailable('the discovery document names another issuer');
  const address = member(document, 'jwks_uri');
  if (typeof address !== 'string') throw unavailable('the discovery document names no key set');
  let url: URL;
  try {
    url = checkKeyUrl(address, issuer.dangerouslyAllowHttp);
  } catch (error) {
    throw unavailable('the discovery document names an address of keys that is not allowed', error);
  }
  // Else a remote provider could make us ask services of this machine.
  if (url.protocol !== 'https:' && issuer.issuer.startsWith('https:')) {
    throw unavailable('the discovery document names an address of keys that is not https');
  }
  return url;
}

/** Watched by its status, not by events: mounted secrets are replaced by moving a link above the file. */
function fileSource(path: string): KeySource {
  return {
    fixed: false,
    async load() {
      return parseJson(await readBounded(path), 'key file');
    },
    watch(onChange) {
      const listener = (): void => onChange();
      watchFile(path, { persistent: false, interval: FILE_POLL_MS }, listener);
      return { [Symbol.dispose]: () => unwatchFile(path, listener) };
    },
  };
}

async function readBounded(path: string): Promise<string> {
  try {
    await using file = await open(path);
    const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
    let size = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, size, buffer.length - size, null);
      if (bytesRead === 0) return buffer.toString('utf8', 0, size);
      size += bytesRead;
      if (size > MAX_FILE_BYTES) break;
    }
  } catch (error) {
    throw unavailable(`the key file cannot be read (${codeOf(error)})`, error);
  }
  throw unavailable('the key file is larger than 512 KiB');
}
