import { describe, expect, it } from 'vitest';
import { readSoakArguments } from './soak-arguments.ts';
import { variantOf, VARIANTS } from './variants.ts';

describe('the arguments of the soak', () => {
  it('divide calls and faults among the runs', () => {
    const args = ['--calls', '11', '--faults', '5', '--seed', '0'];
    expect(readSoakArguments([...args, '--transport', 'sse'])).toEqual({
      variants: [variantOf('sse'), variantOf('sse', true)],
      calls: 6,
      faults: 3,
      seed: 0,
    });
    expect(readSoakArguments([...args, '--transport=sse', '--streams=resumable'])).toMatchObject({
      variants: [variantOf('sse', true)],
      calls: 11,
      faults: 5,
    });
    expect(readSoakArguments([...args, '--streams=resumable'])).toMatchObject({
      variants: [variantOf('sse', true), variantOf('streamable-http', true)],
    });
  });

  it('have defaults, and a seed that can be given again', () => {
    const chosen = readSoakArguments([]);
    expect(chosen).toMatchObject({ variants: VARIANTS, calls: 25_000, faults: 2500 });
    const { seed } = chosen as { seed: number };
    expect(readSoakArguments(['--seed', `${seed}`])).toMatchObject({ seed });
    expect(readSoakArguments(['--seed', '4294967295'])).toMatchObject({ seed: 4_294_967_295 });
  });

  it('ask for help', () => {
    expect(readSoakArguments(['--help', '--calls', '0'])).toBe('help');
  });

  it.for<[string, string[]]>([
    ['seed', ['--seed', '4294967296']],
    ['seed', ['--seed=-1']],
    ['seed', ['--seed', '1.5']],
    ['seed', ['--seed', '']],
    ['seed', ['--seed', 'any']],
    ['--calls', ['--calls', '0']],
    ['--calls', ['--calls', '']],
    ['--calls', ['--calls', '1e3']],
    ['--calls', ['--calls', '99999999999999999999']],
    ['--faults', ['--faults', '']],
    ['--faults', ['--faults=-1']],
    ['--streams', ['--streams', 'broken']],
    ['--streams', ['--streams', 'constructor']],
    ['--streams', ['--transport', 'stdio', '--streams', 'resumable']],
    ['--transport', ['--transport', 'pigeon']],
    ['--transport', ['--transport', '']],
    ['--call', ['--call', '5']],
    ['5', ['5']],
  ])('are refused, naming %s: %j', ([name, args]) => {
    expect(() => readSoakArguments(args)).toThrow(TypeError);
    expect(() => readSoakArguments(args)).toThrow(name);
  });
});
