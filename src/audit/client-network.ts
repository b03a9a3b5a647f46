// The network of a client address: /24 for IPv4 (mapped ones too), /56 for IPv6. Not hot: only beyond the
// rate at which refusals are summed. Assumes nothing: what is no address is its own network, `unknown`.
import { isIPv4, isIPv6 } from 'node:net';

export function clientNetwork(address: string): string {
  const plain = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
  if (isIPv4(plain)) return `${plain.slice(0, plain.lastIndexOf('.'))}.0/24`;
  const zone = plain.indexOf('%');
  const bare = zone === -1 ? plain : plain.slice(0, zone);
  if (!isIPv6(bare)) return 'unknown';
  const [first, second, third, fourth] = expanded(bare);
  const half = (Number.parseInt(fourth ?? '0', 16) & 0xff00).toString(16);
  return `${first}:${second}:${third}:${half}::/56`;
}

/** The eight groups of an IPv6 address, without leading zeros. */
function expanded(address: string): readonly string[] {
  const [head = '', tail] = address.split('::', 2);
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const gap = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length);
  const groups = [...before, ...Array.from({ length: gap }, () => '0'), ...after];
  return groups.map((group) => Number.parseInt(group, 16).toString(16));
}
