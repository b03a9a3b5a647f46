// What a request declares its body to be. Guarantees: one media type in one well-formed Content-Type (RFC 9110
// section 8.3.1) and UTF-8, or nothing: a list, a second charset or UTF-16 would let two readers see two bodies.
// Not hot: asked once for a body that was held.

/** How the bytes are to be read. */
export type BodySyntax = 'json' | 'form' | 'graphql';

const MEDIA_TYPE = /^[\t ]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\/([!#$%&'*+.^_`|~0-9A-Za-z-]+)[\t ]*/;
/** Sticky; RFC 9110 section 5.6.6, an empty parameter included. */
const PARAMETER =
  /;[\t ]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)|"((?:[^"\\\p{Cc}]|\\[^\p{Cc}])*)"))?[\t ]*/uy;
const UTF_8 = new Set(['utf-8', 'utf8']);

/** Null: nothing that rules can look into, or not declared in one way only. */
export function syntaxOf(contentType: string): BodySyntax | null {
  const media = MEDIA_TYPE.exec(contentType);
  if (media === null || !isUtf8(contentType, media[0].length)) return null;
  const type = `${media[1]}/${media[2]}`.toLowerCase();
  if (type === 'application/x-www-form-urlencoded') return 'form';
  if (type === 'application/graphql') return 'graphql';
  // A patch names what it changes by value: no pointer of a rule would find it.
  if (type === 'application/json-patch+json') return null;
  return type === 'application/json' || type.endsWith('+json') ? 'json' : null;
}

/** Whether the parameters are well formed and name no other charset, nor any twice. */
function isUtf8(contentType: string, start: number): boolean {
  let charset: string | null = null;
  PARAMETER.lastIndex = start;
  while (PARAMETER.lastIndex < contentType.length) {
    const found = PARAMETER.exec(contentType);
    if (found === null) return false;
    if (found[1]?.toLowerCase() !== 'charset') continue;
    if (charset !== null) return false;
    charset = (found[2] ?? found[3] ?? '').toLowerCase();
  }
  return charset === null || UTF_8.has(charset);
}
