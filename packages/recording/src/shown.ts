/** What a view of a picture says and how: for the page and for `top`, which show the same in the same words. */
export { callersOf, type Callers } from './shown/callers.js';
export { chainOf, type ChainStep } from './shown/chain.js';
export { formatClock, formatDay, formatDuration, formatShortClock } from './shown/durations.js';
export {
  isAtLeast,
  kindOf,
  LEVEL_MARKS,
  levelOf,
  LEVELS,
  summaryOf,
  type LevelName,
} from './shown/event-words.js';
export { isObject, lineJson, prettyJson } from './shown/json.js';
export { formatBytes, formatCount, formatMeasured, formatRate } from './shown/numbers.js';
export { figuresOf, toolTokens, type ServerFigures } from './shown/server-figures.js';
export {
  callName,
  CERTAINTIES,
  counted,
  OUTCOMES,
  outcomeOf,
  STATES,
  VERDICTS,
  type OutcomeName,
  type Tone,
  type Word,
} from './shown/words.js';
export {
  callerFilter,
  serverFilter,
  viewFilter,
  type Filterable,
  type ViewFilter,
} from './shown/view-filter.js';
