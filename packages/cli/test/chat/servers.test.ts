import type { LongwireClient } from '@longwire/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Servers } from '../../src/chat/servers.ts';
import type { Context } from '../../src/context.ts';
import { Interruptions } from '../../src/interruptions.ts';

function serversOf(
  lists: Record<string, string[]>,
  remark: (line: string) => void = () => {},
): Servers {
  const context = {
    terminal: { verbose: true, remark, remarkColors: { red: (text: string) => text } },
    redactor: { message: (text: string) => text },
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

describe('one server that hangs', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is not waited for longer than the others make worth while, and is said once', async () => {
    const remarks: string[] = [];
    const servers = serversOf({ good: ['echo'], slow: [] }, (line) => remarks.push(line));
    const [, slow] = servers.clients;
    if (slow === undefined) throw new Error('there is no other');
    const { listTools } = slow;
    slow.listTools = () => new Promise(() => {});
    for (let n = 0; n < 2; n++) {
      const finding = servers.find('echo', signal);
      await vi.advanceTimersByTimeAsync(3000);
      expect((await finding).client.name).toBe('good');
    }
    expect(remarks).toEqual([expect.stringMatching(/^slow lists no tools: .*within 3 s/)]);
    // Of the other nobody waits for it.
    expect((await servers.find('good/echo', signal)).tool).toBe('echo');
    slow.listTools = listTools;
    await servers.listTools(signal);
    slow.listTools = () => Promise.reject(new Error('gone'));
    expect(await servers.listTools(signal)).toMatchObject([
      { isMissing: false },
      { isMissing: true },
    ]);
    expect(remarks).toHaveLength(2);
  });
});

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
