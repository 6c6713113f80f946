import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { setTimeout as sleep } from 'node:timers/promises';

const uri = 'market://news';
let last;

/** Follows it on one connection, until that is lost (false) or the end is told (true). */
async function follow() {
  const client = new Client({ name: 'tasks', version: '1.0.0' });
  let end;
  const ended = new Promise((resolve) => (end = resolve));
  async function look() {
    const [{ text }] = (await client.readResource({ uri })).contents;
    if (text !== last) console.log((last = text));
    if (text === 'closing') end(true);
  }
  client.onerror = () => end(false);
  client.onclose = () => end(false);
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
    if (params.uri === uri) look().catch(() => end(false));
  });
  try {
    await client.connect(new StreamableHTTPClientTransport(new URL(process.env.MARKET_URL)));
    await client.subscribeResource({ uri });
    await look();
    return await ended;
  } finally {
    await client.close().catch(() => {});
  }
}

for (let failures = 0; failures < 5;) {
  try {
    if (await follow()) break;
    failures = 0;
  } catch {
    failures += 1;
    await sleep(250 * 2 ** failures);
  }
}
