// The three answers of every command; scripts and containers depend on them.
// Not hot.

/** What was asked about holds. */
export const HELD = 0;
/** It does not. */
export const DID_NOT_HOLD = 1;
/** It could not be asked: bad usage, configuration or policy. */
export const COULD_NOT_BE_ASKED = 2;
