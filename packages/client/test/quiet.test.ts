import { execFile } from 'node:child_process';
import type { ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { startHttpFixture, type HttpFixture } from '../../../test/support/http-fixture.ts';
import { scripted, scriptedServers } from '../../../test/support/scripted-servers.ts';

const program = fileURLToPath(new URL('./support/quiet-program.mjs', import.meta.url));
const hostile = '\u001b]0;gotcha\u0007 access_token=s3cret';

/** Runs the program, which is to write nothing but its one line; gives that. */
async function run(what: 'tools' | 'oauth', url: string): Promise<unknown> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [program, what, url]);
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

/** An MCP server that lets nobody in, and its authorization server, whose tokens are an answer's. */
function startGuarded(answerTokens: (response: ServerResponse) => void): Promise<HttpFixture> {
  return startHttpFixture(({ url, headers }, response) => {
    const origin = `http://${headers.host}`;
    const json = (value: object): ServerResponse =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (url.includes('oauth-protected-resource')) {
      json({ resource: `${origin}/mcp`, authorization_servers: [origin] });
    } else if (url.includes('oauth-authorization-server')) {
      json({
        issuer: origin,
        authorization_endpoint: `${origin}/authorize`,
        token_endpoint: `${origin}/token`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
      });
    } else if (url === '/token') {
      answerTokens(response);
    } else {
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    }
  });
}

const refusals: Record<
  string,
  { answer: (response: ServerResponse) => void; code?: string; led?: number }
> = {
  'refuses what it granted': {
    answer: said(400, { error: 'invalid_grant', error_description: hostile }),
  },
  'refuses what it granted, and says that all is well': {
    answer: said(200, { error: 'invalid_grant', error_description: hostile }),
  },
  'does not know the client': {
    answer: said(401, { error: 'invalid_client', error_description: hostile }),
  },
  'forbids the client what it does': {
    answer: said(400, { error: 'unauthorized_client', error_description: hostile }),
  },
  'fails by its own word': {
    answer: said(500, { error: 'server_error', error_description: hostile }),
  },
  'has an error of its own': { answer: said(400, { error: hostile }) },
  'fails with a page': {
    led: 0,
    answer: (response) => response.writeHead(502, { 'content-type': 'text/html' }).end(hostile),
  },
  'gives tokens that are none': { answer: said(200, { access_token: 5, note: hostile }) },
  'gives tokens that are no JSON': {
    answer: (response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(hostile),
  },
  'gives tokens without end': {
    code: 'limit-exceeded',
    answer: (response) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(`{"access_token":"${'x'.repeat(2_000_000)}"}`),
  },
  'sends the request elsewhere': {
    answer: (response) =>
      response.writeHead(307, { location: 'http://127.0.0.1:1/token?access_token=s3cret' }).end(),
  },
  'breaks off': { led: 0, answer: (response) => response.destroy() },
};

function said(status: number, body: object): (response: ServerResponse) => void {
  return (response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

describe('nothing is written to the terminal when an authorization server', () => {
  it.each(Object.entries(refusals))(
    '%s',
    async (_name, { answer, code = 'unauthorized', led = 1 }) => {
      await using server = await startGuarded(answer);
      const done = await run('oauth', `${server.origin}/mcp`);
      // Whoever can grant anew is asked to, as by the SDK, unless the server is only away.
      expect(done).toMatchObject({
        failure: 'unauthorized',
        led,
        finished: { code },
        issuer: server.origin,
      });
      expect((done as { finished: { length: number } }).finished.length).toBeLessThan(700);
    },
  );
});

describe('nothing is written to the terminal when a server', () => {
  it('lists tools that ask for headers wrongly', async () => {
    const header = (name: unknown, type: string): object => ({
      type: 'object',
      properties: { a: { type, 'x-mcp-header': name } },
    });
    const wrong = [
      header('not a token', 'string'),
      header('', 'string'),
      header(5, 'string'),
      header('A', 'number'),
      header('A', 'object'),
      { ...header('A', 'string'), 'x-mcp-header': 'A' },
      { type: 'object', items: header('A', 'string') },
      { type: 'object', anyOf: [header('A', 'string')] },
      { type: 'object', $defs: { a: header('A', 'string') } },
      {
        type: 'object',
        properties: {
          a: { type: 'string', 'x-mcp-header': 'A' },
          b: { type: 'string', 'x-mcp-header': 'a' },
        },
      },
    ];
    const tools = [
      { name: 'plain', inputSchema: { type: 'object' } },
      { name: 'fine', inputSchema: header('Region', 'string') },
      ...wrong.map((inputSchema, index) => ({ name: `${hostile}-${index}`, inputSchema })),
    ];
    const complete = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' };
    await using server = await scriptedServers['streamable-http']({
      'server/discover': scripted({
        result: {
          ...complete,
          supportedVersions: ['2026-07-28'],
          capabilities: { tools: {} },
          serverInfo: { name: 'modern', version: '1' },
        },
      }),
      'tools/list': scripted({ result: { ...complete, tools } }),
    });
    expect(await run('tools', server.target as string)).toMatchObject({
      names: ['plain', 'fine'],
      page: ['plain', 'fine'],
      bySdk: 2,
      errors: [expect.stringContaining('and 5 more')],
    });
  });
});
