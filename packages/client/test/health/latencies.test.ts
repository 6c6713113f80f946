import { expect, it } from 'vitest';
import { Latencies, OTHER_TOOLS } from '../../src/health/latencies.ts';

it('gives the percentiles of each tool within one per cent', () => {
  const latencies = new Latencies();
  for (let ms = 1; ms <= 1000; ms++) latencies.record('slow', ms);
  latencies.record('quick', 0.25);
  const { slow, quick } = latencies.read();
  expect(slow?.calls).toBe(1000);
  for (const [value, exact] of [
    [slow?.p50Ms, 500],
    [slow?.p95Ms, 950],
    [slow?.p99Ms, 990],
    [quick?.p50Ms, 0.25],
    [quick?.p99Ms, 0.25],
  ] as const) {
    expect(Math.abs((value ?? 0) - exact) / exact).toBeLessThanOrEqual(0.01);
  }
});

it('takes what took no time, and what took days', () => {
  const latencies = new Latencies();
  latencies.record('quick', 0);
  latencies.record('slow', 1e9);
  const { quick, slow } = latencies.read();
  expect(quick).toEqual({ calls: 1, p50Ms: 0.001, p95Ms: 0.001, p99Ms: 0.001 });
  expect(slow).toMatchObject({ calls: 1 });
  expect(Math.abs((slow?.p50Ms ?? 0) / 3_600_000 - 1)).toBeLessThanOrEqual(0.01);
});

it('has a bounded number of tools, whatever they are called', () => {
  const latencies = new Latencies();
  latencies.record('__proto__', 1);
  for (let i = 0; i < 1500; i++) latencies.record(`tool-${i}`, 1);
  latencies.record('tool-0', 1);
  latencies.record('tool-1499', 1);
  const read = latencies.read();
  expect(Object.keys(read)).toHaveLength(1001);
  expect(Object.getOwnPropertyDescriptor(read, '__proto__')?.value).toMatchObject({ calls: 1 });
  expect(read['tool-0']?.calls).toBe(2);
  expect(read[OTHER_TOOLS]?.calls).toBe(502);
});
