/**
 * `npm run fuzz`: servers that say odd things, against the library and the command. Exit code 0 if
 * every promise held, 1 if not, 2 for wrong usage.
 */
import { describeCase } from './fuzz-case.ts';
import { readFuzzArguments, USAGE, type FuzzArguments } from './fuzz-arguments.ts';
import { MUTATIONS } from './grammar/grammar.ts';
import type { Confirmed } from './minimise.ts';
import { runFuzz, runOneCase } from './run-fuzz.ts';

const TELL_EVERY_CASES = 500;
/** A process that has nothing left to do and does not end has left something open. */
const ENDING_MS = 10_000;

async function main(): Promise<number> {
  let request: ReturnType<typeof readFuzzArguments>;
  try {
    request = readFuzzArguments(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (request === 'help' || request === 'list') {
    console.log(request === 'help' ? USAGE : MUTATIONS.map(({ name }) => name).join('\n'));
    return 0;
  }
  console.log(`seed: ${request.seed}`);
  return request.oneCase === undefined
    ? await runMany(request)
    : await runOne(request, request.oneCase);
}

async function runMany(request: FuzzArguments): Promise<number> {
  const { cases, confirmed, mutations } = await runFuzz({
    ...request,
    onConfirmed: (each) => console.log(`\n${describeConfirmed(request, each)}`),
    onProgress: (done) => {
      if (done % TELL_EVERY_CASES === 0) console.error(`${done} cases`);
    },
  });
  console.log(`\n${cases} cases, ${mutations.size} of ${MUTATIONS.length} mutations`);
  const steady = confirmed.filter(({ isSteady }) => isSteady).length;
  console.log(`${steady} violations, and ${confirmed.length - steady} that did not come again`);
  return steady === 0 ? 0 : 1;
}

async function runOne(request: FuzzArguments, number: number): Promise<number> {
  const { fuzzCase, outcome } = await runOneCase(request, number, request.faults);
  const { violations, report, said } = outcome;
  console.log(describeCase(fuzzCase));
  console.log(`\nthe server said:\n${said.map((text) => `  ${JSON.stringify(text)}`).join('\n')}`);
  console.log(`\n${JSON.stringify(report, null, 2)}`);
  console.log(
    violations.map(({ kind, detail }) => `${kind}: ${detail}`).join('\n') || 'as promised',
  );
  return violations.length === 0 ? 0 : 1;
}

function describeConfirmed(
  request: FuzzArguments,
  { fuzzCase, outcome, isSteady }: Confirmed,
): string {
  const { seed, only, without, transports, subjects } = request;
  const options = [
    `--seed ${seed}`,
    ...named('--only', only),
    ...named('--without', without),
    ...(transports.length === 1 ? [`--transport ${transports.join()}`] : []),
    ...(subjects.length === 1 ? [`--subject ${subjects.join()}`] : []),
    `--case ${fuzzCase.number}`,
    ...named(
      '--faults',
      fuzzCase.faults.map(({ mutation }) => mutation),
    ),
  ];
  return [
    `${describeCase(fuzzCase)}${isSteady ? '' : ' (did not come again)'}`,
    ...outcome.violations.map(({ kind, detail }) => `  ${kind}: ${detail}`),
    `  again: npm run fuzz -- ${options.join(' ')}`,
  ].join('\n');
}

function named(option: string, names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`${option} ${names.join(',')}`];
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
process.exitCode = await main();
setTimeout(() => {
  console.error(`left open: ${process.getActiveResourcesInfo().join(', ')}`);
  process.exit(1);
}, ENDING_MS).unref();
