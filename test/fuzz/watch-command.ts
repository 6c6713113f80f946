/**
 * Loaded into a run of the command before it: tells over descriptor 3 when it can be interrupted,
 * and at its end how it was. Each is a line.
 */
import { writeSync } from 'node:fs';
import { BlockWatch } from './block-watch.ts';

const watch = new BlockWatch();
process.on('newListener', (event) => {
  if (event === 'SIGINT') writeSync(3, '\n');
});
process.on('exit', () => {
  writeSync(3, JSON.stringify(watch.take()));
});
