// Postern's own prefix on the data listener, and what is answered below it. Pure. Hot: most paths are told apart by their
// second character.

export const JWKS_PATH = '/-/postern/jwks.json';
export const ENTER_PATH = '/-/postern/enter';
export const LEAVE_PATH = '/-/postern/leave';

const HYPHEN = 0x2d;
const PERCENT = 0x25;
const SEMICOLON = 0x3b;
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

/**
 * By the widest reading: an upstream that folds case, drops parameters or maps a fullwidth hyphen must not be reached
 * under a name of ours either. Nothing else begins so. Assumes a canonical path.
 */
export function isReserved(path: string): boolean {
  const first = path.charCodeAt(1);
  if (first !== HYPHEN && first !== PERCENT && first !== SEMICOLON) return false;
  const [dash, name] = path.split('/').map(fold).filter(Boolean);
  return dash === '-' && name === 'postern';
}

function fold(segment: string): string {
  const readable = decodeURIComponent(segment).replace(INVISIBLE, '').normalize('NFKC').toLowerCase();
  const semicolon = readable.indexOf(';');
  let end = semicolon < 0 ? readable.length : semicolon;
  // A loop: `[. ]+$` looks at a long run of dots once for each of them.
  while (end > 0 && (readable[end - 1] === '.' || readable[end - 1] === ' ')) end--;
  return readable.slice(0, end);
}
