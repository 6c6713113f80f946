import { McpServer } from '@modelcontextprotocol/server';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import { everythingCommand } from '../../../../test/support/peers.ts';
import { createGroup } from '../../src/group/index.ts';
import {
  connect,
  createClient,
  dataOf,
  textOf,
  ToolResultError,
  type CallToolResult,
  type ClientOptions,
  type LongwireClient,
  type ResultWithData,
  type ServerTarget,
  type StandardSchema,
} from '../../src/index.ts';
import { retry } from '../../src/middleware/index.ts';
import { createPool } from '../../src/pool/index.ts';
import { failureOf } from '../support/failure-of.ts';

const zodWeather = z.object({ city: z.string(), celsius: z.number() });
const schemas = {
  zod: zodWeather,
  valibot: v.object({ city: v.string(), celsius: v.number() }),
  arktype: type({ city: 'string', celsius: 'number' }),
};

/** A server in this process that answers each call with the next result. */
function serverOf(...results: CallToolResult[]): ServerTarget & { ran: () => number } {
  let ran = 0;
  const make = (): McpServer => {
    const server = new McpServer({ name: 'weather', version: '1.0.0' });
    const answer = (): CallToolResult => results[ran++ % results.length] as CallToolResult;
    server.registerTool('weather', { inputSchema: z.object({}) }, answer);
    return server;
  };
  return { server: make, ran: () => ran };
}

const said = (...texts: string[]): CallToolResult => ({
  content: texts.map((text) => ({ type: 'text', text })),
});
const wrong: CallToolResult = {
  content: [],
  structuredContent: { city: 'Oslo', celsius: 'mild' },
};
const right: CallToolResult = { content: [], structuredContent: { city: 'Oslo', celsius: 4 } };
const broken: CallToolResult = { ...said('no such city'), isError: true };

async function callOf(
  result: CallToolResult,
  schema: StandardSchema,
): Promise<ResultWithData<unknown>> {
  await using client = createClient({ server: serverOf(result).server });
  return await client.callTool('weather', {}, { result: schema });
}

describe.each(Object.entries(schemas))('a schema of %s', (_name, schema) => {
  it('has its data, from structured content or from the text', async () => {
    const data = { city: 'Oslo', celsius: 4 };
    expect(await callOf(right, schema)).toEqual({ ...right, data });
    const text = said(JSON.stringify(data));
    expect(await callOf(text, schema)).toEqual({ ...text, data });
  });

  it('fails the call that it does not fit, with the result', async () => {
    const error = await failureOf(callOf(wrong, schema));
    expect(error).toBeInstanceOf(ToolResultError);
    expect(error).toMatchObject({ code: 'protocol', certainty: 'answered', result: wrong });
    expect(error.message).toMatch(/^the tool weather ran and answered, but .*celsius/);
  });
});

describe('a schema of a call', () => {
  it('may make something else of the data, and may take its time', async () => {
    const schema = z.object({ city: z.string() }).transform(async ({ city }) => {
      await Promise.resolve();
      return city.length;
    });
    expect(await callOf(right, schema)).toMatchObject({ data: 4 });
  });

  it('fails the call of a tool that reports an error', async () => {
    expect(await failureOf(callOf(broken, zodWeather))).toMatchObject({
      code: 'tool-error',
      certainty: 'answered',
      result: broken,
      message: 'the tool weather reported an error: no such city',
    });
  });

  it.each([
    ['text that is no JSON', said('sunny')],
    ['two texts', said('1', '2')],
    ['nothing', said()],
  ])('fails the call that is answered with %s', async (_what, result) => {
    expect(await failureOf(callOf(result, z.unknown()))).toMatchObject({
      code: 'protocol',
      summary: expect.stringContaining('no structured content, and no JSON as its one text'),
    });
  });

  it('fails the call when it fails itself', async () => {
    const cause = new Error('out of order');
    const schema: StandardSchema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => {
          throw cause;
        },
      },
    };
    expect(await failureOf(callOf(right, schema))).toMatchObject({ cause, result: right });
  });

  it('that never says anything ends with the signal of the call, whose result is on the error', async () => {
    const asked = new AbortController();
    const reason = new Error('the user left');
    const schema: StandardSchema = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: () => {
          asked.abort(reason);
          return new Promise(() => {});
        },
      },
    };
    await using client = createClient({ server: serverOf(right).server });
    const call = client.callTool('weather', {}, { result: schema, signal: asked.signal });
    expect(await failureOf(call)).toMatchObject({ cause: reason, result: right });
  });

  it.each(['timeout', 'deadline'] as const)(
    'that never says anything ends with the %s of the call, or of the client',
    async (code) => {
      const schema: StandardSchema = {
        '~standard': { version: 1, vendor: 'test', validate: () => new Promise(() => {}) },
      };
      const own = code === 'timeout' ? { timeoutMs: 900 } : { deadlineMs: 900 };
      const timeouts = code === 'timeout' ? { callMs: 900 } : { deadlineMs: 900 };
      const { server } = serverOf(right);
      await using client = createClient({ server });
      await using impatient = createClient({ server }, { timeouts });
      await using pool = createPool({ server }, { timeouts });
      await using group = createGroup({ here: { server } });
      await Promise.all([client, impatient, pool, group].map((each) => each.listTools()));
      const result = schema;
      const errors = await Promise.all(
        [
          client.callTool('weather', {}, { result, ...own }),
          impatient.callTool('weather', {}, { result }),
          pool.callTool('weather', {}, { result }),
          group.callTool('weather', {}, { result, ...own }),
        ].map(failureOf),
      );
      for (const error of errors) {
        expect(error).toBeInstanceOf(ToolResultError);
        expect(error).toMatchObject({ code, certainty: 'answered', result: right });
      }
    },
  );

  it('names three things that are wrong, and counts the others', async () => {
    const schema = z.object(Object.fromEntries('abcde'.split('').map((key) => [key, z.string()])));
    const { summary } = await failureOf(callOf(right, schema));
    expect(summary).toMatch(/schema of the call: a: .*; b: .*; c: .*; and 2 more$/);
  });

  it('is a TypeError if it is none, and nothing is sent', async () => {
    const server = serverOf(right);
    await using client = createClient({ server: server.server });
    const options = { result: { parse: () => 5 } as never };
    await expect(client.callTool('weather', {}, options)).rejects.toThrow(
      new TypeError('result: not a schema with `~standard`, as zod, valibot and arktype make them'),
    );
    expect(server.ran()).toBe(0);
  });

  it('goes through a pool, a group, a handle and a stream', async () => {
    const { server } = serverOf(right);
    const options = { result: zodWeather };
    await using pool = createPool({ server });
    await using group = createGroup({ here: { server } });
    await using client = createClient({ server });
    const results = [
      await pool.callTool('weather', {}, options),
      await group.callTool('weather', {}, options),
      await client.tool('weather').call({}, options),
    ];
    for await (const event of client.stream('weather', {}, options)) {
      if (event.type === 'result') results.push(event.result);
    }
    expect(results.map(({ data }) => data.celsius)).toEqual([4, 4, 4, 4]);
  });

  it('is applied by a group to a source that knows nothing of it', async () => {
    await using group = createGroup({
      here: {
        name: 'here',
        listTools: async () => [{ name: 'weather', inputSchema: { type: 'object' } }],
        callTool: async () => wrong,
        on: () => () => {},
      },
    });
    const call = group.callTool('weather', {}, { result: zodWeather });
    expect(await failureOf(call)).toMatchObject({ code: 'protocol', result: wrong });
    expect(group.status()).toMatchObject([{ lastError: undefined }]);
  });

  it('checks what a real server answers', async () => {
    await using client = await connect(everythingCommand());
    const schema = z.object({ temperature: z.number(), conditions: z.string() });
    const { data } = await client.callTool(
      'get-structured-content',
      { location: 'Chicago' },
      { result: schema },
    );
    expectTypeOf(data).toEqualTypeOf<{ temperature: number; conditions: string }>();
    expect(data).toEqual({ temperature: expect.any(Number), conditions: expect.any(String) });
  });
});

