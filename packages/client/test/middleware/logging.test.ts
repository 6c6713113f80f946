import type { Result } from '@modelcontextprotocol/client';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import {
  logging,
  requestId,
  type Logger,
  type LoggingOptions,
} from '../../src/middleware/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { around, failure, said, type Answer } from './support/around.ts';

type Line = Record<string, unknown> & { level: number; msg: string };

/** A pino logger, and what it wrote. */
function pinoOf(level: string): { logger: Logger; lines: Line[] } {
  const lines: Line[] = [];
  const logger = pino(
    { level, base: null, timestamp: false },
    {
      write: (line: string) => lines.push(JSON.parse(line) as Line),
    },
  );
  return { logger, lines };
}

const [debug, info, warn, error] = [20, 30, 40, 50];

describe('the line of a request', () => {
  it('says what it was, how long it took, how it ended and how large it was', async () => {
    const { logger, lines } = pinoOf('info');
    const rig = around([requestId({ generate: () => 'r-1' }), logging(logger)], said('hello'));
    await rig.call('echo', { text: 'hello' });
    expect(lines).toEqual([
      {
        level: info,
        msg: 'tools/call echo: ok',
        'server.service.name': 'market',
        'server.address': '127.0.0.1',
        'server.port': 80,
        'network.transport': 'tcp',
        'network.protocol.name': 'http',
        'mcp.method.name': 'tools/call',
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'echo',
        requestId: 'r-1',
        durationMs: expect.any(Number) as number,
        outcome: 'ok',
        requestBytes: JSON.stringify({ name: 'echo', arguments: { text: 'hello' } }).length,
        responseBytes: JSON.stringify({ content: [{ type: 'text', text: 'hello' }] }).length,
      },
    ]);
  });

  it.each<[string, Answer, object]>([
    [
      'a tool’s error',
      () => ({ content: [], isError: true }),
      {
        level: warn,
        msg: 'tools/call echo: tool-error',
        outcome: 'tool-error',
        'error.type': 'tool_error',
      },
    ],
    [
      'a failure',
      () => {
        throw failure('connection-lost', 'outcome-unknown');
      },
      {
        level: error,
        outcome: 'connection-lost',
        'error.type': 'connection-lost',
        'longwire.certainty': 'outcome-unknown',
      },
    ],
    [
      'what is none of Longwire’s',
      () => {
        throw new Error('a bug');
      },
      { level: error, outcome: 'error', error: 'a bug' },
    ],
  ])('of %s', async (_what, answer, expected) => {
    const { logger, lines } = pinoOf('info');
    await around(logging(logger), answer)
      .call('echo')
      .catch(() => {});
    expect(lines).toEqual([expect.objectContaining(expected)]);
  });

  it('is at the level of choice, and of the connection’s own at debug unless wanted', async () => {
    const levelsOf = async (options: LoggingOptions) => {
      const { logger, lines } = pinoOf('debug');
      const rig = around(logging(logger, options));
      await rig.call('echo');
      await rig.send('ping', { internal: true }).response;
      return lines.filter(({ outcome }) => outcome !== undefined).map(({ level }) => level);
    };
    expect(await levelsOf({})).toEqual([info, debug]);
    expect(await levelsOf({ level: 'warn', internal: true })).toEqual([warn, warn]);
  });

  it('says for whom it was', async () => {
    const { logger, lines } = pinoOf('info');
    await around(logging(logger)).call('echo', {}, { principal: 'ada' });
    expect(lines[0]).toMatchObject({ 'user.id': 'ada' });
  });

  it('says what a cache and a retry have said', async () => {
    const { logger, lines } = pinoOf('info');
    const metadata = { cache: 'hit', attempts: 2 };
    const rig = around([
      logging(logger),
      () => Promise.resolve({ result: { content: [] }, metadata }),
    ]);
    await rig.call('echo');
    expect(lines[0]).toMatchObject({ 'longwire.cache': 'hit', attempts: 2 });
  });
});

