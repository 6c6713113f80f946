import { createClient, type LongwireClient } from '@longwire/client';
import type { Picture, Subscription } from '@longwire/recording';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEverything, type Peer } from '../../../../test/support/peers.ts';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { serveDemoServers, type DemoServers } from '../../src/dash/demo/serve-servers.ts';
import { Live } from '../../src/dash/live.ts';
import { servePage, type PageServer } from '../../src/dash/page-server.ts';
import { OpenPage, type FollowedPicture } from './page.ts';

expectNothingLeftOpen();

let live: Live;
let server: PageServer;
let page: OpenPage;
let clients: LongwireClient[];

beforeEach(async () => {
  live = new Live();
  clients = [];
  server = await servePage(live);
  page = new OpenPage(server.url);
});
afterEach(async () => {
  await server.close();
  await live.close();
  for (const client of clients) await client.close();
});

function show(name: string, url: string, options: { trusted?: boolean } = {}): void {
  const client = createClient(url, {
    name,
    ...options,
    retry: { maxAttempts: Infinity, firstConnect: true, firstDelayMs: 10, maxDelayMs: 50 },
    middleware: [live.middleware(name)],
  });
  clients.push(client);
  live.add(name, client, url);
}

async function following(...servers: string[]): Promise<FollowedPicture> {
  const followed = await page.follow();
  await followed.until(({ servers: all }) =>
    servers.every((name) => all.get(name)?.catalogue.tools !== undefined),
  );
  return followed;
}

describe('a server that nobody here wrote', () => {
  let peer: Peer;
  beforeEach(async () => {
    peer = await startEverything({ mode: 'streamableHttp' });
    show('everything', peer.url);
  });
  afterEach(() => peer.stop());

  it('is listed; a call tells how far it is, and what came of it', async () => {
    await using followed = await following('everything');
    const { known, catalogue } = followed.picture.servers.get('everything') ?? {};
    expect(known).toMatchObject({
      transport: 'streamable-http',
      info: { name: expect.any(String) },
    });
    await followed.until(
      ({ servers }) => servers.get('everything')?.catalogue.prompts !== undefined,
    );
    expect(catalogue?.tools?.length).toBeGreaterThan(5);

    const request = {
      server: 'everything',
      method: 'tools/call',
      name: 'trigger-long-running-operation',
      arguments: { duration: 0.5, steps: 5 },
    };
    // It says that it only reads, and nobody trusts it.
    const refused = await page.post('/api/call', request);
    expect([refused.status, refused.body]).toEqual([
      409,
      expect.stringContaining('"code":"not-confirmed"'),
    ]);
    const call = await page.call({ ...request, confirmed: true });
    await followed.until((picture) => picture.find(call)?.end !== undefined);
    expect(followed.picture.find(call)).toMatchObject({
      server: 'everything',
      method: 'tools/call',
      name: 'trigger-long-running-operation',
      by: { who: 'page' },
      attempts: [{ attempt: 1 }],
      progress: { total: 5 },
      end: { outcome: 'result' },
    });
  });

  it('a call that is cancelled ends at once, and so it is told', async () => {
    await using followed = await following('everything');
    const call = await page.call({
      server: 'everything',
      method: 'tools/call',
      name: 'trigger-long-running-operation',
      // Longer than this test may take, should nothing end it.
      arguments: { duration: 600, steps: 3000 },
      confirmed: true,
    });
    await followed.until((picture) => picture.find(call)?.progress !== undefined);
    // A page that is loaded anew finds it.
    await using again = await page.follow();
    await again.until((picture) => [...picture.inFlight].some((one) => one.call === call));

    expect((await page.post(`/api/calls/${call}/cancel`)).status).toBe(204);
    await followed.until((picture) => picture.find(call)?.end !== undefined);
    expect(followed.picture.find(call)?.end).toMatchObject({
      outcome: 'error',
      error: { code: 'aborted', certainty: 'outcome-unknown' },
    });
    expect((await page.post(`/api/calls/${call}/cancel`)).status).toBe(404);
  });

  it('large values are whole on request, and in what is kept', async () => {
    await using followed = await following('everything');
    const message = 'm'.repeat(10_000);
    const call = await page.call({
      server: 'everything',
      method: 'tools/call',
      name: 'echo',
      arguments: { message },
      confirmed: true,
    });
    await followed.until((picture) => picture.find(call)?.end !== undefined);
    expect(followed.picture.find(call)).toMatchObject({
      arguments: { bytes: expect.any(Number) },
      end: { result: { bytes: expect.any(Number) } },
    });
    const whole = await page.get(`/api/calls/${call}`);
    expect(JSON.parse(whole.body)).toMatchObject({
      arguments: { message },
      end: { result: { content: [{ text: expect.stringContaining(message) }] } },
    });
    const recording = (await page.get('/api/recording')).body.trimEnd().split('\n');
    expect(JSON.parse(recording[0] ?? '')).toMatchObject({ type: 'recording', version: 1 });
    expect(recording.filter((line) => line.includes(message))).toHaveLength(2);

    const har = JSON.parse((await page.get('/api/export?format=har')).body) as {
      log: { entries: { _call: number }[] };
    };
    expect(har.log.entries.map(({ _call }) => _call)).toContain(call);
    expect((await page.get('/api/export?format=otlp')).body).toContain('"resourceSpans"');
    expect((await page.get('/api/export?format=chrome')).body).toContain('"ph"');
    expect((await page.get('/api/export?format=pdf')).status).toBe(400);
  });
});

