import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startHostileSse } from '../support/hostile-sse.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { type Peer, startEverything } from '../support/peers.ts';
import { runCli, startCli } from '../support/run-cli.ts';
import { startToolEventsServer } from '../support/tool-events-servers.ts';
import { complaintOf } from './support/keyed-run.ts';
import { createServer as createModernServer } from './support/modern-server.mjs';

expectNothingLeftOpen();

/** A server of protocol 2026-07-28 and no other, at `/mcp` of 127.0.0.1. */
async function startModern(): Promise<AsyncDisposable & { url: string }> {
  const handler = createMcpHandler(createModernServer, { legacy: 'reject' });
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const answer = await handler.fetch(
      new Request(`http://127.0.0.1${request.url ?? ''}`, {
        method: request.method ?? 'GET',
        headers: request.headers as Record<string, string>,
        ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
      }),
    );
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    for await (const chunk of answer.body ?? []) response.write(chunk);
    response.end();
  };
  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await handler.close();
    },
  };
}

describe('server-everything over Streamable HTTP', () => {
  let peer: Peer;
  beforeAll(async () => {
    peer = await startEverything({ mode: 'streamableHttp' });
  });
  afterAll(() => peer.stop());

  test('with --verbose inspect says how it was found, and nothing of it on stdout', async () => {
    const target = `${new URL('..', peer.url).href}?token=s3cret-of-the-query`;
    const run = await runCli(['inspect', target, '--verbose']);
    expect(run.code).toBe(0);
    const tried = run.stderr.split('\n').filter((line) => line.startsWith('  tried '));
    expect(tried).toEqual([
      expect.stringMatching(`^  tried ${peer.url}: .* 400: .*not initialized`),
      `  tried ${peer.url}: initialize was answered: streamable-http`,
    ]);
    expect(run.stdout).not.toContain('tried');
    expect(run.stdout + run.stderr).not.toContain('s3cret');
  });

  test('shows the progress of a call', async () => {
    const name = 'trigger-long-running-operation';
    const run = await runCli(['call', peer.url, name, 'duration=0.2', 'steps=3', '-v']);
    expect(run.code).toBe(0);
    expect(run.stdout).toContain('Long running operation completed');
    expect(run.stderr).toMatch(/: 2\/3\n/);
  });

  test('is watched until Ctrl-C', async () => {
    await using cli = await startCli(['watch', peer.url]);
    await cli.waitFor(/Watching/);
    cli.kill('SIGINT');
    const { code, stdout } = await cli.done;
    expect(code).toBe(130);
    expect(stdout).toMatch(/Z ready: streamable-http at http:\/\/127\.0\.0\.1:\d+\/mcp, in /);
  });

  test('is found by no other --transport: 3, with what was tried, once', async () => {
    expect((await runCli(['tools', peer.url, '--transport', 'streamable-http'])).code).toBe(0);
    const run = await runCli(['tools', peer.url, '--transport', 'sse', '--verbose']);
    expect([run.code, run.stdout]).toEqual([3, '']);
    expect(complaintOf(run, { verbose: true })).toMatch(/is this the address of an MCP server\?$/);
    expect(run.stderr).toMatch(/GET http:\/\/127\.0\.0\.1:\d+\/mcp was answered 400: /);
    expect(run.stderr.match(/was answered 400/g)).toHaveLength(1);
    expect(run.stderr).not.toMatch(/^ {2}tried/m);
  });
});

describe('inspect says how a server talks', () => {
  test('that knows protocol 2026-07-28', async () => {
    await using server = await startModern();
    const { code, stdout, stderr } = await runCli(['inspect', server.url, '--json', '--verbose']);
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      transport: 'streamable-http',
      protocolVersion: '2026-07-28',
      server: { name: 'modern' },
      counts: { tools: 1 },
    });
    expect(stderr).toContain(
      `  tried ${server.url}: server/discover was answered: streamable-http`,
    );
    const run = await runCli(['call', server.url, 'greet']);
    expect(run).toMatchObject({ code: 0, stdout: 'hello from 2026\n', stderr: '' });
  });

  test('that knows HTTP+SSE', async () => {
    await using server = await startHostileSse();
    const { stdout, stderr } = await runCli(['inspect', server.url, '--verbose']);
    expect(stdout).toMatch(/^transport +sse\nprotocol +20\d\d-\d\d-\d\d$/m);
    expect(stderr).toContain(`  tried ${server.url}: GET was answered: sse\n`);
  });

  test('that knows tool-events', async () => {
    await using server = await startToolEventsServer({ kind: 'fixed-endpoint' });
    const key = ['--header', `api_key: ${server.apiKey}`];
    const args = ['inspect', `${server.url}/sse`, '--verbose', ...key];
    const { stdout, stderr } = await runCli(args);
    expect(stdout).toMatch(/^transport +tool-events\nprotocol +/m);
    expect(stderr).toContain(`  tried ${server.url}/sse: GET was answered: tool-events\n`);
    expect(stdout + stderr).not.toContain(server.apiKey);
  });
});
