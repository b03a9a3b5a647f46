// The closed list of what may end an exchange; recorded as `endedBy`, counted when the gate did it.
// A reason code says what a client was told; this says what happened.

export const ENDED_BY = [
  'upstream',
  'client',
  'timeout',
  'fault',
  'revoked',
  'expired',
  'narrowed',
  'session_ended',
  'locked',
  'suspended',
  'credential_expired',
  'policy',
  'guard',
  'limit',
  'drain',
] as const;
export type EndedBy = (typeof ENDED_BY)[number];

/** The endings by which the gate cuts an exchange that was allowed: authority ended, or it is shutting down. */
export type CutReason = Extract<
  EndedBy,
  | 'revoked'
  | 'expired'
  | 'narrowed'
  | 'session_ended'
  | 'locked'
  | 'suspended'
  | 'credential_expired'
  | 'policy'
  | 'drain'
>;
