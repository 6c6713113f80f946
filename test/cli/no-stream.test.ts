import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startHttpFixture } from '../support/http-fixture.ts';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { startCli } from '../support/run-cli.ts';

expectNothingLeftOpen();

test('a server that offers no stream is watched until Ctrl-C', async () => {
  await using server = await startHttpFixture(({ method, json }, response) => {
    const { id, method: asked } = (json ?? {}) as { id?: number; method?: string };
    if (method !== 'POST') response.writeHead(405).end();
    else if (id === undefined) response.writeHead(202).end();
    else {
      const serverInfo = { name: 'quiet', version: '1' };
      const result = { protocolVersion: '2025-11-25', capabilities: {}, serverInfo };
      const error = { code: -32601, message: 'no such method' };
      const answer = asked === 'initialize' ? { result } : { error };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
    }
  });
  await using command = await startCli(['watch', `${server.origin}/mcp`]);
  await command.waitFor(/Watching/);
  // Time enough for a process that nothing keeps to end.
  await delay(500);
  command.kill('SIGINT');
  expect((await command.done).code).toBe(130);
});
