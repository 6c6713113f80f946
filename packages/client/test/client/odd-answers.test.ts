import { Client } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import {
  goodAnswers,
  scripted,
  scriptedServers,
  type ScriptedAnswers,
} from '../../../../test/support/scripted-servers.ts';
import { connect, createTransport } from '../../src/client/connect.ts';
import { failureOf } from '../support/failure-of.ts';

expectNothingLeftOpen();

type Members = Record<string, unknown>;

/** What can be wrong with the answer that a server gives, and is plain enough to be corrected. */
const tolerated: Record<string, (result: Members) => Members> = {
  '_meta of null': (result) => ({ result: { ...result, _meta: null } }),
  '_meta of an array': (result) => ({ result: { ...result, _meta: [] } }),
  'a further member': (result) => ({ result, debug: { took: 3 } }),
  'a method of null': (result) => ({ result, method: null }),
  'the method that was asked': (result) => ({ method: 'tools/list', result }),
  'error of null': (result) => ({ result, error: null }),
};

/** Answers that say that it failed. */
const errors: Record<string, { members: Members; number: number; data?: unknown }> = {
  'a code that is no integer': {
    members: { error: { code: 1.5, message: 'no', data: 'more' } },
    number: -32603,
    data: { originalCode: 1.5, data: 'more' },
  },
  'a code that is too large': {
    members: { error: { code: 1e30, message: 'no' } },
    number: -32603,
    data: { originalCode: 1e30 },
  },
  'a code in words': {
    members: { error: { code: 'E_FAIL', message: 'no' } },
    number: -32603,
    data: { originalCode: 'E_FAIL' },
  },
  'a code that is a string': { members: { error: { code: '-7', message: 'no' } }, number: -7 },
  'no code': {
    members: { error: { message: 'no' } },
    number: -32603,
    data: { originalCode: null },
  },
  'a result of null': { members: { result: null, error: { code: 5, message: 'no' } }, number: 5 },
  'a further member': { members: { error: { code: 5, message: 'no' }, at: 'noon' }, number: 5 },
  'data of null': {
    members: { error: { code: 5, message: 'no', data: null } },
    number: 5,
    data: null,
  },
};

/** Answers that nobody can make sense of. */
const senseless: Record<string, Members> = {
  'a result of null': { result: null },
  'a result in words': { result: 'fine' },
  'a result that is an array': { result: [] },
  'an error in words': { error: 'no' },
  'an error of false': { error: false },
  'a message that is a number': { error: { code: 1, message: 2 } },
  'both a result and an error': { result: {}, error: { code: 1, message: 'no' } },
  neither: {},
  'another version': { jsonrpc: '1.0', result: {} },
};

const limits = { timeouts: { connectMs: 5000 } };

function resultOf(method: string): Members {
  return (JSON.parse((goodAnswers[method] ?? '').replace('$ID', '0')) as { result: Members })
    .result;
}

/** Every answer of a server in one shape. */
function all(shape: (result: Members) => Members): ScriptedAnswers {
  return Object.fromEntries(
    Object.keys(goodAnswers).map((method) => [method, scripted(shape(resultOf(method)))]),
  );
}

/** Only those to the handshake are as they should be. */
function later(members: Members): ScriptedAnswers {
  const { initialize = '' } = goodAnswers;
  return { ...all(() => members), initialize, ping: scripted({ result: {} }) };
}

describe.each(Object.entries(scriptedServers))('over %s', (_transport, start) => {
  it.each(Object.entries(tolerated))('takes an answer with %s', async (_name, shape) => {
    await using server = await start(all(shape));
    await using client = await connect(server.target, limits);
    expect(client.server?.name).toBe('scripted');
    expect(await client.listTools()).toMatchObject([{ name: 'echo' }]);
    expect(await client.callTool('echo')).toMatchObject({ content: [{ text: 'said' }] });
    expect(await client.readResource('a:b')).toMatchObject({ contents: [{ text: 'read' }] });
    expect(await client.sdk.listTools()).toMatchObject({ tools: [{ name: 'echo' }] });
    expect(await client.sdk.callTool({ name: 'echo' })).toMatchObject({
      content: [{ text: 'said' }],
    });
  });

  it.each(Object.entries(errors))('fails by an error with %s', async (_name, error) => {
    await using server = await start(later(error.members));
    await using client = await connect(server.target, limits);
    const expected = {
      code: 'server-error',
      certainty: 'answered',
      number: error.number,
      data: error.data,
    };
    expect(await failureOf(client.listTools())).toMatchObject(expected);
    expect(await failureOf(client.callTool('echo'))).toMatchObject(expected);
    expect(await failureOf(client.readResource('a:b'))).toMatchObject(expected);
    await expect(client.sdk.callTool({ name: 'echo' })).rejects.toMatchObject({
      code: error.number,
    });
  });

  it.each(Object.entries(senseless))('fails when there is %s', async (_name, members) => {
    await using server = await start(later(members));
    await using client = await connect(server.target, limits);
    const expected = { code: 'protocol', certainty: 'answered' };
    expect(await failureOf(client.listTools())).toMatchObject(expected);
    expect(await failureOf(client.callTool('echo'))).toMatchObject(expected);
    expect(await failureOf(client.readResource('a:b'))).toMatchObject(expected);
    await expect(client.sdk.listTools()).rejects.toMatchObject(expected);
  });

  it.each([
    ...Object.entries(senseless),
    ...Object.entries(errors).map(([name, { members }]) => [name, members] as const),
  ])('fails to connect when the handshake has %s', async (_name, members) => {
    await using server = await start({ ...goodAnswers, initialize: scripted(members) });
    expect(await failureOf(connect(server.target, limits))).toMatchObject({
      name: 'ConnectError',
    });
  });

  it('gives the same to a program with a Client of its own', async () => {
    await using server = await start(all((result) => ({ result: { ...result, _meta: null } })));
    const client = new Client({ name: 'own', version: '1' });
    await client.connect(createTransport(server.target, limits));
    try {
      expect(await client.listTools()).toMatchObject({ tools: [{ name: 'echo' }] });
    } finally {
      await client.close();
    }
  });
});
