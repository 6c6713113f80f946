import { Counter, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { metrics } from '../../src/middleware/metrics.ts';
import { around, failure, type Answer } from './support/around.ts';

/** Does what the tool's name says. */
const byTool: Answer = ({ params }) => {
  if (params?.['name'] === 'broken') return { content: [], isError: true };
  if (params?.['name'] === 'lost') throw failure('connection-lost', 'outcome-unknown');
  if (params?.['name'] === 'bug') throw new Error('a bug');
  return { content: [] };
};

it('counts by method, tool and outcome, with durations and sizes', async () => {
  const measured = metrics();
  const rig = around(measured, byTool);
  for (const tool of ['echo', 'echo', 'broken', 'lost', 'bug']) {
    await rig.call(tool).catch(() => {});
  }
  await rig.send('tools/list').response;
  const echo = JSON.stringify({ name: 'echo', arguments: {} }).length;
  const empty = JSON.stringify({ content: [] }).length;
  const durationMs = { total: expect.any(Number) as number, max: expect.any(Number) as number };
  const method = 'tools/call';
  expect(measured.snapshot()).toEqual([
    {
      method,
      tool: 'echo',
      outcome: 'ok',
      count: 2,
      durationMs,
      requestBytes: 2 * echo,
      responseBytes: 2 * empty,
    },
    expect.objectContaining({ tool: 'broken', outcome: 'tool-error', count: 1 }),
    expect.objectContaining({ tool: 'lost', outcome: 'connection-lost', responseBytes: 0 }),
    expect.objectContaining({ tool: 'bug', outcome: 'error' }),
    expect.objectContaining({ method: 'tools/list', outcome: 'ok', requestBytes: 0 }),
  ]);
  const text = await measured.text();
  const labels = 'server="",method="tools/call",tool="echo",outcome="ok"';
  expect(text).toContain('# TYPE longwire_requests_total counter');
  expect(text).toContain(`longwire_requests_total{${labels}} 2`);
  expect(text).toContain(`longwire_request_duration_seconds_count{${labels}} 2`);
  expect(text).toContain(`longwire_request_size_bytes_sum{${labels}} ${2 * echo}`);
  expect(text).toContain(`longwire_response_size_bytes_sum{${labels}} ${2 * empty}`);
  expect(text).toContain('tool="lost",outcome="connection-lost"} 1');
});

it('a snapshot does not change, and changing it changes nothing', async () => {
  const measured = metrics();
  const rig = around(measured);
  await rig.call('echo');
  const [before] = measured.snapshot();
  await rig.call('echo');
  expect(before?.count).toBe(1);
  if (before !== undefined) before.durationMs.total = before.count = 99;
  expect(measured.snapshot()[0]?.count).toBe(2);
});

it('the connection’s own requests are not counted', async () => {
  const measured = metrics();
  await around(measured).send('ping', { internal: true }).response;
  expect(measured.snapshot()).toEqual([]);
});

it('of tools beyond the limit, and of methods, all are one', async () => {
  const measured = metrics({ maxTools: 2 });
  const rig = around(measured);
  for (let index = 0; index < 200; index++) await rig.call(`tool-${index}`);
  for (let index = 0; index < 200; index++) await rig.send(`custom/${index}`).response;
  await rig.call('tool-0');
  const tools = measured.snapshot().filter(({ tool }) => tool !== undefined);
  expect(tools.map(({ tool, count }) => [tool, count])).toEqual([
    ['tool-0', 2],
    ['tool-1', 1],
    ['other', 198],
  ]);
  expect(measured.snapshot().length).toBeLessThan(60);
});

it('several clients may share a registry, distinguished by server', async () => {
  const registry = new Registry();
  new Counter({ name: 'mine_total', help: 'of the program', registers: [registry] }).inc();
  const [one, two] = [metrics({ registry, server: 'one' }), metrics({ registry, server: 'two' })];
  await around(one).call('echo');
  await around(two).call('echo');
  expect(one.registry).toBe(registry);
  expect(one.snapshot()).toHaveLength(1);
  const text = await two.text();
  expect(text).toContain('mine_total 1');
  expect(text.match(/longwire_requests_total\{server="(one|two)".* 1/g)).toHaveLength(2);
  expect(text.match(/# TYPE longwire_requests_total/g)).toHaveLength(1);
});

it('two of them know nothing of one another without one', async () => {
  const [one, two] = [metrics(), metrics()];
  await around(one).call('echo');
  expect(await two.text()).not.toContain('echo');
});

it('sizes can be switched off', async () => {
  const measured = metrics({ sizes: false });
  await around(measured).call('echo');
  expect(measured.snapshot()[0]).toMatchObject({ count: 1, requestBytes: 0, responseBytes: 0 });
  expect(await measured.text()).not.toContain('size_bytes_sum{');
});

it('a wrong option is refused by its name', () => {
  const make = (options: object) => () => metrics(options);
  expect(make({ registry: {} })).toThrow('metrics.registry');
  expect(make({ server: 1 })).toThrow('metrics.server');
  expect(make({ maxTools: 0 })).toThrow('metrics.maxTools');
  expect(make({ sizes: 'no' })).toThrow('metrics.sizes');
  expect(make({ label: 'x' })).toThrow('metrics.label: no such option');
});
