import type { LongwireClient } from '@longwire/client';
import { describe, expect, it } from 'vitest';
import { Servers } from '../../src/chat/servers.ts';
import type { Context } from '../../src/context.ts';
import { Interruptions } from '../../src/interruptions.ts';

function serversOf(lists: Record<string, string[]>): Servers {
  const context = {
    terminal: { verbose: true },
    options: {},
    interruptions: new Interruptions(),
  } as unknown as Context;
  const clients = Object.entries(lists).map(([name, tools]) => ({
    name,
    listTools: async () => tools.map((tool) => ({ name: tool })),
  }));
  return new Servers(context, clients as unknown as LongwireClient[]);
}

const { signal } = new AbortController();

async function found(lists: Record<string, string[]>, word: string): Promise<string> {
  const { client, tool } = await serversOf(lists).find(word, signal);
  return `${client.name}: ${tool}`;
}

describe('the tool that a word means', () => {
  it('is that of the server it names, or the only one of that name', async () => {
    const lists = { files: ['read', 'list'], web: ['read', 'get'] };
    expect(await found(lists, 'files/read')).toBe('files: read');
    expect(await found(lists, 'get')).toBe('web: get');
    await expect(found(lists, 'read')).rejects.toThrow('write files/read or web/read');
  });

  it('is not one of another server that is named so', async () => {
    const lists = { files: [], evil: ['files/read'] };
    await expect(found(lists, 'files/read')).rejects.toMatchObject({ code: 'unknown-tool' });
    expect(await found(lists, 'evil/files/read')).toBe('evil: files/read');
  });
});
