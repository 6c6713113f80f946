import { describe, expect, it } from 'vitest';
import { Pulse } from '../../src/channels/pulse.ts';

const beating = (...times: number[]): Pulse => {
  const pulse = new Pulse();
  for (const time of times) pulse.beat(time);
  return pulse;
};

describe('Pulse', () => {
  it.each([[[]], [[0]], [[0, 10]]])('takes a server of the beats %j at its word', (times) => {
    expect(beating(...times).hasStopped(1e9)).toBe(false);
  });

  it('has stopped when twice the longest pause is over, not before', () => {
    const pulse = beating(0, 10, 20);
    expect(pulse.hasStopped(40)).toBe(false);
    expect(pulse.hasStopped(41)).toBe(true);
  });

  it('goes by the longest pause, wherever it was', () => {
    for (const times of [
      [0, 50, 60, 70],
      [0, 10, 60, 70],
      [0, 10, 20, 70],
    ]) {
      const pulse = beating(...times);
      expect(pulse.hasStopped(170)).toBe(false);
      expect(pulse.hasStopped(171)).toBe(true);
    }
  });

  it('beats on with a beat that was late', () => {
    const pulse = beating(0, 10, 20);
    expect(pulse.hasStopped(100)).toBe(true);
    pulse.beat(100);
    expect(pulse.hasStopped(260)).toBe(false);
    expect(pulse.hasStopped(261)).toBe(true);
  });

  it('counts from any beginning of the clock', () => {
    expect(beating(1e9, 1e9 + 10, 1e9 + 20).hasStopped(1e9 + 40)).toBe(false);
    expect(beating(-20, -10, 0).hasStopped(21)).toBe(true);
  });
});
