import { expect, it } from 'vitest';
import { clientNetwork } from '#audit/client-network.ts';

it.each([
  ['192.0.2.77', '192.0.2.0/24'],
  ['::ffff:192.0.2.77', '192.0.2.0/24'],
  ['2001:db8:1:ab12:3:4:5:6', '2001:db8:1:ab00::/56'],
  ['2001:db8::1', '2001:db8:0:0::/56'],
  ['::1', '0:0:0:0::/56'],
  ['fe80::1%eth0', 'fe80:0:0:0::/56'],
  ['2001:0db8:0001:00ff::', '2001:db8:1:0::/56'],
  ['', 'unknown'],
  ['not an address', 'unknown'],
])('the network of %j is %s', (address, network) => {
  expect(clientNetwork(address)).toBe(network);
});
