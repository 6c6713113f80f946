import type { Transport } from '@modelcontextprotocol/client';
import { ReconnectingTransport } from '../connection/transport.js';
import { resolveConnectionOptions } from '../connection/resolve-options.js';
import type { ConnectionState } from '../connection/state.js';
import { parseTarget, type TargetOption } from '../dial/target.js';
import { ToolCatalog } from '../tools/catalog.js';
import { ServiceClient } from './service-client.js';
import type { LongwireClient } from './contract.js';
import type { AnyTools, ToolTypes } from './tool-types.js';
import type { ClientOptions } from './types.js';
import type { ConnectionOptions } from '../options/connection-options.js';
import { CONNECTION } from '../options/connection-table.js';
import { checkOptions } from '../options/option.js';

/**
 * Connects to a server. It is given as its origin, its MCP endpoint or its `/sse` URL: the transport is
 * detected. Or as a command, which is started; or as a server in this process. `Tools` is what is
 * known of its tools when the program is compiled: see {@link ToolTypes}.
 *
 * @throws ConnectError that lists what was tried; LongwireError `aborted`; TypeError for a target
 * or an option that is wrong.
 */
export async function connect<Tools extends ToolTypes<Tools> = AnyTools>(
  target: TargetOption,
  options: ClientOptions & { signal?: AbortSignal } = {},
): Promise<LongwireClient<Tools>> {
  const { signal, ...rest } = options;
  const client = createClient<Tools>(target, rest);
  try {
    await client.connect(signal === undefined ? {} : { signal });
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

/**
 * Makes a client that does not dial until its first call. `Tools` as for {@link connect}.
 *
 * @throws TypeError for a target or an option that is wrong.
 */
export function createClient<Tools extends ToolTypes<Tools> = AnyTools>(
  target: TargetOption,
  options: ClientOptions = {},
): LongwireClient<Tools> {
  // What `Tools` says is the word of the program.
  const client: LongwireClient = new ServiceClient(target, options);
  return client as LongwireClient<Tools>;
}

/** The connection as an SDK `Client` uses it, and what it reports beyond that. */
export interface LongwireTransport extends Transport {
  /** The state of the connection. */
  readonly state: ConnectionState;
  /** Called on every change of state. */
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
  checkOptions(options, CONNECTION);
  const parsed = parseTarget(target);
  const catalog = new ToolCatalog();
  const resolved = resolveConnectionOptions(options, parsed.kind, catalog.client);
  return new ReconnectingTransport(parsed, resolved, catalog);
}
