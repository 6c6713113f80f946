import { offeredLogin } from '@longwire/client/oauth';
import type { LongwireClient } from '@longwire/client';
import type { Context } from '../context.js';
import { networkOf } from '../network.js';
import { closeClients, connectClients, operationOptions } from '../session.js';
import { createServerClient } from '../target-client.js';
import type { Server } from '../target.js';
import type { Challenged } from './log-in.js';

/**
 * Asks a server for what needs a login, without one.
 *
 * @returns what it refused; its own URL where it refuses only later and says where to log in;
 * `undefined` for a server that has no login.
 * @throws why it could not be asked.
 */
export async function findChallenge(
  context: Context,
  server: Server,
): Promise<Challenged | undefined> {
  let challenged: Challenged | undefined;
  const client = await createServerClient(context, server, {
    wrapAuth: () => ({
      onChallenge: (status, headers, { url }) => {
        if (status === 401) challenged ??= { url: withoutQuery(url), headers };
        return 'fail';
      },
    }),
  });
  try {
    await connectClients(context, [client]);
    await listSomething(context, client);
  } catch (error) {
    context.interruptions.signal.throwIfAborted();
    if (challenged === undefined) throw error;
  } finally {
    await closeClients([client]);
  }
  if (challenged !== undefined || typeof server.target !== 'string') return challenged;
  const url = withoutQuery(new URL(server.target));
  const offered = await offeredLogin(url, {}, networkOf(context, server));
  return offered === undefined ? undefined : { url, headers: {} };
}

/** Some servers let everybody in, and refuse what they are asked then. */
async function listSomething(context: Context, client: LongwireClient): Promise<void> {
  if (client.capabilities?.tools !== undefined) await client.listTools(operationOptions(context));
}

function withoutQuery(url: URL): URL {
  const bare = new URL(url);
  bare.search = '';
  bare.hash = '';
  return bare;
}
