/**
 * `replay`: a recording of a million lines, and one of fifty thousand, shown by `longwire dash --replay`.
 */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machine, table } from '../report/markdown.mjs';
import { spread } from '../report/statistics.mjs';
import { ShownRecording } from './shown-recording.mjs';
import { writeRecording } from './write-recording.mjs';

const LARGE = 1_000_000;
const SMALL = 50_000;
/** Where in the recording it is gone to, one after the other. */
const SHARES = [0.999, 0.5, 0.25, 0.75, 0.1, 0.9, 0.45];

/** @returns {Promise<boolean>} whether everything could be measured */
export async function run() {
  const directory = await mkdtemp(join(tmpdir(), 'longwire-bench-replay-'));
  try {
    const rows = [];
    for (const lines of [SMALL, LARGE]) {
      console.error(`replay: ${lines} lines`);
      rows.push(await measure(join(directory, `${lines}.ndjson`), lines));
    }
    const [small = [], large = []] = rows;
    console.log(`\n${machine()}\n`);
    const titles = [
      'MiB of the file',
      'first picture after, ms',
      'read through after, ms',
      'to another time, median ms',
      'to another time, most ms',
      'peak RSS, MiB',
    ];
    const head = ['figure', `${SMALL} lines`, `${LARGE} lines`, 'ratio'];
    const cells = titles.map((title, index) => {
      const [less = Number.NaN, more = Number.NaN] = [small[index], large[index]];
      return [title, less.toFixed(0), more.toFixed(0), (more / less).toFixed(2)];
    });
    console.log(table(head, cells));
    return true;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** @param {string} path @param {number} lines */
async function measure(path, lines) {
  const { from, to } = await writeRecording(path, lines);
  const { size } = await stat(path);
  const shown = new ShownRecording(path);
  try {
    const first = await shown.firstPicture();
    const readMs = await shown.readThrough();
    const seeks = [];
    for (const share of SHARES) seeks.push((await shown.seek(from + (to - from) * share)).ms);
    const { median, max } = spread(seeks);
    return [size / 2 ** 20, first.ms, readMs, median, max, await shown.peakMib()];
  } finally {
    await shown.close();
  }
}
