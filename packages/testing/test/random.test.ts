import { expect, it } from 'vitest';
import { createRandom } from '../src/index.ts';

function numbersOf(seed: number, stream?: number): number[] {
  const random = createRandom(seed, stream);
  return Array.from({ length: 1000 }, () => random.next());
}

it('gives the same numbers for the same seed, and others for another seed or stream', () => {
  expect(numbersOf(7)).toEqual(numbersOf(7));
  expect(numbersOf(7, 3)).toEqual(numbersOf(7, 3));
  const all = [numbersOf(7), numbersOf(8), numbersOf(7, 1), numbersOf(7, 2), numbersOf(0)].flat();
  // Of 5000 numbers of 32 bits, hardly two are the same.
  expect(new Set(all).size).toBeGreaterThan(4990);
});

it('gives numbers that are spread evenly', () => {
  const numbers = numbersOf(1);
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  for (let tenth = 0; tenth < 10; tenth += 1) {
    const within = numbers.filter((number) => Math.floor(number * 10) === tenth).length;
    expect(within).toBeGreaterThan(60);
    expect(within).toBeLessThan(140);
  }
  const random = createRandom(2);
  const drawn = Array.from({ length: 200 }, () => random.below(3));
  expect(new Set(drawn)).toEqual(new Set([0, 1, 2]));
  expect(random.chance(0)).toBe(false);
  expect(random.chance(1)).toBe(true);
});

it.for([-1, 0.5, 2 ** 32, NaN])('refuses %d as a seed', (seed) => {
  expect(() => createRandom(seed)).toThrow('seed');
});
