import { describe, expect, it } from 'vitest';
import { LeaveOut } from '../../src/pool/leave-out.ts';

describe('LeaveOut', () => {
  it('leaves out for twice as long with each trial that failed, and at most five minutes', () => {
    const leaveOut = new LeaveOut(10_000);
    expect(leaveOut.leftMs(0)).toBe(0);
    const times = Array.from({ length: 7 }, () => {
      const { until } = leaveOut;
      leaveOut.failed(until);
      return leaveOut.leftMs(until) / 1000;
    });
    expect(times).toEqual([10, 20, 40, 80, 160, 300, 300]);
  });

  it('is no longer for what fails while it is left out', () => {
    const leaveOut = new LeaveOut(1000);
    leaveOut.failed(0);
    leaveOut.failed(999);
    expect(leaveOut.until).toBe(1000);
    leaveOut.failed(1000);
    expect(leaveOut.until).toBe(3000);
  });

  it('begins anew once it was reached', () => {
    const leaveOut = new LeaveOut(1000);
    leaveOut.failed(0);
    leaveOut.failed(1000);
    expect(leaveOut.isDoubtful).toBe(true);
    leaveOut.succeeded();
    expect(leaveOut.isDoubtful).toBe(false);
    expect(leaveOut.leftMs(1000)).toBe(0);
    leaveOut.failed(5000);
    expect(leaveOut.until).toBe(6000);
  });

  it('keeps a first time that is longer than the longest', () => {
    const leaveOut = new LeaveOut(1_000_000);
    leaveOut.failed(0);
    leaveOut.failed(1_000_000);
    expect(leaveOut.until).toBe(2_000_000);
  });
});
