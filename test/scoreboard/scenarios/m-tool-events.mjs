import { run as cut } from './a-cut.mjs';
import { run as rejections } from './c-rejections.mjs';
import { run as halfOpen } from './g-half-open.mjs';
import { run as endings } from './l-endings.mjs';

/** @type {import('./index.mjs').Scenario} */
export const scenario = {
  letter: 'M',
  title: 'Tool-events',
  demand:
    'A, C, G and L over [tool-events](tool-events.md). Its tools have no annotations: ' +
    'safe calls are made with `idempotent: true`. Results come in the bodies of POSTs; A is also ' +
    'run with results on the stream, where one call is in flight and the others wait for it. ' +
    'In G the server sends a comment each 200 ms until the connection is half-open.',
  transports: { 'tool-events': run },
};

/** @param {import('../stage.mjs').Stage} stage */
async function run(stage) {
  const parts = {
    bodies: stage.part('A, results in bodies'),
    stream: stage.part('A, results on the stream'),
    rejections: stage.part('C'),
    halfOpen: stage.part('G'),
    endings: stage.part('L'),
  };
  await Promise.all([
    cut(parts.bodies, { resultsIn: 'body' }),
    cut(parts.stream, { resultsIn: 'stream' }),
  ]);
  await Promise.all([rejections(parts.rejections), halfOpen(parts.halfOpen)]);
  await endings(parts.endings);
  stage.take(Object.values(parts));
}
