import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PeerPackages } from '../../bench/peers/packages.mjs';
import { companyClient } from '../support/certificates.ts';
import { startCompanyNetwork } from '../support/connect-proxy.ts';
import { removeFolder } from '../support/remove-folder.ts';
import { KilledServer, startIssuer } from './backend.ts';
import { installExample, startService, type Project } from './project.ts';
import { Users, type Outcome } from './users.ts';

/** How long the service is used, with each Node. `npm run backend -- --minutes 5` asks for more. */
const seconds = Number(process.env['BACKEND_SECONDS'] ?? 8);
const isLong = seconds >= 60;
const newer = new PeerPackages('longwire-backend', { node: '24.21.0' });
const serverScript = fileURLToPath(new URL('server.mjs', import.meta.url));
const users = Array.from({ length: isLong ? 200 : 60 }, (_, at) => `user-${at}`);
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
      // Everybody was given a token, and somebody a second one.
      expect(used.tokens).toBeGreaterThan(users.length);
      expect(used.exitCode).toBe(0);
    },
    limitMs,
  );
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

/** Starts all that the service needs, uses it while servers are killed, and stops it in the middle. */
async function useService(node: string, of: readonly string[], forMs: number): Promise<Used> {
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
    const people = new Users({
      origin: service.origin,
      users: of,
      serversOf: (user) =>
        ['orders', 'stock', 'prices', 'payroll', 'files'].filter(
          (server) => server !== 'files' || withFiles.has(user),
        ),
      thinkMs: 1_500,
    });
    people.start();
    await vi.waitFor(() => {
      expect(people.outcome.cut).toEqual([]);
      expect(people.areAllServed).toBe(true);
    }, waiting);
    const remote = { orders, stock, prices, payroll };
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
  } finally {
    for (const one of open.toReversed()) await one[Symbol.asyncDispose]();
  }
}

function summaryOf(used: Used): string {
  const calls = [...used.answered.values()].reduce((sum, count) => sum + count, 0);
  const byServer = [...used.answered].map(([server, count]) => `${server} ${count}`).join(', ');
  return [
    `${calls} calls (${byServer})`,
    `${used.restarts} restarts`,
    `${used.tokens} tokens`,
    `asked again ${used.repeated}`,
    `turned away at the end ${used.turnedAway}`,
    `cut ${used.cut.length}`,
    `crossed ${used.crossed.length}`,
  ].join('; ');
}
