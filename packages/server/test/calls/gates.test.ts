import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import type { CallGate } from '../../src/index.ts';
import { call, deferred, post, serving } from '../fixture.ts';

const accept = { accept: 'application/json, text/event-stream' };

/** Opens a session of Streamable HTTP; its headers. */
async function opened(url: string): Promise<Record<string, string>> {
  const clientInfo = { name: 'c', version: '1' };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  const body = { jsonrpc: '2.0', id: 0, method: 'initialize', params };
  const { headers } = await post(url, body, accept);
  return { ...accept, 'mcp-session-id': String(headers['mcp-session-id']) };
}

describe('a call', () => {
  it('is refused where a batch has its id twice, and no gate is asked', async () => {
    const asked: unknown[] = [];
    const gates: CallGate[] = [{ admit: ({ id }) => void asked.push(id) }];
    const { mcpUrl } = await serving({ gates });
    const headers = await opened(mcpUrl);
    const echo = call(1, 'echo', { message: 'hi' });
    expect(await post(mcpUrl, [echo, echo], headers)).toMatchObject({ status: 400 });
    expect(asked).toEqual([0]);
  });

  it('fails alone where a gate throws around it', async () => {
    const gates: CallGate[] = [
      {
        around: ({ target }, deliver) => {
          if (target === 'fail') throw new Error('a defect of the gate');
          deliver();
        },
      },
    ];
    const { mcpUrl } = await serving({ gates });
    const headers = await opened(mcpUrl);
    expect((await post(mcpUrl, call(1, 'fail'), headers)).text).toContain('-32603');
    const next = await post(mcpUrl, call(2, 'echo', { message: 'hi' }), headers);
    expect(next.text).toContain('"hi"');
  });

  it('does not run where its session ended while a gate was asked, and the gate is told once', async () => {
    const [asked, allowed] = [deferred(), deferred()];
    const left: string[] = [];
    const gates: CallGate[] = [
      {
        admit: async ({ method }) => {
          if (method !== 'tools/call') return undefined;
          asked.resolve();
          await allowed.promise;
          return undefined;
        },
        leave: ({ method }, { kind }) => void left.push(`${method} ${kind}`),
      },
    ];
    const { mcpUrl } = await serving({ gates });
    const headers = await opened(mcpUrl);
    const answer = post(mcpUrl, call(1, 'echo', { message: 'too late' }), headers);
    await asked.promise;
    await (await request(mcpUrl, { method: 'DELETE', headers })).body.dump();
    allowed.resolve();
    expect((await answer).text).not.toContain('too late');
    expect(left).toEqual(['initialize result', 'tools/call cancelled']);
  });
});
