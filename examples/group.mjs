/**
 * Three servers, named as in the file of another program; five calls on each, and one server that
 * dies: the other two lose nothing, and the calls of the third are answered when it is back.
 */
import { createGroup } from '@longwire/client/group';
import { parseConfig } from '@longwire/client/config';
import { startMarket } from './market.mjs';

const [a, b, c] = await Promise.all([startMarket(), startMarket(), startMarket()]);
const file = {
  mcpServers: { a: { url: a.url }, b: { url: b.url }, c: { type: 'sse', url: c.url } },
};
const { servers } = parseConfig(JSON.stringify(file), { file: 'claude_desktop_config.json' });
const shared = { retry: { maxAttempts: 2, firstDelayMs: 20, maxDelayMs: 50 } };
const group = createGroup(
  servers.map(({ name, target, tools }) => ({
    name,
    target,
    tools: { exclude: ['buy'], ...tools },
  })),
  { shared },
);
await group.connect();
console.log((await group.listTools()).length, 'tools');

const calls = ['a', 'b', 'c'].map((name) =>
  Promise.allSettled(Array.from({ length: 5 }, () => group.callTool(`${name}__slow`, { ms: 200 }))),
);
setTimeout(() => void c.close(), 50);
/** @param {PromiseSettledResult<unknown>[] | undefined} settled */
const done = (settled = []) => settled.filter(({ status }) => status === 'fulfilled').length;
console.log(`a: ${done(await calls[0])} of 5, b: ${done(await calls[1])} of 5`);
for (const { name, state } of group.status())
  console.log(`${name}: ${state === 'ready' ? state : 'away'}`);

// What only looks is asked again when its server is back.
const again = await startMarket({ port: c.port });
console.log(`c: ${done(await calls[2])} of 5`);
console.log((await group.listTools()).length, 'tools again');
await group.close();
await Promise.all([a.close(), b.close(), again.close()]);
