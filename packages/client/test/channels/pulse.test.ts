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

  it('takes a preamble of many comments for one', () => {
    const pulse = beating(0, 1, 2, 10, 30);
    expect(pulse.hasStopped(1e9)).toBe(false);
    pulse.beat(1000);
    expect(pulse.hasStopped(1e9)).toBe(false);
  });

  it('has stopped when twice the longest pause is over, not before', () => {
    const pulse = beating(0, 100, 200);
    expect(pulse.hasStopped(400)).toBe(false);
    expect(pulse.hasStopped(401)).toBe(true);
  });

  it('goes by the longest pause, wherever it was', () => {
    for (const times of [
      [0, 500, 600, 700],
      [0, 100, 600, 700],
      [0, 100, 200, 700],
    ]) {
      const pulse = beating(...times);
      expect(pulse.hasStopped(1700)).toBe(false);
      expect(pulse.hasStopped(1701)).toBe(true);
    }
  });

  it('beats on with a beat that was late', () => {
    const pulse = beating(0, 100, 200);
    expect(pulse.hasStopped(1000)).toBe(true);
    pulse.beat(1000);
    expect(pulse.hasStopped(2600)).toBe(false);
    expect(pulse.hasStopped(2601)).toBe(true);
  });

  it('counts from any beginning of the clock', () => {
    expect(beating(1e9, 1e9 + 100, 1e9 + 200).hasStopped(1e9 + 400)).toBe(false);
    expect(beating(-200, -100, 0).hasStopped(201)).toBe(true);
  });
});