describe('the servers of the demo', () => {
  let demo: DemoServers;
  beforeEach(async () => {
    demo = await serveDemoServers();
    for (const { name, url } of demo.servers) show(name, url, { trusted: true });
  });
  afterEach(() => demo.close());

  it('speak by themselves', async () => {
    await using followed = await following('metrics', 'logs', 'alerts');
    await followed.until(({ events }) =>
      ['metrics', 'logs', 'alerts'].every((name) =>
        events.some(({ server, type }) => server === name && type === 'notification'),
      ),
    );
  });

  it('a server that goes away and comes back: what became of each call is told', async () => {
    await using followed = await following('metrics');
    const call = { server: 'metrics', method: 'tools/call' };
    const safe = await page.call({ ...call, name: 'collect_profile', arguments: { seconds: 1 } });
    await followed.until((picture) => picture.find(safe)?.progress !== undefined);
    const restart = { ...call, name: 'restart_server', arguments: { awaySeconds: 0.2 } };
    expect((await page.post('/api/call', restart)).status).toBe(409);
    const deadly = await page.call({ ...restart, confirmed: true });

    await followed.until((picture) => picture.find(safe)?.end !== undefined);
    expect(followed.picture.find(deadly)?.end).toMatchObject({
      outcome: 'error',
      error: { certainty: 'outcome-unknown' },
    });
    expect(followed.picture.find(safe)).toMatchObject({
      attempts: [{ attempt: 1 }, { attempt: 2, cause: { code: expect.any(String) } }],
      end: { outcome: 'result' },
    });
    expect(followed.stateOf('metrics')).toBe('ready');
    expect(followed.picture.servers.get('metrics')?.totals.reconnects).toBeGreaterThan(0);
  });

  it('a subscription, a resource and a prompt; a refresh lists anew', async () => {
    await using followed = await following('alerts');
    const uri = 'alerts://open';
    const subscribed = await page.post('/api/servers/alerts/subscribe', { uri, on: true });
    expect(subscribed.status).toBe(204);
    await followed.until(({ events }) =>
      events.some(
        (event) =>
          event.type === 'notification' && event.method === 'notifications/resources/updated',
      ),
    );
    const subscriptions = (picture: Picture): readonly Subscription[] =>
      picture.servers.get('alerts')?.subscriptions ?? [];
    await followed.until((picture) => (subscriptions(picture)[0]?.updates ?? 0) > 0);
    // Another page knows it.
    await using other = await page.follow();
    await other.until((picture) => subscriptions(picture)[0]?.uri === uri);
    await page.post('/api/servers/alerts/subscribe', { uri, on: false });
    await followed.until((picture) => subscriptions(picture).length === 0);
    const read = await page.call({ server: 'alerts', method: 'resources/read', name: uri });
    const prompt = await page.call({
      server: 'alerts',
      method: 'prompts/get',
      name: 'incident_report',
      arguments: { id: '1' },
    });
    await followed.until(
      (picture) => picture.find(read)?.end && picture.find(prompt)?.end !== undefined,
    );
    expect(followed.picture.find(read)?.end?.outcome).toBe('result');
    expect(followed.picture.find(prompt)?.end?.outcome).toBe('result');
    const lists = (): number =>
      followed.picture.ended.filter(
        ({ server, method }) => server === 'alerts' && method === 'tools/list',
      ).length;
    const before = lists();
    expect((await page.post('/api/servers/alerts/refresh')).status).toBe(204);
    await followed.until(() => lists() > before);
  });
});

it('a server that is down is shown with the reason', async () => {
  const demo = await serveDemoServers();
  const { url = '' } = demo.servers[0] ?? {};
  await demo.close();
  show('away', url);
  await using followed = await page.follow();
  await followed.until(({ servers }) =>
    servers.get('away')?.states.some(({ reason }) => reason?.code === 'connect-failed'),
  );
  expect(followed.stateOf('away')).not.toBe('ready');
});
