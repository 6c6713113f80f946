import { pino } from 'pino';
import { expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { createGroup } from '../../src/group/index.ts';
import { logEvents, type Logger } from '../../src/middleware/index.ts';
import { createPool } from '../../src/pool/index.ts';
import { quick } from '../support/recovery.ts';
import { atTheEndOfEachTest } from '../support/streamable.ts';

const { serve, gateTo, client: clientOf, closeLater } = atTheEndOfEachTest();

type Line = Record<string, unknown> & { level: number; msg: string };

function pinoLines(): { logger: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const write = (line: string) => lines.push(JSON.parse(line) as Line);
  const logger = pino({ level: 'info', base: null, timestamp: false }, { write });
  return { logger, lines };
}

it('what happens to the connection of a client is a line with the fields of its requests', async () => {
  const { logger, lines } = pinoLines();
  const gate = await gateTo(await serve());
  const secret = 'hunter2-hunter2';
  const url = `${gate.url}?api_key=${secret}`;
  const client = clientOf(url, { ...quick, name: 'market' });
  const stop = logEvents(client, logger);
  await client.connect();
  gate.shut();
  await until(() => expect(lines.some(({ level }) => level === 40)).toBe(true));
  const waiting = client.once('waiting');
  const call = client.callTool('echo', { message: 'x' });
  await waiting;
  await gate.open();
  await call;
  await client.close();
  const server = {
    'server.service.name': 'market',
    'server.address': '127.0.0.1',
    'server.port': Number(new URL(gate.url).port),
  };
  for (const line of lines) expect(line).toMatchObject(server);
  expect(lines[0]).toMatchObject({
    level: 30,
    msg: 'market: ready',
    'longwire.state': 'ready',
    'longwire.transport': 'streamable-http',
    resumed: false,
  });
  const lost = lines.find((line) => line['longwire.state'] === 'reconnecting');
  expect(lost).toMatchObject({
    level: 40,
    msg: expect.stringMatching(/^market: reconnecting, c/) as string,
    'error.type': expect.any(String) as string,
    'longwire.certainty': expect.any(String) as string,
    nextDelayMs: expect.any(Number) as number,
  });
  expect(lines.find(({ waiting: what }) => what !== undefined)).toMatchObject({
    level: 40,
    msg: expect.stringMatching(/^market: the call of echo waits, c/) as string,
    waiting: 'the call of echo',
    'error.type': expect.any(String) as string,
  });
  expect(lines.at(-1)).toMatchObject({ msg: 'market: closed', level: 30 });
  expect(JSON.stringify(lines)).not.toContain(secret);
  stop();
  const before = lines.length;
  await client.connect();
  expect(lines).toHaveLength(before);
});

it('of a group each line says of which server it is', async () => {
  const { logger, lines } = pinoLines();
  const server = await serve();
  const targets = { there: server.url, gone: 'http://127.0.0.1:1/mcp' };
  const group = closeLater(createGroup(targets, { shared: quick }));
  logEvents(group, logger);
  await group.connect();
  expect(lines.map(({ msg, level }) => [msg, level])).toEqual(
    expect.arrayContaining([
      ['there: ready', 30],
      ['gone: resting, connect-failed', 50],
    ]),
  );
});

it.each(['group', 'pool'] as const)('a breaker of a %s that opens is an error', async (kind) => {
  const { logger, lines } = pinoLines();
  const gate = await gateTo(await serve());
  const own = { ...quick, retry: { ...quick.retry, maxAttempts: 1 } };
  const breaker = { failures: 1, openMs: 60_000 };
  const source =
    kind === 'pool'
      ? createPool(gate.url, { ...own, name: 'market', breaker })
      : createGroup({ market: gate.url }, { shared: own, breaker });
  closeLater(source);
  logEvents(source, logger);
  await source.listTools();
  gate.shut();
  await until(async () => {
    await source.callTool('echo', { message: 'x' }).catch(() => {});
    expect(lines).toContainEqual(
      expect.objectContaining({
        level: 50,
        msg: 'market: breaker open',
        'server.service.name': 'market',
        'longwire.breaker': 'open',
        failures: 1,
      }),
    );
  });
});

it('a logger that throws is not in the way, and one that lacks a method is refused', async () => {
  const server = await serve();
  const client = clientOf(server.url, quick);
  const errors: unknown[] = [];
  client.on('error', (error) => errors.push(error));
  const fail = (): never => {
    throw new Error('disk full');
  };
  logEvents(client, { debug: fail, info: fail, warn: fail, error: fail });
  await client.connect();
  expect(errors).toEqual([]);
  expect(() => logEvents(client, {} as Logger)).toThrow(
    'logEvents: the logger has no method debug',
  );
});
