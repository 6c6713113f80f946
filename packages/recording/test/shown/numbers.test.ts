import { expect, it } from 'vitest';
import { formatMeasured } from '../../src/shown.ts';

it('shows what a server measured with four digits, whatever its size', () => {
  const measured = [0, 0.421_34, -7.5, 1024, 12_500_000, 1e300, -5e-9];
  expect(measured.map(formatMeasured)).toEqual('0 0.4213 -7.5 1,024 12.5M 1e+300 -5e-9'.split(' '));
});
