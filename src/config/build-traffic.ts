// Which hosts and origins are served, and where a request names its tenant. Cold.
// Guarantees: one source of the tenant, with exactly one label for it.
import type { Tenancy, TrafficConfig } from './config.ts';
import { headerNameProblem } from './header-names.ts';
import { quoted } from './problem.ts';
import { pointerTo } from './yaml-source.ts';
import type { Reader } from './reader.ts';

const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const HOST = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[0-9a-f:.]+\\])(?::[0-9]{1,5})?$`);
const TENANT = '{tenant}';

export function buildTraffic(reader: Reader): TrafficConfig {
  const hosts = reader.texts('/traffic/hosts').map((text, index) => {
    const host = text.toLowerCase();
    if (!HOST.test(host))
      reader.problem(`/traffic/hosts/${index}`, `${quoted(text)} is not host or host:port`);
    return host;
  });
  const origins = reader.texts('/traffic/origins').map((text, index) => {
    const origin = URL.parse(text)?.origin;
    const isOrigin = origin !== undefined && /^https?:/.test(origin) && isOnlyOrigin(text, origin);
    if (!isOrigin) {
      reader.problem(
        `/traffic/origins/${index}`,
        `${quoted(text)} is not an origin such as https://app.example.com`,
      );
    }
    return origin ?? text;
  });
  const from = reader.text('/tenancy/from');
  if (from === 'host' && hosts.length > 0) {
    reader.problem(
      '/traffic/hosts',
      'traffic.hosts has no meaning where tenancy is by host: its pattern says which',
    );
  }
  if ((from === 'path' || from === 'header') && hosts.length === 0) {
    reader.problem('/traffic/hosts', `traffic.hosts must name the hosts served, since tenancy is by ${from}`);
  }
  return { unidentified: 'deny', origins, hosts };
}

/** A default port may be written out; nothing else may stand after the host. */
function isOnlyOrigin(text: string, origin: string): boolean {
  return [origin, `${origin}:80`, `${origin}:443`].includes(text.toLowerCase());
}

export function buildTenancy(reader: Reader): Tenancy {
  const from = reader.text('/tenancy/from');
  refuseForeignKeys(reader, from);
  if (from === 'path') return buildPathTenancy(reader);
  if (from === 'header') {
    const name = reader.text('/tenancy/header');
    const problem = name === '' ? null : headerNameProblem(name);
    if (problem !== null) reader.problem('/tenancy/header', `${quoted(name)} ${problem}`);
    return { from: 'header', name: name.toLowerCase() };
  }
  return buildHostTenancy(reader);
}

const KEYS_OF: Readonly<Record<string, readonly string[]>> = {
  host: ['pattern'],
  path: ['pattern', 'strip'],
  header: ['header'],
};

function refuseForeignKeys(reader: Reader, from: string): void {
  const own = KEYS_OF[from];
  if (own === undefined) return;
  for (const key of ['pattern', 'strip', 'header']) {
    const pointer = pointerTo('/tenancy', key);
    if (reader.holds(pointer) && !own.includes(key)) {
      reader.problem(pointer, `tenancy.${key} has no meaning where tenancy is by ${from}`);
    }
  }
  const needed = own[0] as string;
  if (!reader.has(`/tenancy/${needed}`)) {
    reader.problem('/tenancy', `tenancy.${needed} is missing: tenancy is by ${from}`);
  }
}

function buildHostTenancy(reader: Reader): Tenancy {
  const pattern = reader.text('/tenancy/pattern');
  const [, name = '', port] = /^(.*?)(?::([0-9]{1,5}))?$/.exec(pattern.toLowerCase()) ?? [];
  const labels = name.split('.');
  const at = labels.indexOf(TENANT);
  const others = labels.filter((_, index) => index !== at);
  const isHostPattern =
    at !== -1 && at < labels.length - 1 && others.every((label) => new RegExp(`^${LABEL}$`).test(label));
  if (pattern !== '' && (!isHostPattern || Number(port ?? 0) > 65_535)) {
    reader.problem(
      '/tenancy/pattern',
      `${quoted(pattern)}: exactly one whole label must be {tenant}, and not the last: {tenant}.app.example.com`,
    );
  }
  const [prefix = '', suffix = ''] = name.split(TENANT);
  return { from: 'host', pattern, prefix, suffix, port: port === undefined ? null : Number(port) };
}

/** Only unreserved characters (RFC 3986 section 2.3), so that the prefix is its own canonical form. */
const PATH_PATTERN = /^\/(?:[A-Za-z0-9_~-][A-Za-z0-9._~-]*\/)*\{tenant\}$/;

function buildPathTenancy(reader: Reader): Tenancy {
  const pattern = reader.text('/tenancy/pattern');
  if (pattern !== '' && (!PATH_PATTERN.test(pattern) || pattern.startsWith('/-/'))) {
    reader.problem(
      '/tenancy/pattern',
      `${quoted(pattern)}: plain segments and, as the last, {tenant}; for example /t/{tenant}`,
    );
  }
  const prefix = pattern.slice(0, Math.max(pattern.length - TENANT.length, 0));
  return { from: 'path', pattern, prefix, strip: reader.flag('/tenancy/strip') };
}
