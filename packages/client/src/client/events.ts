import type { LoggingMessageNotificationParams } from '@modelcontextprotocol/client';
import type { ListName } from '../connection/restorable-state.js';
import { isObject } from '../untrusted/is-object.js';
import type { EventNames } from './listeners.js';
import type { ClientEvents, ServerNotification } from './types.js';

/** What a client reports. */
export const CLIENT_EVENTS: EventNames<ClientEvents> = {
  state: true,
  notification: true,
  log: true,
  resourceUpdated: true,
  toolsChanged: true,
  waiting: true,
  resourcesChanged: true,
  promptsChanged: true,
  progress: true,
  error: true,
};

/** The events that are notifications of the server, read. */
export type NotificationEvents = Pick<
  ClientEvents,
  'log' | 'resourceUpdated' | 'toolsChanged' | 'promptsChanged' | 'resourcesChanged'
>;

/** One of these events, with what it brings. */
export type NotificationEvent = {
  [Name in keyof NotificationEvents]: { name: Name; payload: NotificationEvents[Name] };
}[keyof NotificationEvents];

const LISTS: Readonly<Partial<Record<string, readonly ListName[]>>> = {
  notification: ['tools', 'prompts', 'resources'],
  toolsChanged: ['tools'],
  promptsChanged: ['prompts'],
  resourcesChanged: ['resources'],
};

/** Of which lists a server has to tell the changes, so that there are such events. */
export function listsFor(event: keyof ClientEvents): readonly ListName[] {
  return LISTS[event] ?? [];
}

/** The lists of every event that somebody listens for. */
export function listsHeard(hears: (event: keyof ClientEvents) => boolean): ListName[] {
  const events = Object.keys(LISTS) as (keyof ClientEvents)[];
  return [...new Set(events.filter(hears).flatMap(listsFor))];
}

/** The event that a notification is, if it is one and says what it has to. */
export function eventOf({ method, params }: ServerNotification): NotificationEvent | undefined {
  switch (method) {
    case 'notifications/message':
      return isLog(params) ? { name: 'log', payload: params } : undefined;
    case 'notifications/resources/updated': {
      const uri = params?.['uri'];
      return typeof uri === 'string' ? { name: 'resourceUpdated', payload: { uri } } : undefined;
    }
    case 'notifications/tools/list_changed':
      return { name: 'toolsChanged', payload: undefined };
    case 'notifications/prompts/list_changed':
      return { name: 'promptsChanged', payload: undefined };
    case 'notifications/resources/list_changed':
      return { name: 'resourcesChanged', payload: undefined };
    default:
      return undefined;
  }
}

/** Whether this is a log message: servers may leave its data out, and send levels that nobody knows. */
export function isLog(params: unknown): params is LoggingMessageNotificationParams {
  return isObject(params) && typeof params['level'] === 'string';
}
