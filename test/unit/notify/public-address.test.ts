// Attack: a tenant's webhook that names our own machine, its neighbours or the cloud's metadata service (SSRF), in any of
// the spellings in which an address can hide in another one.
import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '#notify/public-address.ts';
import { pinnableAddresses } from '#notify/resolve-host.ts';

const REFUSED: readonly (readonly [what: string, ...addresses: string[]])[] = [
  ['this network', '0.0.0.0', '0.1.2.3', '0.255.255.255'],
  ['private 10/8', '10.0.0.0', '10.255.255.255'],
  ['carriers’ shared space', '100.64.0.0', '100.100.100.200', '100.127.255.255'],
  ['loopback', '127.0.0.1', '127.255.255.254'],
  ['a cloud’s platform service', '168.63.129.16'],
  ['link-local and metadata', '169.254.0.1', '169.254.169.254', '169.254.170.2'],
  ['private 172.16/12', '172.16.0.0', '172.31.255.255'],
  ['protocol assignments', '192.0.0.1', '192.0.0.192'],
  ['documentation', '192.0.2.1', '198.51.100.1', '203.0.113.255'],
  ['6to4 relays', '192.88.99.1'],
  ['private 192.168/16', '192.168.0.0', '192.168.255.255'],
  ['benchmarks', '198.18.0.1', '198.19.255.255'],
  ['multicast', '224.0.0.1', '239.255.255.255'],
  ['reserved and broadcast', '240.0.0.1', '255.255.255.255'],
  ['IPv6 unspecified and loopback', '::', '::1'],
  ['IPv4-mapped, private or not', '::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8', '::ffff:a9fe:a9fe'],
  ['IPv4-compatible', '::127.0.0.1', '::8.8.8.8'],
  ['NAT64', '64:ff9b::7f00:1', '64:ff9b::808:808', '64:ff9b:1::1'],
  ['discard', '100::1'],
  ['Teredo', '2001::1', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
  ['benchmarks and ORCHID', '2001:2::1', '2001:10::1', '2001:20::1', '2001:1ff::1'],
  ['documentation', '2001:db8::1', '3fff::1', '3fff:fff::1'],
  ['6to4', '2002:7f00:1::', '2002:808:808::1'],
  ['segment routing', '5f00::1'],
  ['unique local and metadata', 'fc00::1', 'fd00:ec2::254', 'fdff::1'],
  ['link-local', 'fe80::1', 'febf::1', 'fe80::1%eth0'],
  ['site-local', 'fec0::1'],
  ['multicast', 'ff02::1', 'ff0e::1'],
  ['not given out', '4000::1', '8000::1', 'e000::1'],
  ['a global one with a zone', '2606:4700::1111%eth0'],
  ['no address', '', 'localhost', '127.1', '0x7f.0.0.1', '2130706433', '1.2.3.4.5', '[::1]', '8.8.8.8 '],
];

const ALLOWED = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.1',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.0.1.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255',
  '2001:200::1',
  '2001:4860:4860::8888',
  '2606:4700:4700::1111',
  '2a00:1450::1',
  '3ffe::1',
];

describe('an address that a webhook of a tenant may be sent to', () => {
  it.each(REFUSED)('is not one of %s', (_what, ...addresses) => {
    for (const address of addresses) expect([address, isPublicAddress(address)]).toEqual([address, false]);
  });

  it.each(ALLOWED)('may be %s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});

const four = (address: string) => ({ address, family: 4 as const });

describe('the addresses of a name', () => {
  it('are trusted when every one is public', () => {
    expect(pinnableAddresses([four('1.1.1.1'), four('8.8.8.8')])).toEqual([four('1.1.1.1'), four('8.8.8.8')]);
  });

  it('are not trusted at all when one is private, when there is none, or when there are very many', () => {
    expect(pinnableAddresses([four('1.1.1.1'), four('10.0.0.1')])).toBeNull();
    expect(pinnableAddresses([])).toBeNull();
    expect(pinnableAddresses(Array.from({ length: 17 }, () => four('1.1.1.1')))).toBeNull();
  });
});
