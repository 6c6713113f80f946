/** One process of `principals`: `trial.mjs URL ERA as|each USERS` prints its figures as JSON. */
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from '@longwire/client';

const [, , url = '', era = '', how = '', count = ''] = process.argv;
const users = Number(count);
/** How many call at a time. */
const AT_ONCE = 20;
const ROUNDS = 5;
const options = { protocol: /** @type {'2026-07-28'} */ (era) };
const authorizationOf = (/** @type {string} */ user) => `Bearer ${user}`;

const collected = async () => {
  globalThis.gc?.();
  await delay(200);
  globalThis.gc?.();
  return process.memoryUsage();
};

const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

// What is loaded once is not of a user.
const first = createClient(url, { ...options, headers: { authorization: authorizationOf('0') } });
await first.callTool('work');
await first.close();

const before = await collected();
const startedAt = cpuMs();
const service = createClient(url, {
  ...options,
  principals: { maxSessions: users, idleMs: Infinity },
});
const clients = Array.from({ length: users }, (_, index) => {
  const authorization = authorizationOf(String(index));
  return how === 'as'
    ? service.as(String(index), { headers: { authorization } })
    : createClient(url, { ...options, headers: { authorization } });
});

const callAll = async () => {
  for (let from = 0; from < users; from += AT_ONCE) {
    await Promise.all(clients.slice(from, from + AT_ONCE).map((one) => one.callTool('work')));
  }
};
await callAll();
const firstMs = (cpuMs() - startedAt) / users;
const after = await collected();
const continuedAt = cpuMs();
for (let round = 0; round < ROUNDS; round++) await callAll();
const nextMs = (cpuMs() - continuedAt) / (users * ROUNDS);
console.log(
  JSON.stringify({
    heapKb: (after.heapUsed - before.heapUsed) / users / 1024,
    rssKb: (after.rss - before.rss) / users / 1024,
    firstMs,
    nextMs,
  }),
);
await Promise.all([service.close(), ...clients.map((one) => one.close())]);
