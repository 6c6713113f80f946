import { Connection } from '../connection/connection.js';
import {
  checkOptionNames,
  CONNECTION_OPTION_NAMES,
  resolveConnectionOptions,
  type ConnectionOptions,
} from '../connection/options.js';
import { parseTarget } from '../target/target.js';
import { LongwireClient } from './client.js';
import type { ClientOptions } from './types.js';

/**
 * Connects to a server. It may be given as its origin, its MCP endpoint or its `/sse` URL; how it
 * talks is found out.
 *
 * @throws ConnectError that lists what was tried; LongwireError `aborted`; TypeError for a target
 * or an option that is wrong.
 */
export async function connect(
  target: string | URL,
  options: ClientOptions & { signal?: AbortSignal } = {},
): Promise<LongwireClient> {
  const { signal, ...rest } = options;
  const client = createClient(target, rest);
  await client.connect(signal === undefined ? {} : { signal });
  return client;
}

/**
 * Makes a client that does not dial until its first call.
 *
 * @throws TypeError for a target or an option that is wrong.
 */
export function createClient(target: string | URL, options: ClientOptions = {}): LongwireClient {
  return new LongwireClient(target, options);
}

/**
 * Makes the connection alone, as a `Transport` for a program's own SDK `Client`.
 *
 * @throws TypeError for a target or an option that is wrong.
 */
export function createTransport(target: string | URL, options: ConnectionOptions = {}): Connection {
  checkOptionNames(options, CONNECTION_OPTION_NAMES);
  return new Connection(parseTarget(target), resolveConnectionOptions(options));
}
