/**
 * `npm run soak -- [--transport NAME] [--streams KIND] [--calls N] [--faults N] [--seed N]`: the
 * runs of the chaos tests for longer. Exit code 0 if the promise held, 1 if not, 2 for wrong usage.
 */
import { runChaos } from './run-chaos.ts';
import { readSoakArguments, USAGE } from './soak-arguments.ts';
import { formatSummary } from './summary.ts';

/** A process that has nothing left to do and does not end has left something open. */
const ENDING_MS = 10_000;
const TELL_EVERY = 0.05;

async function main(): Promise<number> {
  let request: ReturnType<typeof readSoakArguments>;
  try {
    request = readSoakArguments(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  if (request === 'help') {
    console.log(USAGE);
    return 0;
  }
  const { variants, calls, faults, seed } = request;
  console.log(`seed: ${seed}`);
  let exitCode = 0;
  for (const variant of variants) {
    console.log(`\n## ${variant.name}`);
    let tellAt = TELL_EVERY;
    const summary = await runChaos({
      calls,
      faults: Math.ceil(faults / variant.faultCost),
      seed,
      variant,
      onProgress: (done) => {
        if (done.settled / calls < tellAt) return;
        tellAt += TELL_EVERY;
        console.error(`${done.settled} calls, ${done.faults} faults`);
      },
    });
    console.log(formatSummary(summary));
    if (summary.violations.length > 0) exitCode = 1;
  }
  return exitCode;
}

process.exitCode = await main();
setTimeout(() => {
  console.error(`left open: ${process.getActiveResourcesInfo().join(', ')}`);
  process.exit(1);
}, ENDING_MS).unref();
