import type { EventFilter, Trigger } from './definition.js';
import { createServerMatcher, createUriMatcher } from './event.js';
import type { LoggingLevel } from '@longwire/client';
import { LOG_LEVELS } from '@longwire/client/internal';
import type { Source } from './source.js';
import type { Servers } from './tools.js';

/**
 * Subscribes to what servers send only on request: changes of resources, and log messages. At least
 * one server of each trigger must accept.
 *
 * @throws the error of the first server, if none accepts.
 */
export async function subscribe(
  triggers: readonly Trigger[],
  servers: Servers,
  signal: AbortSignal,
): Promise<void> {
  const levels = new Map<string, Promise<void>>();
  for (const name of Object.keys(servers)) {
    const level = lowestLevel(triggers.filter(({ from }) => createServerMatcher(from)(name)));
    const source = servers[name];
    if (level !== undefined && source !== undefined) {
      const asked = setLevel(name, source, level, signal);
      asked.catch(() => undefined);
      levels.set(name, asked);
    }
  }
  for (const { filter, from } of triggers) {
    if (filter.kind === 'name') continue;
    const names = Object.keys(servers).filter(createServerMatcher(from));
    const asked = names.map(async (name) => {
      const source = servers[name];
      if (filter.kind === 'log' || source === undefined) await levels.get(name);
      else await subscribeTo(name, source, filter, signal);
    });
    const settled = await Promise.allSettled(asked);
    const refused = settled.find((answer) => answer.status === 'rejected');
    if (refused !== undefined && !settled.some(({ status }) => status === 'fulfilled')) {
      throw refused.reason;
    }
  }
}

async function subscribeTo(
  name: string,
  source: Source,
  filter: Extract<EventFilter, { kind: 'resource' }>,
  signal: AbortSignal,
): Promise<void> {
  if (source.subscribeResource === undefined) {
    throw new TypeError(`servers.${name}: it has no subscribeResource, which the trigger needs`);
  }
  const uris = filter.isGlob ? await matching(name, source, filter, signal) : [filter.pattern];
  for (const uri of uris) await source.subscribeResource(uri, { signal });
}

/** The resources that exist now; later ones are not subscribed to. */
async function matching(
  name: string,
  source: Source,
  filter: Extract<EventFilter, { kind: 'resource' }>,
  signal: AbortSignal,
): Promise<string[]> {
  if (source.listResources === undefined) {
    throw new TypeError(`servers.${name}: it has no listResources, which the pattern needs`);
  }
  const resources = await source.listResources({ signal });
  return resources.map(({ uri }) => uri).filter(createUriMatcher(filter));
}

async function setLevel(
  name: string,
  source: Source,
  level: LoggingLevel,
  signal: AbortSignal,
): Promise<void> {
  if (source.setLogLevel === undefined) {
    throw new TypeError(`servers.${name}: it has no setLogLevel, which the trigger needs`);
  }
  await source.setLogLevel(level, { signal });
}

function lowestLevel(triggers: readonly Trigger[]): LoggingLevel | undefined {
  const wanted = triggers.flatMap(({ filter }) => (filter.kind === 'log' ? [filter.level] : []));
  return LOG_LEVELS.find((level) => wanted.includes(level));
}
