import { describe, expect, it } from 'vitest';
import { Ejection } from '../../src/pool/ejection.ts';

describe('Ejection', () => {
  it('lasts twice as long with each trial that failed, and at most five minutes', () => {
    const ejection = new Ejection(10_000);
    expect(ejection.leftMs(0)).toBe(0);
    const times = Array.from({ length: 7 }, () => {
      const { until } = ejection;
      ejection.failed(until);
      return ejection.leftMs(until) / 1000;
    });
    expect(times).toEqual([10, 20, 40, 80, 160, 300, 300]);
  });

  it('is not extended by failures while it lasts', () => {
    const ejection = new Ejection(1000);
    ejection.failed(0);
    ejection.failed(999);
    expect(ejection.until).toBe(1000);
    ejection.failed(1000);
    expect(ejection.until).toBe(3000);
  });

  it('begins anew once it was reached', () => {
    const ejection = new Ejection(1000);
    ejection.failed(0);
    ejection.failed(1000);
    expect(ejection.isDoubtful).toBe(true);
    ejection.succeeded();
    expect(ejection.isDoubtful).toBe(false);
    expect(ejection.leftMs(1000)).toBe(0);
    ejection.failed(5000);
    expect(ejection.until).toBe(6000);
  });

  it('keeps a first time that is longer than the longest', () => {
    const ejection = new Ejection(1_000_000);
    ejection.failed(0);
    ejection.failed(1_000_000);
    expect(ejection.until).toBe(2_000_000);
  });
});
