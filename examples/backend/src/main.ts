/** A service with users, over five MCP servers. */
import { dataOf, LongwireError } from '@longwire/client';
import { healthHandler } from '@longwire/client/group';
import { metrics } from '@longwire/client/middleware/metrics';
import fastify, { type FastifyRequest } from 'fastify';
import { openServers } from './servers.js';

const SERVERS = ['orders', 'stock', 'prices', 'payroll', 'files'] as const;
type Server = (typeof SERVERS)[number];

const app = fastify({ logger: { level: process.env['LOG_LEVEL'] ?? 'info' } });
const figures = metrics();
const group = openServers(app.log, figures);

/** Who calls: the gateway in front of this service has asked for the password, and says so. */
function userOf({ headers }: FastifyRequest): string {
  const { 'x-user': user } = headers;
  if (typeof user === 'string' && user !== '') return user;
  throw Object.assign(new Error('the gateway has to name the user'), { statusCode: 401 });
}

// Names of tools, arguments and results are checked by the compiler.
app.get('/profile', async (request) => {
  const mine = group.as(userOf(request));
  return dataOf(await mine.callTool('orders__profile', {}, { idempotent: true }));
});

const asked = {
  params: { type: 'object', properties: { server: { enum: SERVERS } } },
  body: { type: 'object', properties: { question: { type: 'string' } }, required: ['question'] },
};

// What the tool reports and logs on its way, and what it answers.
app.post<{ Params: { server: Server }; Body: { question: string } }>(
  '/ask/:server',
  { schema: asked },
  async (request) => {
    const { server } = request.params;
    const { question } = request.body;
    const mine = group.as(userOf(request));
    const steps: (string | undefined)[] = [];
    const heard: unknown[] = [];
    const stopListening = mine.on('log', (log) => log.server === server && heard.push(log.data));
    try {
      const result = await mine.callTool(
        `${server}__ask`,
        { question },
        { idempotent: true, onProgress: ({ message }) => steps.push(message) },
      );
      return { steps, heard, answer: dataOf(result) };
    } finally {
      stopListening();
    }
  },
);

app.setErrorHandler((error, request, reply) => {
  if (!(error instanceof LongwireError)) return reply.send(error);
  request.log.warn({ code: error.code, certainty: error.certainty }, error.message);
  // What certainly did not run may be asked again.
  const mayRepeat = error.certainty === 'not-sent' || error.certainty === 'refused';
  if (mayRepeat) void reply.header('retry-after', '1');
  return reply
    .code(mayRepeat ? 503 : 502)
    .send({ code: error.code, certainty: error.certainty, message: error.message });
});

// Whoever is answered while it stops comes by another connection, to another process.
app.addHook('onSend', async (_request, reply) => {
  if (group.isClosing) reply.header('connection', 'close');
});

const health = healthHandler(group, { required: ['orders'] });
for (const path of ['/livez', '/readyz']) {
  app.get(path, (request, reply) => {
    reply.hijack();
    health(request.raw, reply.raw);
  });
}
app.get('/metrics', async (_request, reply) =>
  reply.type(figures.registry.contentType).send(await figures.text()),
);

process.once('SIGTERM', () => void stop());

/** Takes no more calls, and is not ready; lets those under way come to their end; then ends. */
async function stop(): Promise<void> {
  await group.close({ drainMs: 20_000 });
  // Requests that came in this very moment are answered: a group connects again for a call.
  await app.close();
  await group.close();
}

const origin = await app.listen({ port: Number(process.env['PORT'] ?? 8080) });
console.log(`listening on ${origin}`);
