import { randomUUID } from 'node:crypto';
import type { ServerNotification } from '@longwire/client';
import { createGlob } from '@longwire/client/untrusted';
import type { EventFilter } from './definition.js';
import { isAtLeast } from './log-levels.js';

/** An event as it is fed in by hand. */
export interface GivenEvent {
  /** What `on` names: a named event, or the method of a notification. */
  name: string;
  /** Which server it is from. Default: the only one. */
  server?: string;
  /** An event with the id of one that was taken before is left out. Default: none. */
  id?: string;
  /** What it says. Default: what the notification says that `name` and `params` are. */
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
  /** What it says: of a named event its data, of a log message what is logged, else `params`. */
  data: unknown;
  /** The parameters of the notification, as they came. */
  params: Readonly<Record<string, unknown>>;
  /** When it came, in ISO 8601. */
  at: string;
}

/** The event that a notification of a server is. */
export function eventOf(
  { method, params = {} }: ServerNotification,
  server: string,
): WorkflowEvent {
  const base = { server, id: randomUUID(), params, at: new Date().toISOString() };
  // What a tool-events server says beside its tools and their results.
  if (method === 'notifications/event' && typeof params['event'] === 'string') {
    return { ...base, name: params['event'], data: params['data'] };
  }
  const data = method === 'notifications/message' ? params['data'] : params;
  return { ...base, name: method, data };
}

/** The event that was fed in by hand. */
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

/** By this an event that has an id of its own is known again. */
export function identityOf({ server, id }: WorkflowEvent): string {
  return JSON.stringify(['event', server, id]);
}

/** Makes the test whether an event is of those that a trigger is about; its server apart. */
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

/** Makes the test whether a resource is of those that a trigger is about. */
export function createUriMatcher({
  pattern,
  isGlob,
}: Extract<EventFilter, { kind: 'resource' }>): (uri: string) => boolean {
  return isGlob ? createGlob(pattern, OF_PATHS) : (uri) => uri === pattern;
}

/** Makes the test whether a server is of those that a trigger is about. */
export function createServerMatcher(pattern: string): (server: string) => boolean {
  return createGlob(pattern, OF_PATHS);
}
