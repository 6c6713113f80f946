import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PeerPackages } from '../../bench/peers/packages.mjs';
import { companyClient } from '../support/certificates.ts';
import { startCompanyNetwork, type CompanyNetwork } from '../support/connect-proxy.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { KilledServer, startIssuer, type Issuer } from './backend.ts';
import { installExample, startService, type Project, type Service } from './project.ts';
import { Users, type Outcome } from './users.ts';

/** How long the service is used, with each Node. `npm run backend -- --minutes 5` asks for more. */
const seconds = Number(process.env['BACKEND_SECONDS'] ?? 2);
const isLong = seconds >= 60;
const newer = new PeerPackages('longwire-backend', { node: '24.21.0' });
const serverScript = fileURLToPath(new URL('server.mjs', import.meta.url));
const users = Array.from({ length: isLong ? 200 : 24 }, (_, at) => `user-${at}`);
/** A process for each user is much: some have files. */
const withFiles = new Set(users.slice(0, 6));
const waiting = { timeout: 90_000, interval: 50 };
const limitMs = seconds * 1000 + 240_000;

let project: Project;
beforeAll(async () => {
  const failure = await newer.install();
  if (failure !== undefined) throw new Error(failure);
  project = await installExample();
}, 300_000);
afterAll(() => project[Symbol.asyncDispose]());

describe.each([
  ['20', process.execPath],
  ['24', newer.fileOf('node', 'bin/node')],
])('with Node %s', (version, node) => {
  it(
    'no call of a user carries anything of another, and none is lost',
    async () => {
      const used = await useService(node, users, seconds * 1000);
      console.log(`Node ${version}: ${summaryOf(used)}`);
      expect(used.crossed).toEqual([]);
      expect(used.cut).toEqual([]);
      expect([...used.answered.keys()].toSorted()).toEqual([
        'files',
        'orders',
        'payroll',
        'prices',
        'stock',
      ]);
      expect(used.restarts).toBeGreaterThan(0);
      expect(used.heard).toBeGreaterThan(0);
      // Everybody was given a token, and somebody a second one.
      expect(used.tokens).toBeGreaterThan(users.length);
      expect(used.exitCode).toBe(0);
    },
    limitMs,
  );
});

it('says how it is while a server is away, and while it stops', { timeout: limitMs }, async () => {
  const patient = 'breaker: {},\n      shared: { whenAway: { waitMs: 20_000 } }';
  const quick = 'breaker: { openMs: 500 },\n      shared: { whenAway: { waitMs: 200 } }';
  await project.change('servers.ts', patient, quick);
  try {
    await withService(process.execPath, async ({ service, remote }) => {
      const get = async (path: string): Promise<{ status: number; text: string }> => {
        const answer = await fetch(`${service.origin}${path}`);
        return { status: answer.status, text: await answer.text() };
      };
      const ask = async (
        server: string,
        question = '?',
      ): Promise<{ status: number; text: string }> => {
        const answer = await fetch(`${service.origin}/ask/${server}`, {
          method: 'POST',
          headers: { 'x-user': 'ann', 'content-type': 'application/json' },
          body: JSON.stringify({ question }),
        });
        return { status: answer.status, text: await answer.text() };
      };
      const isAnswered = (server: string): Promise<void> =>
        vi.waitFor(async () => expect(await ask(server)).toMatchObject({ status: 200 }), waiting);
      const breaker = (value: number): RegExp =>
        new RegExp(`longwire_client_breaker\\{[^}]*"orders"[^}]*\\} ${value}\\b`);
      await isAnswered('orders');
      expect(await get('/readyz')).toMatchObject({ status: 200 });
      expect(await get('/livez')).toMatchObject({ status: 200 });
      expect((await get('/metrics')).text).toMatch(breaker(0));

      await remote.orders.kill();
      await vi.waitFor(async () => {
        expect((await ask('orders')).status).not.toBe(200);
        expect((await get('/metrics')).text).toMatch(breaker(2));
      }, waiting);
      const away = await get('/readyz');
      expect(away.status).toBe(503);
      expect(JSON.parse(away.text)).toMatchObject({ servers: { orders: { ready: false } } });
      expect(await get('/livez')).toMatchObject({ status: 200 });
      await isAnswered('stock');
      await remote.orders.start();
      await isAnswered('orders');
      expect(await get('/readyz')).toMatchObject({ status: 200 });
      expect((await get('/metrics')).text).toMatch(breaker(0));

      const last = ask('orders', 'slow');
      await vi.waitFor(async () => {
        expect((await get('/metrics')).text).toMatch(
          /longwire_client_calls\{[^}]*"orders"[^}]*\} 1\b/,
        );
      }, waiting);
      service.process.kill('SIGTERM');
      await vi.waitFor(async () => {
        expect(JSON.parse((await get('/readyz')).text)).toMatchObject({ status: 'closing' });
      }, waiting);
      expect(await get('/readyz')).toMatchObject({ status: 503 });
      expect(await get('/livez')).toMatchObject({ status: 200 });
      expect(await get('/metrics')).toMatchObject({ status: 200 });
      const refused = await ask('stock');
      expect(refused.status).toBe(503);
      expect(JSON.parse(refused.text)).toMatchObject({ code: 'closed', certainty: 'not-sent' });
      expect(await last).toMatchObject({ status: 200 });
      expect(await service.ended).toBe(0);
    });
  } finally {
    await project.change('servers.ts', quick, patient);
  }
});

