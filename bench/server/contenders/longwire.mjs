/** Longwire's server, with everything that is on by default but the limits of sessions. */
import { setTimeout as delay } from 'node:timers/promises';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { SERVER_INFO } from '../tools.mjs';
import { withTools } from './official-tools.mjs';

/** More than the load opens. */
const MANY = 100_000;
/** How soon a session hibernates; long enough for its handshake. */
const HIBERNATE_MS = 1_000;

/** @type {import('../server-process.mjs').Start} */
export async function start({ transport, variant }) {
  const hibernate = variant === 'hibernate';
  /** @type {import('@longwire/server').McpMount | undefined} */
  let mount;
  const serving = await serve({
    create: () => withTools(new McpServer(SERVER_INFO)),
    maxSessions: MANY,
    maxSessionsPerAddress: MANY,
    maxSubscriptions: MANY,
    hibernate,
    reuseServers: variant === 'reuse',
    ...(hibernate && { hibernateMs: HIBERNATE_MS }),
    onMount: (made) => (mount = made),
  });
  return {
    url: transport === 'sse' ? serving.sseUrl : serving.url,
    broadcast: () => mount?.notify.toolsChanged(),
    hibernated: async () => {
      for (;;) {
        const { sessions = 0, hibernating = 0 } = mount?.stats() ?? {};
        if (!hibernate || sessions === hibernating) return;
        await delay(HIBERNATE_MS / 4);
      }
    },
  };
}
