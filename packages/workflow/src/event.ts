import { randomUUID } from 'node:crypto';
import type { ServerNotification } from '@longwire/client';
import { createGlob } from '@longwire/client/internal';
import type { EventFilter } from './definition.js';
import { isAtLeast } from './log-levels.js';

/** An event that a program pushes. */
export interface GivenEvent {
  /** What `on` names: a named event, or the method of a notification. */
  name: string;
  /** Which server it is from. Default: the only one. */
  server?: string;
  /** An event with the id of an earlier one is dropped. Default: none. */
  id?: string;
  /** Its data. Default: the data of the notification with this `name` and `params`. */
  data?: unknown;
  /** The parameters of the notification, as a log message's `level`. Default: `data`, if an object. */
  params?: Readonly<Record<string, unknown>>;
}

/** An event, as expressions see it. */
export interface WorkflowEvent {
  /** A named event's name, or the method of a notification. */
  name: string;
  /** The server that it came from. */
  server: string;
  /** Its own id, if it has one, else one made for it. */
  id: string;
  /** The data of a named event, what a log message logs, else `params`. */
  data: unknown;
  /** The parameters of the notification, as they came. */
  params: Readonly<Record<string, unknown>>;
  /** When it came, in ISO 8601. */
  at: string;
}

/** Makes an event from a notification of a server. */
export function eventOf(
  { method, params = {} }: ServerNotification,
  server: string,
): WorkflowEvent {
  const base = { server, id: randomUUID(), params, at: new Date().toISOString() };
  // What a tool-events server sends beside its tools and their results.
  if (method === 'notifications/event' && typeof params['event'] === 'string') {
    return { ...base, name: params['event'], data: params['data'] };
  }
  const data = method === 'notifications/message' ? params['data'] : params;
  return { ...base, name: method, data };
}

/** Makes an event from one that a program pushes. */
export function eventFrom({ name, id, data, params }: GivenEvent, server: string): WorkflowEvent {
  const isObject = typeof data === 'object' && data !== null && !Array.isArray(data);
  const given = params ?? (isObject ? (data as Record<string, unknown>) : {});
  const event = params === undefined ? undefined : eventOf({ method: name, params }, server);
  return {
    name,
    server,
    id: id ?? randomUUID(),
    data: data ?? event?.data,
    params: given,
    at: new Date().toISOString(),
  };
}

/** The key by which an event with its own id is recognised. */
export function identityOf({ server, id }: WorkflowEvent): string {
  return JSON.stringify(['event', server, id]);
}

/** Makes a function that tests whether an event matches a filter, regardless of its server. */
export function createMatcher(filter: EventFilter): (event: WorkflowEvent) => boolean {
  switch (filter.kind) {
    case 'name': {
      const method = `notifications/${filter.name}`;
      return ({ name }) => name === filter.name || name === method;
    }
    case 'log':
      return ({ name, params }) =>
        name === 'notifications/message' && isAtLeast(params['level'], filter.level);
    case 'resource': {
      const matches = createUriMatcher(filter);
      return ({ name, params }) =>
        name === 'notifications/resources/updated' && matches(String(params['uri']));
    }
  }
}

const OF_PATHS = { separator: '/', negation: true } as const;

/** Makes a function that tests whether a resource matches a filter. */
export function createUriMatcher({
  pattern,
  isGlob,
}: Extract<EventFilter, { kind: 'resource' }>): (uri: string) => boolean {
  return isGlob ? createGlob(pattern, OF_PATHS) : (uri) => uri === pattern;
}

/** Makes a function that tests whether a server matches a pattern. */
export function createServerMatcher(pattern: string): (server: string) => boolean {
  return createGlob(pattern, OF_PATHS);
}
