// Whether an IP address belongs to the public Internet: what a webhook that a tenant configured may be sent to. Attack:
// server-side request forgery, a tenant who names our own machine, its neighbours or the cloud's metadata service.
// Guarantees: fails closed; whatever stands for another address (mapped, translated, tunnelled) is refused as a whole.
// The tables are IANA's special-purpose registries (RFC 6890) and the clouds' own addresses outside of them. Cold.
import { BlockList, isIP } from 'node:net';

/** Network and length of its prefix. */
type Network = readonly [network: string, prefix: number];

const NOT_PUBLIC_IPV4: readonly Network[] = [
  ['0.0.0.0', 8], // this network; 0.0.0.0 reaches the machine itself
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // shared between carriers and their customers; a cloud's metadata at 100.100.100.200
  ['127.0.0.0', 8], // loopback
  ['168.63.129.16', 32], // a cloud's platform service, though the address is a public one
  ['169.254.0.0', 16], // link-local; metadata services at 169.254.169.254
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments; a cloud's metadata at 192.0.0.192
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // relays of 6to4
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved, and broadcast
];

/**
 * All of IPv6 that was ever given out to the public. So ::1, ::ffff:0:0/96 (IPv4-mapped), 64:ff9b::/96 and 64:ff9b:1::/48
 * (NAT64), fc00::/7 (unique local), fe80::/10, fec0::/10 and ff00::/8 need no line of their own.
 */
const GLOBAL_UNICAST: Network = ['2000::', 3];

const NOT_PUBLIC_IPV6: readonly Network[] = [
  ['2001::', 23], // protocol assignments: Teredo, benchmarks, ORCHID
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4: an IPv4 address in disguise
  ['3fff::', 20], // documentation
];

const notPublic = new BlockList();
for (const [network, prefix] of NOT_PUBLIC_IPV4) notPublic.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of NOT_PUBLIC_IPV6) notPublic.addSubnet(network, prefix, 'ipv6');
const unicast = new BlockList();
unicast.addSubnet(...GLOBAL_UNICAST, 'ipv6');

/** False for what is no address at all, and for one with a zone (`fe80::1%eth0`). */
export function isPublicAddress(address: string): boolean {
  if (address.includes('%')) return false;
  const family = isIP(address);
  if (family === 4) return !notPublic.check(address, 'ipv4');
  return family === 6 && unicast.check(address, 'ipv6') && !notPublic.check(address, 'ipv6');
}
