// A file, the environment and the secrets they point to → one frozen `Config`, or every problem at once. Cold.
// Guarantees: never throws for anything a file may hold, bounded in time, no secret in a problem. Runs at start only.
import { dirname, resolve } from 'node:path';
import type { SettingsDefaults } from '#model/settings-layer.ts';
import { buildIdentity } from './build-identity.ts';
import { buildListen } from './build-listen.ts';
import { buildNotify } from './build-notify.ts';
import { buildAudit, buildGrants, buildLimits, buildPolicies, buildSwitches } from './build-rest.ts';
import { buildTenancy, buildTraffic } from './build-traffic.ts';
import { buildSecrets, buildUpstream } from './build-upstream.ts';
import type { Config } from './config.ts';
import type { Problem } from './problem.ts';
import { readProfiles } from './profile-files.ts';
import { createProblemList, type ProblemList } from './problem-list.ts';
import { createReader, type Reader } from './reader.ts';
import { checkSchema } from './schema-check.ts';
import { fileProblem, readSource } from './source-file.ts';
import { readYaml, type YamlSource, type YamlValue } from './yaml-source.ts';

/** In a container the ops listener must be reachable from outside of it: the image sets this. */
const OPS_ADDRESS_VARIABLE = 'POSTERN_OPS_ADDRESS';

export interface LoadConfigOptions {
  /** As the person named it; problems repeat it. */
  readonly file: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Problems are never empty where there are any; warnings are unsafe choices that are allowed. Both sorted. */
export type ConfigResult =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly warnings: readonly Problem[] };

export function loadConfig(options: LoadConfigOptions): ConfigResult {
  const { file } = options;
  const text = readSource(file);
  if (typeof text !== 'string')
    return { ok: false, problems: [fileProblem(file, text.failure)], warnings: [] };
  return parseConfig(text, options);
}

/** The same over text that was already read; `file` still says where paths are relative to. */
export function parseConfig(text: string, options: LoadConfigOptions): ConfigResult {
  const { file, env } = options;
  const source = readYaml(text);
  const problems = createProblemList(file, source);
  const warnings = createProblemList(file, { ...source, problems: [] });
  if (source.broken) return { ok: false, problems: problems.finish(), warnings: [] };
  const value = withEnvironmentDefaults(source.value, env);
  checkSchema(value, problems);
  const absolute = resolve(file);
  const folder = dirname(absolute);
  const reader = createReader({ value, folder, env, problems, warnings });
  const files = readProfiles(folder);
  const config = build(reader, { file: absolute, folder, profiles: files.profiles });
  refuseBadVariable(source, env, problems);
  const said = warnings.finish();
  if (problems.count > 0 || files.problems.length > 0)
    return { ok: false, problems: [...problems.finish(), ...files.problems], warnings: said };
  return { ok: true, config: deepFreeze(config), warnings: said };
}

interface Surroundings {
  /** Absolute. */
  readonly file: string;
  readonly folder: string;
  readonly profiles: SettingsDefaults['profiles'];
}

function build(reader: Reader, { file, folder, profiles }: Surroundings): Config {
  return {
    file,
    listen: buildListen(reader, folder),
    workers: 1,
    traffic: buildTraffic(reader),
    tenancy: buildTenancy(reader),
    upstream: buildUpstream(reader),
    secrets: buildSecrets(reader),
    identity: buildIdentity(reader),
    grants: buildGrants(reader, profiles),
    notify: buildNotify(reader),
    policies: buildPolicies(reader),
    audit: buildAudit(reader),
    limits: buildLimits(reader),
    ...buildSwitches(reader),
  };
}

/** What the file says wins: the variable changes the default alone. */
function withEnvironmentDefaults(value: YamlValue, env: LoadConfigOptions['env']): YamlValue {
  const address = env[OPS_ADDRESS_VARIABLE];
  if (address === undefined || address === '' || !isMapping(value)) return value;
  // An empty key stays empty, so that the schema can say so.
  const { listen = {} } = value;
  if (!isMapping(listen)) return value;
  const { ops = {} } = listen;
  if (!isMapping(ops) || ops['address'] !== undefined) return value;
  ops['address'] = address;
  listen['ops'] = ops;
  value['listen'] = listen;
  return value;
}

/** A bad value is the variable's fault, which no place in the file shows. */
function refuseBadVariable(source: YamlSource, env: LoadConfigOptions['env'], problems: ProblemList): void {
  const address = env[OPS_ADDRESS_VARIABLE] ?? '';
  if (address === '' || source.places.has('/listen/ops/address')) return;
  if (!/^(?:unix:.+|(?:\[[0-9a-f:.]+\]|[0-9a-z._-]+):[0-9]{1,5})$/i.test(address)) {
    problems.at('', `the environment variable ${OPS_ADDRESS_VARIABLE} is not host:port or unix:/path`);
  }
}

function isMapping(value: YamlValue): value is { [key: string]: YamlValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Maps cannot be frozen; their type is read-only. Secrets are frozen where they are made. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
