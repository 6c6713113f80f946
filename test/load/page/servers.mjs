/**
 * The servers of the trial, in a process of its own that ends with its parent. Says where they listen;
 * then `{ group, eventsPerSecond }` says which of them send events, and `sent` asks how many they sent.
 */
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';

const SERVERS_A_GROUP = 3;
const TICK_MS = 10;

const FIND = { description: 'Finds a text', inputSchema: z.object({ text: z.string() }) };

/** A group is called by clients that are watched, or by those that are not. */
class Group {
  /** The servers of the sessions that there are. @type {Set<McpServer>[]} */
  #sessions = [];
  sent = 0;

  /** @returns {Promise<string[]>} where its servers listen */
  async start() {
    const urls = [];
    for (let server = 0; server < SERVERS_A_GROUP; server++) {
      const sessions = /** @type {Set<McpServer>} */ (new Set());
      this.#sessions.push(sessions);
      const { sseUrl } = await serve({ create: () => createServer(sessions), maxSessions: 10 });
      urls.push(sseUrl);
    }
    return urls;
  }

  /** Sends so many events, by its servers in turn. @param {number} count */
  send(count) {
    for (let event = 0; event < count; event++) {
      const number = this.sent++;
      const data = { cpu: (number % 97) / 97, number, text: 'GET /orders 200 in 12 ms' };
      for (const server of this.#sessions[number % SERVERS_A_GROUP] ?? []) {
        void server.sendLoggingMessage({ level: 'info', logger: 'api', data });
      }
    }
  }
}

/** @param {Set<McpServer>} sessions */
function createServer(sessions) {
  const info = { name: 'watched', version: '1.0.0' };
  const server = new McpServer(info, { capabilities: { logging: {} } });
  server.registerTool('find', FIND, ({ text }) => ({
    content: [{ type: 'text', text: `${text} is found in three places, and in no other one` }],
  }));
  server.server.oninitialized = () => sessions.add(server);
  server.server.onclose = () => sessions.delete(server);
  return server;
}

/** @type {Record<'plain' | 'watched', Group>} */
const groups = { plain: new Group(), watched: new Group() };
/** @type {{ group: 'plain' | 'watched', eventsPerSecond: number }} */
let asked = { group: 'plain', eventsPerSecond: 0 };
let due = 0;
let tickedAt = performance.now();
setInterval(() => {
  const now = performance.now();
  due += ((now - tickedAt) / 1000) * asked.eventsPerSecond;
  tickedAt = now;
  groups[asked.group].send(Math.floor(due));
  due %= 1;
}, TICK_MS);

process.on('disconnect', () => process.exit());
process.on('message', (/** @type {any} */ question) => {
  if (question !== 'sent') {
    asked = question;
    due = 0;
  }
  process.send?.({ plain: groups.plain.sent, watched: groups.watched.sent });
});
process.send?.({ plain: await groups.plain.start(), watched: await groups.watched.start() });
