// Layers of tenant settings out of a file: what their schema cannot say is said here, at its place, in the words that the
// control API uses too. Assumes that the schema was asked; runs over any value all the same. Pure and cold.
import { type ClassRules, readLayer, type SettingsLayer } from '#model/settings-layer.ts';
import { contradictions, layerProblems, type SettingsProblem } from '#model/settings-values.ts';
import type { GrantDurations } from '#model/tenant-settings.ts';
import { dotted } from './problem-list.ts';
import type { YamlValue } from './yaml-source.ts';

export type Tell = (pointer: string, message: string) => void;

/** Below every layer: what the gateway's schema says where nobody says anything, and no lower limit. */
const LEAST: GrantDurations = {
  presets: [],
  default: '7d',
  min: '1s',
  max: '14d',
  indefinite: false,
  maxPerCase: null,
  maxStartDelay: '365d',
  wholeDays: 0,
};

const CONTEXT = {
  dangerouslyAllowHttpWebhooks: false,
  classes: new Set<string>(),
  profiles: new Set<string>(),
  recordsKeptMs: Number.POSITIVE_INFINITY,
};

/**
 * The layer that stands at `pointer`, its problems told; empty where there is none or the schema has refused it. A profile
 * is read before the gateway's file says how long records are kept.
 */
export function layerAt(
  value: YamlValue | undefined,
  pointer: string,
  tell: Tell,
  recordsKeptMs = CONTEXT.recordsKeptMs,
): ClassRules {
  const plain = plainOf(value);
  if (plain === null) return {};
  const layer = readLayer(plain) as ClassRules;
  tellAll(layerProblems(layer, { ...CONTEXT, recordsKeptMs }), pointer, tell);
  return layer;
}

/** The classes that stand at `pointer`, each with its layer. */
export function classesAt(
  value: YamlValue | undefined,
  pointer: string,
  tell: Tell,
  recordsKeptMs = CONTEXT.recordsKeptMs,
): Readonly<Record<string, ClassRules>> {
  const plain = plainOf(value) ?? {};
  const names = Object.keys(plain);
  return Object.fromEntries(
    names.map((name) => [name, layerAt(plain[name] as YamlValue, `${pointer}/${name}`, tell, recordsKeptMs)]),
  );
}

/** What durations of several layers, the lowest first, do not fit together; said of what stands at `pointer`. */
export function tellContradictions(layers: readonly SettingsLayer[], pointer: string, tell: Tell): void {
  const durations: GrantDurations = Object.assign({}, LEAST, ...layers.map((layer) => layer.durations));
  tellAll(contradictions({ durations }).slice(0, 1), pointer, tell);
}

function tellAll(found: readonly SettingsProblem[], prefix: string, tell: Tell): void {
  for (const { pointer, sentence } of found) {
    const place = prefix + pointer;
    tell(place, `${dotted(place)}: ${sentence.replace(/\.$/, '')}`);
  }
}

/** With prototypes, as the rest of the program knows objects; null for what is no mapping. */
function plainOf(value: YamlValue | undefined): Record<string, unknown> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
}
