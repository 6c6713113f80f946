/** The tables of benchmarks of calls, and how the targets were done by. */
import { machine, table, againstTarget, withSpread } from '../report/markdown.mjs';
import { ratioSpread, spread } from '../report/statistics.mjs';

/** @typedef {import('./contender-process.mjs').Sample} Sample */
/** @typedef {import('./measure.mjs').Measured} Measured */
/** @typedef {import('./measure.mjs').Measurement} Measurement */
/** @typedef {import('./measure.mjs').Mode} Mode */

/**
 * @param {readonly Measurement[]} measurements all that one benchmark made
 * @param {{ rounds: number, calls: number }} options
 */
export function report(measurements, { rounds, calls }) {
  console.log(`\n${machine()}`);
  console.log(
    `Medians of ${rounds} rounds of up to ${calls} calls (least–most); a ratio is taken within each round.`,
  );
  for (const measurement of measurements) reportTables(measurement);
  const targets = measurements.flatMap(targetLines);
  if (targets.length > 0) console.log(`\n### Targets\n\n${targets.join('\n')}`);
}

/** @param {Measurement} measurement */
export function reportTables({ comparison, records }) {
  const { title, modes } = comparison;
  if (title !== undefined) console.log(`\n### ${title}`);
  const bareLoop = records.find(({ contender }) => contender === comparison.bareLoop);
  const longwire = records.find(({ contender }) => contender === comparison.longwire);
  const head = [
    'client',
    'CPU µs/call',
    `× ${comparison.bareLoop.title}`,
    ...(longwire ? ['× Longwire'] : []),
    'calls/s',
    'p50 µs',
    'p99 µs',
    'RSS MiB',
  ];
  for (const mode of modes) {
    console.log(`\n${title === undefined ? '###' : '####'} ${mode.title}\n`);
    const rows = records.map((record) => {
      const samples = record.samples.get(mode) ?? [];
      /** @param {keyof Sample} figure @param {number} [digits] */
      const cell = (figure, digits = 0) =>
        withSpread(spread(samples.map((sample) => sample[figure])), digits);
      return [
        record.contender.title,
        cell('cpuUs'),
        withSpread(cpuRatio(record, bareLoop, mode), 2),
        ...(longwire ? [withSpread(cpuRatio(record, longwire, mode), 2)] : []),
        cell('callsPerSecond'),
        cell('p50Us'),
        cell('p99Us'),
        cell('rssMiB'),
      ];
    });
    console.log(table(head, rows));
  }
  for (const { contender, failure } of records) {
    if (failure !== undefined) console.log(`\n${contender.title} failed, ${failure}`);
  }
}

/**
 * CPU per call of one by that of another.
 *
 * @param {Measured | undefined} of
 * @param {Measured | undefined} to
 * @param {Mode} mode
 */
export function cpuRatio(of, to, mode) {
  /** @param {Measured | undefined} record */
  const cpu = (record) => (record?.samples.get(mode) ?? []).map(({ cpuUs }) => cpuUs);
  return ratioSpread(cpu(of), cpu(to));
}

/**
 * @param {Measurement} measurement
 * @returns {string[]} none where Longwire does not take part
 */
function targetLines({ comparison, records }) {
  const { title, official = [], modes } = comparison;
  const bareLoop = records.find(({ contender }) => contender === comparison.bareLoop);
  const longwire = records.find(({ contender }) => contender === comparison.longwire);
  if (!longwire) return [];
  return modes.flatMap((mode) => {
    const { bareLoopFactor, officialFactor } = mode;
    const lines = [];
    const name = [title, mode.title.toLowerCase()].filter((part) => part !== undefined).join(', ');
    if (bareLoopFactor !== undefined) {
      const { median } = cpuRatio(longwire, bareLoop, mode);
      const limit = `at most ${bareLoopFactor} times the bare loop's CPU per call`;
      lines.push(`- ${name}, ${limit}: ${againstTarget(median, median <= bareLoopFactor)}`);
    }
    if (officialFactor !== undefined) {
      for (const record of records) {
        if (!official.includes(record.contender)) continue;
        const { median } = cpuRatio(record, longwire, mode);
        const limit = `at most 1/${officialFactor} of the CPU per call of ${record.contender.title}`;
        lines.push(
          `- ${name}, ${limit}: ${againstTarget(median, median >= officialFactor, { prefix: '1/' })}`,
        );
      }
    }
    return lines;
  });
}
