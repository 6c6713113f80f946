import type { ToolSource } from '../client/types.js';
import { checkSelection } from './tool-selection.js';
import type {
  ServerByClient,
  GroupOptions,
  GroupServer,
  GroupServers,
  ServerByTarget,
} from './types.js';
import type { BreakerOptions } from '../health/breaker.js';
import { resolveBreaker } from '../health/breaker-gate.js';
import { CLIENT, GROUP, GROUP_SERVER } from '../options/client-table.js';
import { checkOptions, withDefaults, type Option } from '../options/option.js';

/** Options with the defaults filled in. */
export interface ResolvedGroupOptions extends Required<Omit<GroupOptions, 'breaker'>> {
  breaker: Required<BreakerOptions> | undefined;
}

const ANYTHING: Option = { kind: 'other' };
const BY_CLIENT = { ...GROUP_SERVER, client: ANYTHING };
const BY_TARGET = { ...GROUP_SERVER, target: ANYTHING, options: ANYTHING };

/**
 * Checks the options of a group, but for those of its clients, and fills in the defaults.
 *
 * @throws TypeError that names the option.
 */
export function resolveGroupOptions(options: GroupOptions): ResolvedGroupOptions {
  refuseClientOptions(options, { table: GROUP, of: '', place: 'shared' });
  checkOptions(options, GROUP);
  return { ...withDefaults(GROUP, options), breaker: resolveBreaker(options.breaker) };
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
    checkOptions(server, BY_CLIENT, where);
    if (!isSource(server.client)) {
      throw new TypeError(`${where}.client: neither a client nor another source of tools`);
    }
  } else {
    const place = `${where}.options`;
    refuseClientOptions(server, { table: BY_TARGET, of: `${where}.`, place });
    checkOptions(server, BY_TARGET, where);
    if (server.target === undefined) throw new TypeError(`${where}: neither target nor client`);
  }
  checkSelection(`${where}.tools`, server.tools);
}

/** An option of clients at the wrong place: the error says where it belongs. */
function refuseClientOptions(
  given: object,
  { table, of, place }: { table: object; of: string; place: string },
): void {
  const isMisplaced = (name: string): boolean =>
    Object.hasOwn(CLIENT, name) && !Object.hasOwn(table, name);
  const name = Object.keys(given).find(isMisplaced);
  if (name === undefined) return;
  throw new TypeError(`${of}${name}: an option of clients; give it as ${place}.${name}`);
}

function isSource(entry: unknown): entry is ToolSource {
  return typeof (entry as Partial<ToolSource> | undefined)?.callTool === 'function';
}

function isSettings(entry: unknown): entry is ServerByTarget | ServerByClient {
  return typeof entry === 'object' && entry !== null && ('target' in entry || 'client' in entry);
}
