import { expect, it } from 'vitest';
import { networkOf } from '../../src/limits/network-of.ts';

it.each([
  ['127.0.0.1', '127.0.0.1'],
  ['::ffff:10.0.0.7', '10.0.0.7'],
  ['2001:db8:1:2:3:4:5:6', '8193:3512:1:2'],
  ['2001:0db8:0001:0002::9', '8193:3512:1:2'],
  ['2001:db8::1', '8193:3512:0:0'],
  ['fe80::1%eth0', '65152:0:0:0'],
  ['::1', '0:0:0:0'],
])('%s counts as %s', (ip, network) => {
  expect(networkOf(ip)).toBe(network);
});
