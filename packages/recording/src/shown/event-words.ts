import type { EventPicture } from '../picture.js';
import { isObject, lineJson } from './json.js';
import type { Tone } from './words.js';

/** How serious an event is, from the least: the levels of MCP, and the errors of the connection. */
export const LEVELS = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
] as const;

/** How serious an event is. */
export type LevelName = (typeof LEVELS)[number];

/** A sign and a colour for each level. */
export const LEVEL_MARKS: Readonly<
  Record<LevelName, { readonly sign: string; readonly tone: Tone }>
> = {
  debug: { sign: '·', tone: 'quiet' },
  info: { sign: 'i', tone: 'quiet' },
  notice: { sign: '◆', tone: 'busy' },
  warning: { sign: '▲', tone: 'warning' },
  error: { sign: '✗', tone: 'bad' },
  critical: { sign: '‼', tone: 'bad' },
  alert: { sign: '‼', tone: 'bad' },
  emergency: { sign: '‼', tone: 'bad' },
};

/** What kind an event is: the method without what all of them begin with, or `error`. */
export function kindOf(event: EventPicture): string {
  return event.type === 'error' ? 'error' : event.method.replace(/^notifications\//, '');
}

/** The level that an event names; `undefined` for one that has none. */
export function levelOf(event: EventPicture): LevelName | undefined {
  if (event.type === 'error') return 'error';
  if (!isObject(event.params)) return undefined;
  const level = event.params['level'];
  return LEVELS.find((one) => one === level);
}

/** Whether an event is at least so serious; one without a level is as an `info`. */
export function isAtLeast(event: EventPicture, level: LevelName): boolean {
  return LEVELS.indexOf(levelOf(event) ?? 'info') >= LEVELS.indexOf(level);
}

/** What an event says, on one line: the data of a log message, else its parameters. */
export function summaryOf(event: EventPicture): string {
  if (event.type === 'error') return `${event.error.code}: ${event.error.message}`;
  const { params } = event;
  if (params === undefined) return '';
  if (!isObject(params) || event.method !== 'notifications/message') return lineJson(params);
  const { data, logger } = params;
  const said = isObject(data) && typeof data['message'] === 'string' ? data['message'] : data;
  const text = said === undefined ? '' : lineJson(said);
  if (typeof logger !== 'string') return text;
  return text === '' ? logger : `${logger}: ${text}`;
}
