import type { Transport } from '@modelcontextprotocol/client';
import { Connection } from '../connection/connection.js';
import {
  checkOptionNames,
  CONNECTION_OPTION_NAMES,
  resolveConnectionOptions,
  type ConnectionOptions,
} from '../connection/options.js';
import type { ConnectionState } from '../connection/state.js';
import { parseTarget, type TargetOption } from '../target/target.js';
import { LongwireClient } from './client.js';
import type { ClientOptions } from './types.js';

/**
 * Connects to a server. It may be given as its origin, its MCP endpoint or its `/sse` URL: how it
 * talks is found out. Or as a command, which is started; or as a server in this process.
 *
 * @throws ConnectError that lists what was tried; LongwireError `aborted`; TypeError for a target
 * or an option that is wrong.
 */
export async function connect(
  target: TargetOption,
  options: ClientOptions & { signal?: AbortSignal } = {},
): Promise<LongwireClient> {
  const { signal, ...rest } = options;
  const client = createClient(target, rest);
  try {
    await client.connect(signal === undefined ? {} : { signal });
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

/**
 * Makes a client that does not dial until its first call.
 *
 * @throws TypeError for a target or an option that is wrong.
 */
export function createClient(target: TargetOption, options: ClientOptions = {}): LongwireClient {
  return new LongwireClient(target, options);
}

/** The connection as an SDK `Client` uses it, and what it tells beyond that. */
export interface LongwireTransport extends Transport {
  /** Where the connection stands. */
  readonly state: ConnectionState;
  /** Told of every change of state. */
  onstate?: ((state: ConnectionState) => void) | undefined;
  /** Answers that belonged to no request and were dropped. */
  readonly droppedAnswers: number;
}

/**
 * Makes the connection alone, as a `Transport` for a program's own SDK `Client`.
 *
 * @throws TypeError for a target or an option that is wrong.
 */
export function createTransport(
  target: TargetOption,
  options: ConnectionOptions = {},
): LongwireTransport {
  checkOptionNames(options, CONNECTION_OPTION_NAMES);
  const parsed = parseTarget(target);
  return new Connection(parsed, resolveConnectionOptions(options, parsed.kind));
}