describe('params and result', () => {
  const secret = 'hunter2-hunter2';
  const long = 'x'.repeat(500);

  /** What is written of a call at debug. */
  async function detailsOf(params: object, result: Result, options: LoggingOptions = {}) {
    const { logger, lines } = pinoOf('debug');
    const headers = { authorization: `Bearer ${secret}`, 'x-tenant': secret };
    const rig = around(logging(logger, options), () => result);
    await rig.call('echo', params, { headers });
    expect(lines).toHaveLength(2);
    expect(lines[1]).toMatchObject({ level: debug, headers: ['authorization', 'x-tenant'] });
    return lines[1] as Line;
  }

  it('are written at debug, and not made if nobody reads them', async () => {
    const details = await detailsOf({ a: 1 }, { content: [true, null] });
    expect(details).toMatchObject({
      params: { name: 'echo', arguments: { a: 1 } },
      result: { content: [true, null] },
    });
    const params = {
      get a(): never {
        throw new Error('looked at');
      },
    };
    const { logger, lines } = pinoOf('warn');
    await around(logging(logger)).call('echo', params);
    expect(lines).toEqual([]);
  });

  it('have no secrets: not by the names of fields, at any depth, nor in texts', async () => {
    const details = await detailsOf(
      {
        token: secret,
        deep: [{ apiKey: secret, 'API-Key': secret, Password: secret, setCookie: secret }],
        client_secret: { nested: secret },
        Pin: secret,
        sessionId: secret,
        note: `use Bearer ${secret}1 or https://user:${secret}@host/`,
        name: 'plain',
      },
      { content: [{ type: 'text', text: JSON.stringify({ password: secret, ok: 'yes' }) }] },
      { redact: ['PIN'] },
    );
    expect(JSON.stringify(details)).not.toContain('hunter2');
    expect(JSON.stringify(details)).toContain('plain');
    expect(JSON.stringify(details)).toContain('yes');
  });

  it('are cut where they are large', async () => {
    const deep = JSON.parse('['.repeat(5000) + ']'.repeat(5000)) as object;
    const wide = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`k${index}`, 1]));
    const details = await detailsOf({ long, deep, wide }, { list: Array.from({ length: 200 }) });
    const text = JSON.stringify(details);
    expect(text).toContain(`${'x'.repeat(200)}… (300 more characters)`);
    expect(text).toContain('… (150 more)');
    expect(text.length).toBeLessThan(3000);
    const short = await detailsOf({ long }, {}, { maxValueChars: 5 });
    expect(JSON.stringify(short)).toContain('xxxxx… (495 more characters)');
  });
});

it('a logger that throws, and what cannot be read, are not in the way of a call', async () => {
  const fail = (): never => {
    throw new Error('disk full');
  };
  const logger = { debug: fail, info: fail, warn: fail, error: fail };
  expect((await around(logging(logger)).call('echo')).result['content']).toHaveLength(1);
  const thrown = failure('timeout', 'not-sent');
  const failing = around(logging(logger), () => {
    throw thrown;
  });
  expect(await failureOf(failing.call('echo'))).toBe(thrown);
  const loop: Record<string, unknown> = {};
  loop['self'] = loop['other'] = loop;
  const { logger: writing, lines } = pinoOf('debug');
  await around(logging(writing)).call('echo', loop);
  expect(lines).toHaveLength(2);
});

it('a wrong option is refused by its name', () => {
  const { logger } = pinoOf('info');
  const make = (options: object) => () => logging(logger, options);
  expect(() => logging(undefined as unknown as Logger)).toThrow('no method debug');
  expect(() => logging({ ...logger, warn: 1 } as unknown as Logger)).toThrow(TypeError);
  expect(make({ level: 'trace' })).toThrow('logging.level: "trace" is none of');
  expect(make({ maxValueChars: 0 })).toThrow('logging.maxValueChars');
  expect(make({ redact: 'pin' })).toThrow('logging.redact: not an array');
  expect(make({ redact: [''] })).toThrow('logging.redact[0]');
  expect(make({ internal: 1 })).toThrow('logging.internal');
  expect(make({ levels: 1 })).toThrow('logging.levels: no such option');
});
