import { checkGroup, checkOptionNames, checkPositive } from '../connection/options.js';
import type { ToolSource } from '../client/types.js';
import { checkSelection } from './tool-selection.js';
import type {
  GivenServer,
  GroupOptions,
  GroupServer,
  GroupServers,
  ReachedServer,
} from './types.js';

/** Defaults of a group; durations in milliseconds. */
export const GROUP_DEFAULTS: { name: string; lazy: boolean; maxInFlight: number; listMs: number } =
  {
    name: 'group',
    lazy: false,
    maxInFlight: 100,
    listMs: 5_000,
  };

/** Options with the defaults filled in. */
export type ResolvedGroupOptions = Required<GroupOptions>;

const SETTING_NAMES = ['name', 'tools', 'trusted', 'disabled', 'lazy', 'maxInFlight'];

/**
 * Checks the options of a group, but for those of its clients, and fills in the defaults.
 *
 * @throws TypeError that names the option.
 */
export function resolveGroupOptions(options: GroupOptions): ResolvedGroupOptions {
  checkGroup('options', options, ['name', 'shared', 'lazy', 'maxInFlight', 'listMs']);
  const { name, shared, lazy, maxInFlight, listMs } = { ...GROUP_DEFAULTS, ...defined(options) };
  if (typeof name !== 'string' || name === '') {
    throw new TypeError('name: not a string with something in it');
  }
  checkFlag('lazy', lazy);
  checkLimit('maxInFlight', maxInFlight);
  checkPositive('listMs', listMs);
  if (shared !== undefined && (typeof shared !== 'object' || shared === null)) {
    throw new TypeError('shared: not an object');
  }
  return { name, shared: shared ?? {}, lazy, maxInFlight, listMs };
}

/** The servers as a list, whichever way they are given. */
export function listServers(servers: GroupServers): readonly GroupServer[] {
  if (Array.isArray(servers)) return servers as readonly GroupServer[];
  if (typeof servers !== 'object' || servers === null) {
    throw new TypeError('servers: neither a list of servers nor an object of them by name');
  }
  return Object.entries(servers).map(([name, entry]) => {
    if (isSource(entry)) return { name, client: entry };
    if (!isSettings(entry)) return { name, target: entry };
    const { name: other } = entry as { name?: unknown };
    if (other === undefined || other === name) return { ...entry, name };
    throw new TypeError(`servers.${name}.name: it is ${name} by its key`);
  });
}

/**
 * Checks what is said of one server, but for the options of its client.
 *
 * @throws TypeError that names the server and the option.
 */
export function checkServer(server: GroupServer): void {
  if (typeof server !== 'object' || server === null) {
    throw new TypeError('servers: a server is an object with name, and target or client');
  }
  if (typeof server.name !== 'string' || server.name === '') {
    throw new TypeError('servers: a server without a name');
  }
  const where = `servers.${server.name}`;
  if ('client' in server) {
    checkOptionNames(server, [...SETTING_NAMES, 'client'], `${where}.`);
    if (!isSource(server.client)) {
      throw new TypeError(`${where}.client: neither a client nor another source of tools`);
    }
  } else {
    checkOptionNames(server, [...SETTING_NAMES, 'target', 'options'], `${where}.`);
    if (server.target === undefined) throw new TypeError(`${where}: neither target nor client`);
  }
  checkSelection(`${where}.tools`, server.tools);
  checkFlag(`${where}.trusted`, server.trusted);
  checkFlag(`${where}.disabled`, server.disabled);
  checkFlag(`${where}.lazy`, server.lazy);
  checkLimit(`${where}.maxInFlight`, server.maxInFlight);
}

function isSource(entry: unknown): entry is ToolSource {
  return typeof (entry as Partial<ToolSource> | undefined)?.callTool === 'function';
}

function isSettings(entry: unknown): entry is ReachedServer | GivenServer {
  return typeof entry === 'object' && entry !== null && ('target' in entry || 'client' in entry);
}

function checkFlag(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new TypeError(`${name}: neither true nor false`);
  }
}

function checkLimit(name: string, value: number | undefined): void {
  checkPositive(name, value);
  if (value !== undefined && value !== Infinity && !Number.isInteger(value)) {
    throw new TypeError(`${name}: ${value} is not a whole number, or Infinity`);
  }
}

/** An option that is `undefined` is one that is not given. */
function defined<Options extends object>(options: Options): Options {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Options;
}
