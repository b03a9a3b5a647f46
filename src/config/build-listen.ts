// The listeners: addresses, TLS material, and that no two of them meet. Cold.
// Guarantees: a certificate that is accepted belongs to its key.
import { resolve } from 'node:path';
import type { Address, Config, TlsMaterial } from './config.ts';
import { quoted } from './problem.ts';
import type { Reader } from './reader.ts';
import { tlsProblem } from './tls-material.ts';

/** `sun_path` of Linux holds 108 bytes, the last one NUL. */
const MAX_UNIX_PATH_BYTES = 107;
const NAMES = ['data', 'control', 'ops'] as const;

export function buildListen(reader: Reader, folder: string): Config['listen'] {
  const address = (name: (typeof NAMES)[number]): Address =>
    buildAddress(reader, `/listen/${name}/address`, folder);
  const listen = {
    data: { address: address('data'), tls: buildTls(reader, '/listen/data/tls') },
    control: { address: address('control'), tls: buildTls(reader, '/listen/control/tls') },
    ops: { address: address('ops') },
  };
  for (const [index, name] of NAMES.entries()) {
    for (const other of NAMES.slice(index + 1)) {
      if (meet(listen[name].address, listen[other].address)) {
        reader.problem(`/listen/${other}/address`, `listen.${other} and listen.${name} share an address`);
      }
    }
  }
  return listen;
}

function buildAddress(reader: Reader, pointer: string, folder: string): Address {
  const text = reader.text(pointer);
  if (text.startsWith('unix:')) {
    const path = resolve(folder, text.slice('unix:'.length));
    if (Buffer.byteLength(path) > MAX_UNIX_PATH_BYTES) {
      reader.problem(pointer, `the path of a Unix socket has at most ${MAX_UNIX_PATH_BYTES} bytes`);
    }
    return { kind: 'unix', path };
  }
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  if (port > 65_535) reader.problem(pointer, `${quoted(text)}: a port is 0 to 65535`);
  return { kind: 'tcp', host: text.slice(0, Math.max(colon, 0)).replace(/^\[|\]$/g, ''), port };
}

function meet(a: Address, b: Address): boolean {
  if (a.kind === 'unix') return b.kind === 'unix' && a.path === b.path;
  if (b.kind === 'unix' || a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || isEveryAddress(a.host) || isEveryAddress(b.host);
}

function isEveryAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function buildTls(reader: Reader, pointer: string): TlsMaterial | null {
  if (!reader.has(pointer)) return null;
  const cert = reader.secret(`${pointer}/cert`);
  const key = reader.secret(`${pointer}/key`);
  if (cert === null || key === null) return null;
  const material = { cert, key };
  const problem = tlsProblem(material);
  if (problem !== null) reader.problem(pointer, problem);
  return material;
}
