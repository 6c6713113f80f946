import type { ServerResponse } from 'node:http';
import { expect, it } from 'vitest';
import { startHttpFixture } from '../../../../test/support/http-fixture.ts';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { goodAnswers } from '../../../../test/support/scripted-servers.ts';
import { until } from '../../../../test/support/until.ts';
import { connect } from '../../src/client/connect.ts';

expectNothingLeftOpen();

it('refuses what a server asks beyond a thousand requests that wait for an answer', async () => {
  let stream: ServerResponse | undefined;
  await using server = await startHttpFixture(({ method, json }, response) => {
    if (method === 'GET') {
      stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
      stream.write('event: endpoint\ndata: /messages?session_id=1\n\n');
      return;
    }
    const { id, method: asked = '' } = json as { id?: number; method?: string };
    const text = goodAnswers[asked]?.replace('$ID', String(id));
    response.writeHead(202).end();
    if (text !== undefined) stream?.write(`data: ${text}\n\n`);
  });
  const answered = (): unknown[] =>
    server.requests.map(({ json }) => json).filter((json) => !Object.hasOwn(json ?? {}, 'method'));
  let open = 0;
  const client = await connect(`${server.origin}/sse`, {
    handlers: {
      roots: () => {
        open++;
        return new Promise<never>(() => {});
      },
    },
  });
  const ask = (id: number): string =>
    `data: ${JSON.stringify({ jsonrpc: '2.0', id, method: 'roots/list' })}\n\n`;
  stream?.write(Array.from({ length: 1001 }, (_, id) => ask(id)).join(''));
  await until(() => open === 1000 && answered().length === 2);
  expect(answered().at(-1)).toMatchObject({ id: 1000, error: { code: -32603 } });
  await client.callTool('echo');
  await client.close();
});
