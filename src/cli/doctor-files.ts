// What of the configuration lies on this machine: keys, certificates, the store, the journal and its disk, policies, the
// kill switch. Guarantees: nothing is written, made or locked; of a key only its place and mode are shown. Cold.
import { X509Certificate } from 'node:crypto';
import { accessSync, constants, existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Config, SigningKey, TlsMaterial } from '#config/config.ts';
import { about, codeOf, type Finding, type Sort } from './doctor-finding.ts';
import type { DoctorRooms } from './doctor-rooms.ts';
import { loadPolicySets } from './policy-sets.ts';

const DAY_MS = 86_400_000;
const MIB = 1024 * 1024;
/** The journal refuses long before a disk is quite full; below this it is about to. */
const LEAST_FREE_BYTES = 64 * MIB;

export async function filesFindings(config: Config, rooms: DoctorRooms): Promise<readonly Finding[]> {
  const { listen, upstream, audit, killSwitch } = config;
  return [
    keyFinding('assertion', upstream.assertion.key),
    keyFinding('audit', audit.signingKey),
    ...[['data', listen.data.tls] as const, ['control', listen.control.tls] as const].flatMap(
      ([name, tls]) => (tls === null ? [] : [certificateFinding(name, tls)]),
    ),
    storeFinding(config, rooms),
    ...journalFindings(config),
    await policyFinding(config),
    ...(existsSync(killSwitch.file)
      ? [about('kill switch', shortPath(killSwitch.file))('warning', 'the file exists: nothing is forwarded')]
      : []),
  ];
}

/** As much of a path as tells files apart on one screen. */
export function shortPath(path: string): string {
  return join(basename(dirname(path)), basename(path));
}

function keyFinding(name: string, { pem, file }: SigningKey): Finding {
  const sort = about('key', name);
  if (file === null) return sort('ok', 'from the environment');
  if (pem === null) {
    const code = canMakeIn(dirname(file));
    if (code === null) return sort('ok', `${shortPath(file)} will be made on first start`);
    return sort(
      'failed',
      `${shortPath(file)} is not there and cannot be made (${code})`,
      `Make ${dirname(file)} writable.`,
    );
  }
  const mode = statSync(file).mode & 0o777;
  if ((mode & 0o077) === 0) return sort('ok', `${shortPath(file)} is its owner’s alone`);
  return sort(
    'warning',
    `${shortPath(file)} can be read by others (${mode.toString(8)})`,
    `chmod 600 ${file}`,
  );
}

/** The folder itself, or the nearest above it. */
function existing(folder: string): string {
  let place = folder;
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  return place;
}

/** Null, or why not: the nearest folder above that exists decides. */
function canMakeIn(folder: string): string | null {
  try {
    accessSync(existing(folder), constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return codeOf(error);
  }
}

function certificateFinding(name: string, { cert }: TlsMaterial): Finding {
  const sort = about('certificate', name);
  const { validTo } = new X509Certificate(cert.reveal());
  const days = Math.floor((Date.parse(validTo) - Date.now()) / DAY_MS);
  const until = new Date(validTo).toISOString().slice(0, 10);
  const remedy = 'Replace the files: they are reloaded by themselves.';
  if (days < 0) return sort('failed', `expired on ${until}`, remedy);
  if (days < 14) return sort('warning', `expires on ${until}`, remedy);
  return sort('ok', `valid until ${until}`);
}

function storeFinding({ grants }: Config, rooms: DoctorRooms): Finding {
  const { path } = grants.store.sqlite;
  const sort = about('store', shortPath(path));
  if (!existsSync(path)) {
    const code = canMakeIn(dirname(path));
    if (code === null) return sort('ok', 'will be made on first start');
    return sort('failed', `is not there and cannot be made (${code})`, `Make ${dirname(path)} writable.`);
  }
  try {
    const version = rooms.storeVersion(path);
    accessSync(path, constants.R_OK | constants.W_OK);
    accessSync(dirname(path), constants.W_OK);
    return sort('ok', `opens, schema version ${version}`);
  } catch (error) {
    return sort('failed', `cannot be used (${codeOf(error)})`, 'Without it every request is 503.');
  }
}

function journalFindings({ audit }: Config): readonly Finding[] {
  const { directory, maxBytes } = audit;
  const sort = about('journal', shortPath(directory));
  const code = canMakeIn(directory);
  if (code !== null) {
    return [sort('failed', `cannot be written (${code})`, 'What cannot be recorded is not forwarded: 503.')];
  }
  const { bavail, bsize } = statfsSync(existing(directory));
  return [
    sort('ok', existsSync(directory) ? 'is writable' : 'will be made on first start'),
    diskFinding(about('disk', shortPath(directory)), { free: bavail * bsize, directory, maxBytes }),
  ];
}

interface Disk {
  readonly free: number;
  readonly directory: string;
  readonly maxBytes: number;
}

function diskFinding(sort: Sort, { free, directory, maxBytes }: Disk): Finding {
  const mayGrow = Math.max(0, maxBytes - bytesIn(directory));
  if (free < LEAST_FREE_BYTES) {
    return sort(
      'failed',
      `${shownSize(free)} free`,
      'The journal is about to refuse, and with it the gate: make room.',
    );
  }
  if (free < mayGrow) {
    return sort(
      'warning',
      `${shownSize(free)} free, and the journal may still grow by ${shownSize(mayGrow)}`,
      'Lower audit.maxBytes, or give it a larger disk: it is refused at the earlier of both.',
    );
  }
  return sort('ok', `${shownSize(free)} free`);
}

function bytesIn(directory: string): number {
  if (!existsSync(directory)) return 0;
  return readdirSync(directory).reduce((total, name) => {
    return total + (statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0);
  }, 0);
}

function shownSize(bytes: number): string {
  const mib = bytes / MIB;
  return mib < 1024 ? `${Math.floor(mib)} MiB` : `${(mib / 1024).toFixed(1)} GiB`;
}

async function policyFinding({ policies }: Config): Promise<Finding> {
  const sort = about('policies', shortPath(policies.directory));
  const { problems, sets } = await loadPolicySets(policies.directory);
  if (problems.length === 0) {
    const rules = sets.reduce((total, { policy }) => total + policy.ruleCount, 0);
    return sort('ok', `${rules} rules, packs that are not in use included`);
  }
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  return sort('failed', count, `postern policy check ${policies.directory}`);
}