describe('throwOnToolError', () => {
  const kinds: [string, (target: ServerTarget, options: ClientOptions) => Thrower][] = [
    ['client', createClient],
    ['pool', createPool],
    ['group', (target, shared) => createGroup({ here: target }, { shared })],
  ];
  type Thrower = Pick<LongwireClient, 'callTool'> & AsyncDisposable;

  it.each(kinds)(
    'of a %s makes the call fail, and an option of the call wins',
    async (_, create) => {
      await using source = create({ server: serverOf(broken).server }, { throwOnToolError: true });
      expect(await failureOf(source.callTool('weather'))).toMatchObject({ code: 'tool-error' });
      const result = await source.callTool('weather', {}, { throwOnToolError: false });
      expect(result).toEqual(broken);
    },
  );

  it.each(kinds)('of a call of a %s goes for it alone', async (_, create) => {
    await using source = create({ server: serverOf(broken).server }, {});
    const call = source.callTool('weather', {}, { throwOnToolError: true });
    expect(await failureOf(call)).toMatchObject({ code: 'tool-error', result: broken });
    expect(await source.callTool('weather')).toEqual(broken);
  });

  it('is no failure of the server, and is not called again', async () => {
    const server = serverOf(broken);
    await using client = createClient(
      { server: server.server },
      {
        throwOnToolError: true,
        middleware: [retry({ firstDelayMs: 1 })],
      },
    );
    for (let call = 0; call < 10; call++) {
      await failureOf(client.callTool('weather', {}, { idempotent: true }));
    }
    expect(server.ran()).toBe(10);
    expect(await client.health()).toMatchObject({ status: 'healthy' });
    const { calls, lastError } = client.stats();
    expect(lastError).toBeUndefined();
    expect(calls).toMatchObject({ toolErrors: 10, inFlight: 0 });
  });

  it('says what the tool says, a part of it', async () => {
    const long = { ...said('x'.repeat(5000)), isError: true };
    const silent: CallToolResult = { content: [], isError: true };
    const server = serverOf(long, silent);
    await using client = createClient({ server: server.server }, { throwOnToolError: true });
    const { message } = await failureOf(client.callTool('weather'));
    expect(message).toBe(`the tool weather reported an error: ${'x'.repeat(500)}…`);
    expect(await failureOf(client.callTool('weather'))).toMatchObject({
      message: 'the tool weather reported an error, and says nothing of it',
    });
  });
});

describe('textOf and dataOf', () => {
  it('read the text, and the data', () => {
    expect(textOf(said('one', 'two'))).toBe('one\ntwo');
    expect(textOf(right)).toBe('');
    expect(dataOf(right)).toEqual({ city: 'Oslo', celsius: 4 });
    expect(dataOf(said('[1, 9007199254740993]'))).toEqual([1, 9007199254740993n]);
    const typed: CallToolResult & { structuredContent?: { celsius: number } } = right as never;
    expectTypeOf(dataOf(typed)).toEqualTypeOf<{ celsius: number }>();
  });

  it('throw for a result without data, and for an error of the tool', () => {
    expect(() => dataOf(said('sunny'))).toThrow('no structured content, and no JSON');
    expect(() => dataOf(broken)).toThrow('the tool reported an error: no such city');
  });
});
