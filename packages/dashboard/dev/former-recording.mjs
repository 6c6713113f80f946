import { createHeader, toLine } from '@longwire/recording';
import { World } from './world.mjs';

/** @typedef {import('@longwire/recording').RecordedLine} RecordedLine */

const STEP_MS = 100;
const LENGTH_MS = 60_000;

/**
 * A recording of the same made-up servers a day before, when they had other tools and were faster: something to
 * compare with.
 *
 * @param {number} at the time of its end
 */
export function formerRecording(at) {
  let text = toLine(createHeader('longwire', at - LENGTH_MS));
  const world = new World((line) => (text += toLine(asItWas(line))), 7);
  world.begin(at - LENGTH_MS);
  for (let now = at - LENGTH_MS + STEP_MS; now <= at; now += STEP_MS) world.step(now);
  return text;
}

/** @param {RecordedLine} line @returns {RecordedLine} */
function asItWas(line) {
  if (line.type === 'catalogue' && line.kind === 'tools')
    return { ...line, items: line.items.map(former) };
  if (line.type === 'end' && line.server === 'search')
    return { ...line, durationMs: line.durationMs / 3 };
  return line;
}

function former(tool) {
  switch (tool.name) {
    case 'search':
      return { ...tool, description: 'Finds documents by words. At most ten.' };
    case 'reindex':
      return { ...tool, name: 'rebuild', annotations: {} };
    default:
      return tool;
  }
}
