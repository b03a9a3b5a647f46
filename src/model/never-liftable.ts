// The categories of deny rules that no settings and no grant ever lift, whoever asks. The policy room holds a list of its
// own against rules that call themselves liftable: the two say the same. Pure and cold.

/** Whatever settings say: lifting one of these would let support grant itself more. */
export const NEVER_LIFTABLE: readonly string[] = Object.freeze([
  'self-grant',
  'user-admin',
  'permissions',
  'credentials',
]);
