// What the gateway's file says of tenant settings: the profile, what stands above and below it, classes, the floor for
// sessions. Cold. Guarantees: every layer and every combination that the file makes is checked here, so that what holds
// for a tenant nobody has said anything about is known to fit together at start.
import type { SessionFloor, SettingsDefaults, SettingsProfile } from '#model/settings-layer.ts';
import { nearestWord } from './nearest.ts';
import { quoted } from './problem.ts';
import type { Reader } from './reader.ts';
import { classesAt, layerAt, type Tell, tellContradictions } from './settings-problems.ts';

const RETENTION = '/audit/retention';

export function buildSessions(reader: Reader): SessionFloor {
  const idleMs = reader.durationMs('/sessions/idle', '1m', '24h');
  const maxMs = reader.durationMs('/sessions/max', '1m', '30d');
  if (maxMs > 0 && idleMs > maxMs) {
    const place = reader.holds('/sessions/idle') ? 'idle' : 'max';
    reader.problem(`/sessions/${place}`, 'sessions.idle must not exceed sessions.max');
  }
  return { required: reader.flag('/sessions/required'), idleMs, maxMs };
}

export function buildSettings(reader: Reader, profiles: SettingsDefaults['profiles']): SettingsDefaults {
  const tell: Tell = (pointer, message) => {
    if (!reader.isReported(pointer)) reader.problem(pointer, message);
  };
  reader.checkPart('/grants/settings', 'profile#settings');
  reader.checkPart('/grants/classes', 'profile#classes');
  const floor = buildSessions(reader);
  const profile = chosenProfile(reader, profiles);
  const file = {
    durations: { default: reader.text('/grants/limits/default'), max: reader.text('/grants/limits/max') },
    sessionsRequired: floor.required,
    sessionIdleMs: floor.idleMs,
    sessionMaxMs: floor.maxMs,
  };
  const recordsKeptMs = keptMs(reader);
  const over = layerAt(reader.value('/grants/settings'), '/grants/settings', tell, recordsKeptMs);
  const classes = classesAt(reader.value('/grants/classes'), '/grants/classes', tell, recordsKeptMs);
  for (const one of profiles.values()) checkRetention(reader, one, recordsKeptMs);
  const base = [file, profile?.settings ?? {}, over];
  if (profile !== null || reader.holds('/grants/settings')) {
    tellContradictions(base, reader.holds('/grants/settings') ? '/grants/settings' : '/grants/profile', tell);
  }
  for (const [name, rules] of Object.entries(classes)) {
    tellContradictions([...base, profile?.classes[name] ?? {}, rules], `/grants/classes/${name}`, tell);
  }
  return { file, floor, profile: profile?.name ?? null, profiles, over, classes, recordsKeptMs };
}

/** As the audit is built with it; a value that is none is told, and nothing is compared with it. */
function keptMs(reader: Reader): number {
  const ms = reader.durationMs(RETENTION, '1d', '520w');
  return reader.isReported(RETENTION) ? Number.POSITIVE_INFINITY : ms;
}

/** Of every profile, since a tenant may be given any of them. */
function checkRetention(reader: Reader, profile: SettingsProfile, recordsKeptMs: number): void {
  const layers = [profile.settings, ...Object.values(profile.classes)];
  if (!layers.some(({ auditRetentionMs }) => (auditRetentionMs ?? 0) > recordsKeptMs)) return;
  reader.problem(
    RETENTION,
    `audit.retention is shorter than auditRetention of the profile ${quoted(profile.name)}`,
  );
}

/** Null where none is named, or there is none of the name, which is then told. */
function chosenProfile(reader: Reader, profiles: SettingsDefaults['profiles']): SettingsProfile | null {
  const name = reader.text('/grants/profile');
  if (name === '') return null;
  const profile = profiles.get(name);
  if (profile === undefined) {
    const nearest = nearestWord(name, [...profiles.keys()]);
    const hint =
      nearest === null ? `known: ${[...profiles.keys()].join(', ')}` : `did you mean ${quoted(nearest)}?`;
    reader.problem('/grants/profile', `there is no profile ${quoted(name)}; ${hint}`);
    return null;
  }
  const { durations } = profile.settings;
  if (reader.holds('/grants/limits') && (durations?.default !== undefined || durations?.max !== undefined)) {
    reader.problem(
      '/grants/limits',
      'grants.limits has no meaning here: the profile says how long grants last, and grants.settings.durations what differs',
    );
  }
  return profile;
}
