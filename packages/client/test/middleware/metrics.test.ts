import { Counter, Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { ServerError } from '../../src/errors.ts';
import type { Middleware } from '../../src/middleware/index.ts';
import { metrics } from '../../src/middleware/metrics.ts';
import { around, failure, listed, type Answer } from './support/around.ts';

/** Does what the tool's name says. */
const byTool: Answer = ({ params }) => {
  if (params?.['name'] === 'broken') return { content: [], isError: true };
  if (params?.['name'] === 'lost') throw failure('connection-lost', 'outcome-unknown');
  if (params?.['name'] === 'bug') throw new Error('a bug');
  return { content: [] };
};

it('records by server, method, tool and error, with durations and sizes', async () => {
  const measured = metrics();
  const rig = around(measured, (request) => {
    if (request.method !== 'tools/list') return byTool(request);
    return { tools: ['echo', 'broken', 'lost', 'bug'].map((name) => ({ name })) };
  });
  await rig.send('tools/list').response;
  for (const tool of ['echo', 'echo', 'broken', 'lost', 'bug']) {
    await rig.call(tool).catch(() => {});
  }
  const echo = JSON.stringify({ name: 'echo', arguments: {} }).length;
  const empty = JSON.stringify({ content: [] }).length;
  const durationMs = { total: expect.any(Number) as number, max: expect.any(Number) as number };
  const method = 'tools/call';
  expect(measured.snapshot()).toEqual([
    expect.objectContaining({ server: 'market', method: 'tools/list', outcome: 'ok', count: 1 }),
    {
      server: 'market',
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
    expect.objectContaining({ tool: 'bug', outcome: 'error', count: 1 }),
  ]);
  const text = await measured.text();
  const of = (tool: string): string =>
    [
      'server_service_name="market",server_address="127.0.0.1",server_port="80"',
      'network_transport="tcp",network_protocol_name="http",mcp_method_name="tools/call"',
      `gen_ai_operation_name="execute_tool",gen_ai_tool_name="${tool}"`,
    ].join(',');
  const count = 'mcp_client_operation_duration_seconds_count';
  expect(text).toContain(`${count}{${of('echo')}} 2`);
  expect(text).toContain(
    `${count}{${of('broken')},error_type="tool_error",longwire_certainty="answered"} 1`,
  );
  expect(text).toContain(
    `${count}{${of('lost')},error_type="connection-lost",longwire_certainty="outcome-unknown"} 1`,
  );
  const sized = 'server_service_name="market",mcp_method_name="tools/call",gen_ai_tool_name="echo"';
  expect(text).toContain(`longwire_client_request_size_bytes_sum{${sized}} ${2 * echo}`);
  expect(text).toContain(`longwire_client_response_size_bytes_sum{${sized}} ${2 * empty}`);
});

it('says how a request was sent, what number a server answered with, and what a cache did', async () => {
  const measured = metrics();
  const route = { id: 1, transport: 'stdio', protocolVersion: '2025-11-25' } as const;
  const answers: Middleware[] = [
    () => Promise.resolve({ result: { content: [] }, metadata: { cache: 'hit' } }),
    () => Promise.reject(new ServerError('no', { number: -32602 })),
  ];
  const rig = around([measured, (request, next) => (answers.shift() ?? next)(request, next)]);
  const part = { origin: undefined, server: 'files', route };
  await rig.call('echo', {}, part);
  // A connection that is lost has no route any more.
  await rig.call('echo', {}, { ...part, route: undefined }).catch(() => {});
  const text = await measured.text();
  const how =
    'mcp_protocol_version="2025-11-25",longwire_transport="stdio",network_transport="pipe"';
  expect(text).toContain(`${how},longwire_cache="hit"} 1`);
  expect(text).toContain(
    `${how},error_type="-32602",longwire_certainty="answered",rpc_response_status_code="-32602"} 1`,
  );
  expect(text).not.toContain('server_address=');
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

it('a name that no server knows has no label, nor one beyond the limit', async () => {
  const measured = metrics({ maxTools: 2 });
  const rig = around(measured, (request) => {
    if (request.method === 'tools/list') return listed('listed', {});
    return byTool(request);
  });
  for (let index = 0; index < 200; index++) await rig.send(`custom/${index}`).response;
  await rig.call('broken');
  await rig.send('tools/list').response;
  for (let index = 0; index < 200; index++) await rig.call(`tool-${index}`);
  await rig.call('tool-0');
  await rig.call('listed');
  const tools = measured.snapshot().filter(({ tool }) => tool !== undefined);
  expect(tools.map(({ tool, outcome, count }) => [tool, outcome, count])).toEqual([
    ['_OTHER', 'tool-error', 1],
    ['tool-0', 'ok', 2],
    ['_OTHER', 'ok', 199],
    ['listed', 'ok', 1],
  ]);
  expect(measured.snapshot().length).toBeLessThan(120);
});

it('there are never too many series', async () => {
  const measured = metrics();
  const rig = around(measured);
  for (let index = 0; index < 5100; index++) await rig.call('echo', {}, { server: `s${index}` });
  expect(measured.snapshot()).toHaveLength(5001);
  expect(measured.snapshot().at(-1)).toMatchObject({ method: '_OTHER', count: 100 });
});

it('several clients may share a registry, and it may be cleared', async () => {
  const registry = new Registry();
  new Counter({ name: 'mine_total', help: 'of the program', registers: [registry] }).inc();
  const [one, two] = [metrics({ registry }), metrics({ registry })];
  await around(one).call('echo', {}, { server: 'one' });
  await around(two).call('echo', {}, { server: 'two' });
  expect(one.registry).toBe(registry);
  expect(one.snapshot()).toHaveLength(1);
  const text = await two.text();
  expect(text).toContain('mine_total 1');
  expect(text.match(/duration_seconds_count\{server_service_name="(one|two)".* 1/g)).toHaveLength(
    2,
  );
  expect(text.match(/# TYPE mcp_client_operation_duration_seconds/g)).toHaveLength(1);
  registry.clear();
  const three = metrics({ registry });
  await around(three).call('echo');
  expect(await three.text()).toContain('server_service_name="market"');
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
  expect(make({ maxTools: 0 })).toThrow('metrics.maxTools');
  expect(make({ sizes: 'no' })).toThrow('metrics.sizes');
  expect(make({ label: 'x' })).toThrow('metrics.label: no such option');
});
