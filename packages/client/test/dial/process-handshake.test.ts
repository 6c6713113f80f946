import { McpServer } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { connect, type LongwireError } from '../../src/index.ts';

const failure = (...args: Parameters<typeof connect>): Promise<LongwireError> =>
  connect(...args).then(
    () => expect.unreachable('it connected'),
    (error: unknown) => error as LongwireError,
  );

const script = (text: string) => ({ command: process.execPath, args: ['-e', text] });

/** A server that knows `server/discover` and nothing else, as a modern one does. */
const modernOnly = `
  const said = [];
  process.stdin.setEncoding('utf8').on('data', (text) => {
    for (const line of text.split('\\n').filter(Boolean)) {
      const { id, method } = JSON.parse(line);
      said.push(method);
      const answer = method === 'server/discover'
        ? { result: { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: {},
            instructions: said.join(), ttlMs: 0, cacheScope: 'private' } }
        : { error: { code: -32022, message: 'no', data: { supported: ['2026-07-28'] } } };
      if (id !== undefined) process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, ...answer }) + '\\n');
    }
  });`;

describe('a server that is a child process', () => {
  it('gets initialize first, and server/discover only if it does not know that', async () => {
    const client = await connect(script(modernOnly));
    try {
      expect(client.state).toMatchObject({ transport: 'stdio' });
      expect(client.protocolVersion).toBe('2026-07-28');
      expect(client.sdk.getProtocolEra()).toBe('modern');
      expect(client.instructions).toBe('initialize,server/discover');
    } finally {
      await client.close();
    }
  });

  it('without a common version fails with its answer to initialize', async () => {
    const other = modernOnly.replaceAll('2026-07-28', '2027-01-01').replace("'no'", "'not 2025'");
    const error = await failure(script(other));
    expect(error).toMatchObject({ name: 'ConnectError', certainty: 'not-sent' });
    expect(error.message).toContain('not 2025');
  });

  it('that ends is shown with its last words', async () => {
    const error = await failure(script('console.error("no KEY"); process.exit(3)'));
    expect(error).toMatchObject({ name: 'ConnectError', certainty: 'not-sent' });
    expect(error.message).toMatch(/ended with code 3; its last words: no KEY/);
  });

  it('that does not answer is shown with its last words', async () => {
    const target = script('console.error("waiting for a lock"); setInterval(() => {}, 1000)');
    const error = await failure(target, { timeouts: { connectMs: 1500 } });
    expect(error.code).toBe('connect-timeout');
    expect(error.message).toContain('the last words of its process: waiting for a lock');
  });

  it('is not reached by another transport', async () => {
    const error = await failure(script(''), { transport: 'sse' });
    expect(error).toMatchObject({ code: 'config' });
    expect(error.message).toContain('is reached by stdio, and not by sse');
  });
});

describe('a server in this process', () => {
  it('is made for each connection, and can send requests', async () => {
    let made = 0;
    const server = () => {
      made++;
      const mcp = new McpServer({ name: 'here', version: '1' });
      mcp.registerTool('ask', { inputSchema: z.object({}) }, async () => {
        const { action } = await mcp.server.elicitInput({
          message: 'well?',
          requestedSchema: { type: 'object', properties: {} },
        });
        return { content: [{ type: 'text', text: action }] };
      });
      return mcp;
    };
    const client = await connect(
      { server },
      { handlers: { elicitation: () => ({ action: 'decline' }) } },
    );
    const content = [{ type: 'text', text: 'decline' }];
    expect(client.state).toMatchObject({ transport: 'in-memory' });
    expect(await client.callTool('ask')).toMatchObject({ content });
    await client.close();
    expect(await client.callTool('ask')).toMatchObject({ content });
    await client.close();
    expect(made).toBe(2);
  });

  it('that cannot be made fails the dial', async () => {
    const error = await failure({
      server: () => {
        throw new Error('no database');
      },
    });
    expect(error).toMatchObject({ code: 'connect-failed', certainty: 'not-sent' });
    expect(error.message).toContain('no database');
  });
});
