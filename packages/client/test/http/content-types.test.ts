import { describe, expect, it } from 'vitest';
import { connect } from '../../src/index.ts';
import type { ConnectError } from '../../src/errors.ts';
import { failureOf } from '../support/failure-of.ts';
import { smallServers } from '../support/small-servers.ts';

const { serve } = smallServers();

async function echoOf(url: string): Promise<unknown> {
  await using client = await connect(url);
  return await client.callTool('echo', { a: 1 });
}

const ECHOED = { content: [{ text: '{"a":1}' }] };

describe('an answer is accepted with any content type', () => {
  it.each([
    'application/json;charset=utf-8',
    'Application/JSON ; charset="UTF-8"',
    'application/json-rpc',
    'application/vnd.mcp+json',
    'text/json',
    'text/plain',
    'text/html; charset=UTF-8',
    '',
    null,
  ])('a document of %s', async (contentType) => {
    const server = await serve({ contentType });
    expect(await echoOf(`${server.origin}/mcp`)).toMatchObject(ECHOED);
  });

  it.each([
    'text/event-stream; charset=utf-8',
    'text/event-stream;charset=UTF-8',
    'TEXT/Event-Stream',
    'text/plain',
    'application/octet-stream',
    null,
  ])('a stream of %s', async (contentType) => {
    const server = await serve({ contentType, streams: true });
    expect(await echoOf(`${server.origin}/mcp`)).toMatchObject(ECHOED);
  });

  it.each(['text/event-stream; charset=utf-8', 'Text/Event-Stream;charset=UTF-8', null])(
    'the stream of HTTP+SSE, of %s',
    async (contentType) => {
      const server = await serve({ contentType });
      expect(await echoOf(`${server.origin}/sse`)).toMatchObject(ECHOED);
    },
  );
});

describe('a body that is no answer', () => {
  it.each([
    ['text/html', '<!doctype html><title>Welcome</title>'],
    ['text/plain', 'Welcome'],
    [undefined, ''],
    [undefined, '  \n'],
  ])('of %s is not accepted (%j)', async (type, body) => {
    const server = await serve({
      before: (request, response) => {
        if (request.method !== 'POST') return false;
        response.writeHead(200, type === undefined ? {} : { 'content-type': type }).end(body);
        return true;
      },
    });
    const error = await failureOf(connect(`${server.origin}/mcp`));
    expect(error.code).toBe('not-mcp');
    const { tried } = error as ConnectError;
    expect(tried.map(({ outcome }) => outcome).join()).toContain(
      `answered 200 with ${type ?? 'no content type'}, and not with a JSON-RPC answer`,
    );
  });

  it('fails the call at its first bytes, if its end never comes', async () => {
    const server = await serve({
      before: ({ method }, response) => {
        if (method === 'POST') response.writeHead(200).write('Welcome');
        else response.writeHead(405).end();
        return true;
      },
    });
    const error = await failureOf(connect(`${server.origin}/mcp`));
    expect(error.code).toBe('not-mcp');
  });
});
