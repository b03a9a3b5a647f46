// What is taken for an e-mail address wherever one is configured, kept or sent to: one mailbox and nothing else. Pure, cold.
// Attack: an address that a mail server reads as two, as a comment, or as a line of its own.

/** RFC 5321 section 4.1.2 without quoted local parts and address literals; letters of any script (RFC 6531). */
const ADDRESS = /^[^\s\p{C}<>()[\]\\,;:"@]{1,64}@[\p{L}\p{N}](?:[\p{L}\p{N}.-]{0,252}[\p{L}\p{N}])?$/u;
/** RFC 5321 section 4.5.3.1.3, without the angle brackets. */
const MAX_LENGTH = 254;

export function isMailAddress(text: string): boolean {
  return text.length <= MAX_LENGTH && ADDRESS.test(text);
}
