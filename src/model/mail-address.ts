// What is taken for an e-mail address wherever one is configured, kept or sent to: one mailbox and nothing else; and when two
// are the same mailbox, whoever spelled them. Pure. `mailboxOf` is warm: an address in lower case is looked at, not copied.
// Attacks: an address that a mail server reads as two, as a comment, or as a line of its own; somebody who is two people by
// two spellings of one address.
import { domainToASCII } from 'node:url';

/** RFC 5321 section 4.1.2 without quoted local parts and address literals; letters of any script (RFC 6531). */
const ADDRESS = /^[^\s\p{C}<>()[\]\\,;:"@]{1,64}@[\p{L}\p{N}](?:[\p{L}\p{N}.-]{0,252}[\p{L}\p{N}])?$/u;
/** RFC 5321 section 4.5.3.1.3, without the angle brackets. */
const MAX_LENGTH = 254;

export function isMailAddress(text: string): boolean {
  return text.length <= MAX_LENGTH && ADDRESS.test(text);
}

/**
 * The mailbox that an address is delivered to, so that two spellings of it are equal: case, Unicode and IDNA forms, quotes,
 * comments (RFC 5322 section 3.4.1) and a tag behind `+` (RFC 5233) make no other. Errs towards one mailbox, for where law 8
 * compares people; never for sending. Any text may be asked about.
 */
export function mailboxOf(address: string): string {
  return isPlain(address) ? address : folded(address);
}

/** `-` may begin a punycode label, and that is the form which labels are brought to. */
function isPlain(address: string): boolean {
  for (let i = 0; i < address.length; i++) {
    const code = address.charCodeAt(i);
    const isLetterOrDigit = (code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39);
    if (!isLetterOrDigit && code !== DOT && code !== AT && code !== HYPHEN && code !== UNDERSCORE)
      return false;
  }
  return address.charCodeAt(address.length - 1) !== DOT;
}

const DOT = 0x2e;
const AT = 0x40;
const HYPHEN = 0x2d;
const UNDERSCORE = 0x5f;
const COMMENT = /\([^()]*\)/g;
const QUOTING = /["\\]/g;
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

function folded(address: string): string {
  const text = address
    .normalize('NFKC')
    .replace(INVISIBLE, '')
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .normalize('NFKC')
    .replace(COMMENT, '');
  const at = text.lastIndexOf('@');
  if (at === -1) return text;
  const local = text.slice(0, at).replace(QUOTING, '').trim();
  const tag = local.indexOf('+');
  return `${tag > 0 ? local.slice(0, tag) : local}@${domainOf(text.slice(at + 1))}`;
}

/** RFC 5890 section 2.3.2.1: labels in their ASCII form, without the dot of the root. */
function domainOf(text: string): string {
  const domain = domainToASCII(text.trim()) || text.trim();
  return domain.endsWith('.') ? domain.slice(0, -1) : domain;
}
