/** What every event has. Times are microseconds, from any beginning. */
const ANY_EVENT = {
  name: { type: 'string' },
  ts: { type: 'number', minimum: 0 },
  pid: { type: 'integer' },
  tid: { type: 'integer' },
};

/**
 * The events that Longwire writes, as the Trace Event Format describes them: a phase each, with what it
 * must have, and nothing else.
 *
 * @see https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
export const CHROME_TRACE_SCHEMA = {
  type: 'array',
  items: {
    anyOf: [
      eventOf(['M'], { name: { enum: ['process_name', 'thread_name'] }, args: named('name') }),
      eventOf(['M'], { name: { const: 'process_labels' }, args: named('labels') }),
      eventOf(['X'], { cat: { type: 'string' }, dur: { type: 'number', minimum: 0 } }, ['args']),
      eventOf(['i'], { cat: { type: 'string' }, s: { enum: ['g', 'p', 't'] } }, ['args']),
      // "Events with the same category and id are considered as events from the same event tree."
      eventOf(['b', 'e'], { cat: { type: 'string' }, id: { type: 'string' } }, ['args']),
    ],
  },
};

function eventOf(phases: readonly string[], members: object, optional: string[] = []): object {
  const required = { ...ANY_EVENT, ph: { enum: phases }, ...members };
  const others = Object.fromEntries(optional.map((name) => [name, { type: 'object' }]));
  return {
    type: 'object',
    required: Object.keys(required),
    properties: { ...required, ...others },
    additionalProperties: false,
  };
}

function named(member: string): object {
  return {
    type: 'object',
    required: [member],
    properties: { [member]: { type: 'string' } },
  };
}