it('sees it when the service takes one user for another', { timeout: limitMs }, async () => {
  await project.change('main.ts', 'group.as(userOf(request))', "group.as('everybody')");
  const { crossed } = await useService(process.execPath, users.slice(0, 5), 3_000);
  expect(crossed.length).toBeGreaterThan(0);
});

interface Used extends Outcome {
  restarts: number;
  tokens: number;
  exitCode: number | null;
}

/** All that the service needs, and the service. */
interface Running {
  service: Service;
  issuer: Issuer;
  company: CompanyNetwork;
  remote: Record<'orders' | 'stock' | 'prices' | 'payroll', KilledServer>;
}

/** Starts the service and all that it needs, and ends it all. */
async function withService<T>(node: string, use: (running: Running) => Promise<T>): Promise<T> {
  const open: AsyncDisposable[] = [];
  const opened = <Kind extends AsyncDisposable>(one: Kind): Kind => {
    open.push(one);
    return one;
  };
  try {
    const files = await mkdtemp(join(tmpdir(), 'longwire-keys-'));
    opened({ [Symbol.asyncDispose]: () => removeFolder(files) });
    const issuer = opened(await startIssuer(8));
    const start = (kind: string): Promise<KilledServer> => opened(new KilledServer(kind)).start();
    const [orders, stock, prices, payroll] = await Promise.all(
      ['sse', 'sessions', 'stateless', 'sessions'].map(start),
    );
    if (!orders || !stock || !prices || !payroll) throw new Error('not all servers are there');
    const company = opened(await startCompanyNetwork(`http://127.0.0.1:${payroll.port}`));
    const keep = async (name: string, text: string): Promise<string> => {
      await writeFile(join(files, name), text);
      return join(files, name);
    };
    const service = opened(
      await startService(project, node, {
        ISSUER_URL: issuer.url,
        ORDERS_URL: `http://127.0.0.1:${orders.port}/sse`,
        STOCK_URL: `http://127.0.0.1:${stock.port}/mcp`,
        PRICES_URL: `http://127.0.0.1:${prices.port}/mcp`,
        PAYROLL_URL: `${company.origin}/mcp`,
        PAYROLL_PROXY: company.proxy.url,
        PAYROLL_CA: await keep('ca.pem', company.ca),
        PAYROLL_CERT: await keep('cert.pem', companyClient.cert),
        PAYROLL_KEY: await keep('key.pem', companyClient.key),
        FILES_SCRIPT: serverScript,
        LOG_LEVEL: 'error',
      }),
    );
    return await use({ service, issuer, company, remote: { orders, stock, prices, payroll } });
  } finally {
    for (const one of open.toReversed()) await one[Symbol.asyncDispose]();
  }
}

/** Uses the service while servers are killed, and stops it in the middle. */
function useService(node: string, of: readonly string[], forMs: number): Promise<Used> {
  return withService(node, async ({ service, issuer, company, remote }) => {
    const people = new Users({
      origin: service.origin,
      users: of,
      serversOf: (user) =>
        ['orders', 'stock', 'prices', 'payroll', 'files'].filter(
          (server) => server !== 'files' || withFiles.has(user),
        ),
      // So many calls a second as two cores answer, with the servers that are on the same machine.
      thinkMs: isLong ? 5_000 : 1_000,
    });
    people.start();
    await vi.waitFor(() => {
      expect(people.outcome.cut).toEqual([]);
      expect(people.areAllServed).toBe(true);
    }, waiting);
    const endAt = Date.now() + forMs;
    while (Date.now() < endAt) {
      for (const [name, server] of Object.entries(remote)) {
        // On a busy machine nobody might be answered between two ends of a server.
        const before = people.answeredBy(name);
        await vi.waitUntil(() => people.answeredBy(name) >= before + of.length / 4, waiting);
        await server.restart();
      }
      // The proxy, too, drops what goes through it.
      company.proxy.cut();
    }
    await vi.waitUntil(() => withFiles.size === 0 || people.answeredBy('files') > 0, waiting);
    people.serviceStops();
    service.process.kill('SIGTERM');
    const exitCode = await service.ended;
    await people.stop();
    const crossedBy = Object.values(remote).flatMap(({ crossed }) => crossed);
    const { outcome } = people;
    if (exitCode !== 0) outcome.cut.push(service.output().slice(-2_000));
    outcome.crossed.push(...crossedBy);
    return {
      ...outcome,
      restarts: Object.values(remote).reduce((sum, { restarts }) => sum + restarts, 0),
      tokens: [...issuer.issued.values()].reduce((sum, count) => sum + count, 0),
      exitCode,
    };
  });
}

function summaryOf(used: Used): string {
  const calls = [...used.answered.values()].reduce((sum, count) => sum + count, 0);
  const byServer = [...used.answered].map(([server, count]) => `${server} ${count}`).join(', ');
  return [
    `${calls} calls (${byServer})`,
    `${used.restarts} restarts`,
    `${used.tokens} tokens`,
    `${used.heard} log messages`,
    `asked again ${used.repeated}`,
    `turned away at the end ${used.turnedAway}`,
    `cut ${used.cut.length}`,
    `crossed ${used.crossed.length}`,
  ].join('; ');
}
