import { describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import {
  goodAnswers,
  scripted,
  scriptedServers,
  type ScriptedAnswers,
} from '../../../../test/support/scripted-servers.ts';
import { connect, ToolResultError, type LongwireError } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';

expectNothingLeftOpen();

const text = (...texts: string[]): unknown[] => texts.map((one) => ({ type: 'text', text: one }));

/** Results that say plainly what the tool answered: what a caller gets, and what is said of it. */
const plain: Record<string, { result: object; gives: object; told: RegExp }> = {
  'content that is a string': {
    result: { content: 'done' },
    gives: { content: text('done') },
    told: /its content is a string and no list/,
  },
  'content that is one block': {
    result: { content: { type: 'text', text: 'done' } },
    gives: { content: text('done') },
    told: /its content is an object and no list/,
  },
  'content that is a number': {
    result: { content: 7 },
    gives: { content: text('7') },
    told: /its content is a number/,
  },
  'blocks that are strings': {
    result: { content: ['a', 'b'] },
    gives: { content: text('a', 'b') },
    told: /content\[0\] is no content block, content\[1\]/,
  },
  'a block of null': {
    result: { content: [null, { type: 'text', text: 'a' }] },
    gives: { content: text('a') },
    told: /content\[0\] is no content block/,
  },
  'a block without a type': {
    result: { content: [{ text: 'a' }, { id: 7 }] },
    gives: { content: text('a', '{"id":7}') },
    told: /content\[0\]/,
  },
  'a text that is none': {
    result: { content: [{ type: 'text', text: { id: 7 } }] },
    gives: { content: text('{"type":"text","text":{"id":7}}') },
    told: /content\[0\]/,
  },
  'a text, as protocol 2024-10-07 has it': {
    result: { toolResult: 'done' },
    gives: { content: text('done') },
    told: /toolResult, of protocol 2024-10-07/,
  },
  'an object, as protocol 2024-10-07 has it': {
    result: { toolResult: { id: 7 } },
    gives: { content: text('{"id":7}') },
    told: /toolResult/,
  },
  'members of its own alone': {
    result: { id: 7, state: 'paid' },
    gives: { content: text('{"id":7,"state":"paid"}') },
    told: /it has id, state, and no content/,
  },
  'an error in words': {
    result: { content: text('no'), isError: 'true' },
    gives: { content: text('no'), isError: true },
    told: /isError is a string/,
  },
  'no error in words': {
    result: { content: text('yes'), isError: 'False' },
    gives: { content: text('yes'), isError: false },
    told: /isError is a string/,
  },
};

/** Results that are as they may be. */
const silent: Record<string, { result: object; gives: object }> = {
  'optional members of null': {
    result: { content: text('a'), isError: null, structuredContent: null },
    gives: { content: text('a') },
  },
  'content of null beside a structure': {
    result: { content: null, structuredContent: { n: 1 } },
    gives: { content: [], structuredContent: { n: 1 } },
  },
  'nothing at all': { result: {}, gives: { content: [] } },
  'content of a kind that nobody knows': {
    result: { content: [{ type: 'hologram', data: 1 }] },
    gives: { content: [{ type: 'hologram', data: 1 }] },
  },
};

/** What is no object. */
const odd: [string, unknown, unknown[]][] = [
  ['a string', 'done', text('done')],
  ['a list', text('a'), text('a')],
  ['null', null, []],
  ['a number', 7, text('7')],
];

/** A tool with a promise, and one that wants an argument in a header. */
const tools = [
  {
    name: 'promised',
    inputSchema: { type: 'object' },
    outputSchema: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
  },
  {
    name: 'with-header',
    inputSchema: {
      type: 'object',
      properties: { where: { type: 'string', 'x-mcp-header': 'where' } },
    },
  },
];

const answering = (result: unknown): ScriptedAnswers => ({
  ...goodAnswers,
  'tools/list': scripted({ result: { tools } }),
  'tools/call': scripted({ result }),
});

const modern = (result: object): ScriptedAnswers => ({
  ...answering({ resultType: 'complete', ...result }),
  'tools/list': scripted({
    result: { resultType: 'complete', tools, ttlMs: 0, cacheScope: 'private' },
  }),
  'server/discover': scripted({
    result: {
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {} },
      serverInfo: { name: 'scripted', version: '1' },
      ttlMs: 0,
      cacheScope: 'private',
    },
  }),
});

const limits = { timeouts: { connectMs: 5000 } };
type Start = (typeof scriptedServers)['sse'];

/** A client, and what it reports. */
async function connected(start: Start, answers: ScriptedAnswers) {
  const server = await start(answers);
  const client = await connect(server.target, limits);
  const told: LongwireError[] = [];
  client.on('error', (error) => told.push(error));
  return {
    client,
    told,
    async [Symbol.asyncDispose]() {
      await client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe.each(Object.entries(scriptedServers))('over %s a tool that answers with', (_, start) => {
  it.each(Object.entries(plain))('%s has its result', async (_name, { result, gives, told }) => {
    await using rig = await connected(start, answering(result));
    expect(await rig.client.callTool('echo')).toMatchObject(gives);
    expect(rig.told).toMatchObject([
      {
        code: 'protocol',
        certainty: 'answered',
        result: gives,
        message: expect.stringMatching(told),
      },
    ]);
  });

  it.each(Object.entries(silent))('%s has its result', async (_name, { result, gives }) => {
    await using rig = await connected(start, answering(result));
    expect(await rig.client.callTool('echo')).toEqual(gives);
    expect(rig.told).toEqual([]);
  });

  it.each(odd)('%s has it on the error', async (_name, result, content) => {
    await using rig = await connected(start, answering(result));
    const error = await failureOf(rig.client.callTool('echo'));
    expect(error).toBeInstanceOf(ToolResultError);
    expect(error).toMatchObject({ code: 'protocol', certainty: 'answered', result: { content } });
    expect(error.message).toMatch(
      /^the tool echo ran and answered, but its result is .* do not call it again/,
    );
  });

  it.each([{ structuredContent: { n: 'one' } }, {}])(
    'what its output schema does not allow has it on the error: %j',
    async (more) => {
      const result = { content: text('paid'), ...more };
      await using rig = await connected(start, answering(result));
      await rig.client.listTools();
      const error = await failureOf(rig.client.callTool('promised'));
      expect(error).toMatchObject({ code: 'protocol', certainty: 'answered', result });
      expect(error.message).toMatch(
        /^the tool promised ran and answered, but .*output schema.*do not call it/,
      );
    },
  );
});

describe('through the official client, too, a tool that answers with', () => {
  const start = scriptedServers['streamable-http'];

  it.each(Object.entries(plain))('%s has its result', async (_name, { result, gives }) => {
    await using rig = await connected(start, modern(result));
    expect(rig.client.protocolVersion).toBe('2026-07-28');
    await rig.client.listTools();
    expect(await rig.client.callTool('with-header', { where: 'Rom' })).toMatchObject(gives);
    expect(rig.told).toMatchObject([{ code: 'protocol', certainty: 'answered' }]);
  });
});
