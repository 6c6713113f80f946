/**
 * Three nodes over one Redis, behind a plain proxy that gives each request to the next node. One node is
 * killed in the middle of two calls: the one that is safe to repeat gets its answer from another node, the
 * other one is told at once that nobody knows whether it ran.
 *
 * It starts a `redis-server` of its own, or uses the one that REDIS_URL names.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connect } from '@longwire/client';

/** This is all that a node needs. It is run in a process of its own, by the name and the Redis it is given. */
async function serveNode(name, redisUrl) {
  const { redis } = await import('@longwire/cluster');
  const { serve } = await import('@longwire/server');
  const { McpServer } = await import('@modelcontextprotocol/server');

  function create() {
    const server = new McpServer({ name: 'shop', version: '1.0.0' });
    const said = (text) => ({ content: [{ type: 'text', text }] });
    server.registerTool('where', { annotations: { readOnlyHint: true } }, () => said(name));
    server.registerTool('report', { annotations: { readOnlyHint: true } }, async () => {
      await sleep(1_000);
      return said(`a report, by ${name}`);
    });
    server.registerTool('pay', {}, async () => {
      await sleep(1_000);
      return said('paid');
    });
    return server;
  }
  const { url } = await serve({
    create,
    port: 0,
    cluster: redis(redisUrl),
    signals: true,
    // A proxy in front of real nodes needs longer to learn that one is leaving.
    stop: { delayMs: 200 },
  });
  process.once('disconnect', () => process.exit());
  process.send({ origin: new URL(url).origin });
  process.channel.unref();
}

async function main() {
  const store = process.env.REDIS_URL ? { url: process.env.REDIS_URL } : await startRedis();
  if (store === undefined) return;
  const nodes = await Promise.all(
    ['one', 'two', 'three'].map((name) => startNode(name, store.url)),
  );
  const proxy = await startProxy(nodes);
  const { port } = proxy.address();

  // A session, which a node has. The others pass its requests on, and bring its answers.
  const client = await connect(`http://127.0.0.1:${port}/mcp`, { protocol: '2025-11-25' });
  await client.listTools();
  const text = async (name) => (await client.callTool(name)).content[0].text;
  const answers = [await text('where'), await text('where'), await text('where')];
  const asked = new Set(nodes.filter((node) => node.asked > 0).map((node) => node.name));
  const owners = new Set(answers);
  console.log(`the requests went through ${asked.size} nodes, and ${owners.size} answered`);

  const calls = Promise.allSettled([text('report'), text('pay')]);
  await sleep(300);
  const owner = nodes.find((node) => node.name === answers[0]);
  owner.child.kill('SIGKILL');
  console.log('the node that has the session is killed');
  const [report, pay] = await calls;
  const isOther = report.value?.startsWith('a report') && !report.value.endsWith(owner.name);
  console.log(
    `report, which is safe to repeat: ${isOther ? 'answered by another node' : report.reason}`,
  );
  console.log(`pay, which is not: ${pay.reason?.certainty ?? pay.value}`);
  console.log(`the session goes on: ${(await text('where')) !== owner.name}`);

  await client.close();
  proxy.close();
  proxy.closeAllConnections();
  // In order: each hands its sessions over before it ends.
  for (const { child } of nodes) child.kill('SIGTERM');
  await Promise.all(nodes.map(({ ended }) => ended));
  store.server?.kill();
}

async function startNode(name, redisUrl) {
  const child = fork(fileURLToPath(import.meta.url), ['node', name, redisUrl]);
  const ended = once(child, 'exit');
  const [{ origin }] = await Promise.race([
    once(child, 'message'),
    ended.then(() => Promise.reject(new Error(`node ${name} did not start`))),
  ]);
  return { name, origin, child, ended, asked: 0 };
}

/** Each request to the next node that takes it: no session sticks to a node. */
async function startProxy(nodes) {
  let turn = 0;
  async function forward(incoming, outgoing) {
    const body = Buffer.concat(await incoming.toArray());
    const { method, headers, url } = incoming;
    for (let tries = 0; tries < nodes.length; tries++) {
      const node = nodes[turn++ % nodes.length];
      const upstream = request(`${node.origin}${url}`, { method, headers, agent: false });
      upstream.end(body);
      const [answer] = await once(upstream, 'response').catch(() => []);
      upstream.on('error', () => {});
      if (answer === undefined) continue;
      node.asked += 1;
      outgoing.once('close', () => upstream.destroy());
      answer.once('error', () => outgoing.destroy());
      outgoing.writeHead(answer.statusCode, answer.headers);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
      return;
    }
    outgoing.writeHead(502).end();
  }
  const proxy = createServer((incoming, outgoing) => {
    forward(incoming, outgoing).catch(() => outgoing.destroy());
  });
  proxy.listen(Number(process.env.PORT ?? 3001), '127.0.0.1');
  await once(proxy, 'listening');
  return proxy;
}

async function startRedis() {
  const port = 20_000 + Math.floor(Math.random() * 10_000);
  const args = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => server.kill());
  try {
    await once(server, 'spawn');
  } catch {
    console.log(
      'There is no redis-server: on Debian, apt-get install redis-server; or set REDIS_URL',
    );
    return undefined;
  }
  for await (const line of server.stdout.setEncoding('utf8')) {
    if (line.includes('Ready to accept connections')) break;
  }
  return { url: `redis://127.0.0.1:${port}`, server };
}

const [role, ...rest] = process.argv.slice(2);
await (role === 'node' ? serveNode(...rest) : main());
