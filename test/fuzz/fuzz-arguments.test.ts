import { expect, it } from 'vitest';
import { FUZZ_TRANSPORTS } from './fuzz-case.ts';
import { readFuzzArguments } from './fuzz-arguments.ts';

it('fuzzes for an hour, everything, from any seed', () => {
  expect(readFuzzArguments([])).toEqual({
    budgetMs: 3_600_000,
    maxCases: Infinity,
    lanes: 4,
    oneCase: undefined,
    faults: [],
    only: [],
    without: [],
    transports: FUZZ_TRANSPORTS,
    subjects: ['library', 'command'],
    seed: expect.any(Number) as number,
  });
});

it('takes what is to be run', () => {
  const args =
    '--minutes 2 --seed 7 --case 0 --faults rpc/twice --only rpc,sse/retry --without json ' +
    '--transport sse,stdio --subject command';
  expect(readFuzzArguments(args.split(' '))).toMatchObject({
    budgetMs: 120_000,
    seed: 7,
    oneCase: 0,
    faults: ['rpc/twice'],
    only: ['rpc', 'sse/retry'],
    without: ['json'],
    transports: ['sse', 'stdio'],
    subjects: ['command'],
  });
});

it.for([
  [['--minutes', '0'], '--minutes: not a whole number from 1 on: 0'],
  [['--case', 'x'], '--case: not a whole number from 0 on: x'],
  [['--only', 'rpc/nothing'], '--only: no such mutation: rpc/nothing'],
  [['--transport', 'carrier-pigeon'], '--transport: no such transport: carrier-pigeon'],
  [['--subject', 'agent'], '--subject: neither library nor command: agent'],
] as const)('refuses %j', ([args, message]) => {
  expect(() => readFuzzArguments([...args])).toThrow(message);
});
