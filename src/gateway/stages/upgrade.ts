// The client's side of a WebSocket handshake (RFC 6455 section 4.2.1) and the Origin it comes from.
// Only an exact `Upgrade: websocket` is an upgrade; lists with it are refused, everything else is a plain request.
import { deny, PASS, type Verdict } from '#model/verdict.ts';
import type { Exchange } from '../exchange.ts';
import { ownCookieOf } from '../own-cookie.ts';
import { isOwnOrigin } from '../same-origin.ts';
import type { Stage } from '../stage.ts';

export function upgradeStage(origins: readonly string[]): Stage {
  const allowed = new Set(origins);
  return {
    name: 'upgrade',
    run(x) {
      if (x.socket === null) {
        // A server that takes lists would upgrade what was judged as a plain request.
        return x.head.upgrade.includes('websocket') ? deny('upgrade_refused') : PASS;
      }
      return judgeHandshake(x, allowed);
    },
  };
}

function judgeHandshake(x: Exchange, origins: ReadonlySet<string>): Verdict {
  const { head } = x;
  if (x.method !== 'GET' || x.httpVersion !== '1.1') return deny('upgrade_refused');
  if (head.contentLength !== 0) return deny('bad_framing', 'a body on an upgrade');
  // Sent before the 101, they are a second request to an upstream that refuses the upgrade (class 20).
  if (x.upgradeHead !== null && x.upgradeHead.length > 0)
    return deny('bad_framing', 'bytes after the handshake');
  if (head.webSocketVersion !== '13') return deny('websocket_version');
  if (!isWebSocketKey(head.webSocketKey)) return deny('upgrade_refused', 'the key is not 16 bytes in base64');
  return originIsAllowed(head.origin, x, origins) ? PASS : deny('origin_refused');
}

/**
 * None is accepted here: only a browser sends one, and where its cookie is the credential its absence is refused
 * (credential.ts). Without a list it is the request's own host; with our cookie by https, also where TLS ends before us.
 */
function originIsAllowed(origin: string, x: Exchange, origins: ReadonlySet<string>): boolean {
  if (origin === '') return true;
  const lower = origin.toLowerCase();
  if (origins.size > 0) return origins.has(lower);
  if (ownCookieOf(x.head.cookie) !== null) return isOwnOrigin(lower, x);
  return lower === `${x.secure ? 'https' : 'http'}://${x.host}`;
}

/** 22 characters of base64 and `==`: 16 bytes. */
function isWebSocketKey(key: string): boolean {
  if (key.length !== 24 || !key.endsWith('==')) return false;
  for (let i = 0; i < 22; i++) {
    const code = key.charCodeAt(i);
    const base64 =
      (code >= 0x41 && code <= 0x5a) ||
      (code >= 0x61 && code <= 0x7a) ||
      (code >= 0x2f && code <= 0x39) ||
      code === 0x2b;
    if (!base64) return false;
  }
  return true;
}
