import { createClient } from '@longwire/client';
import { McpServer } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { startToolEventsServer } from '../../../test/support/tool-events-servers.ts';
import { until } from '../../../test/support/until.ts';
import { startWorkflow } from './support/rig.ts';

expectNothingLeftOpen();

/** A server in this process that notes what it is told. */
function createNotes(): { server: McpServer; notes: unknown[] } {
  const notes: unknown[] = [];
  const capabilities = { logging: {}, resources: { subscribe: true } };
  const server = new McpServer({ name: 'notes', version: '1.0.0' }, { capabilities });
  server.server.setRequestHandler('resources/subscribe', () => ({}));
  server.registerTool('note', { inputSchema: z.object({ text: z.string() }) }, ({ text }) => {
    notes.push(text);
    return { content: [{ type: 'text', text: 'ok' }] };
  });
  return { server, notes };
}

describe('clients as the servers of a workflow', () => {
  it('bring log messages and changes of resources', async () => {
    const { server, notes } = createNotes();
    await using client = createClient({ server: () => server }, { name: 'notes' });
    await using rig = await startWorkflow(
      `
      triggers:
        - { on: log:error, call: note, with: { text: =event.data } }
        - { on: "resource:note:///1", call: note, with: { text: =event.data.uri } }`,
      { notes: client },
      { concurrency: 1 },
    );
    await server.sendLoggingMessage({ level: 'info', data: 'all is well' });
    await server.sendLoggingMessage({ level: 'error', data: 'the disk is full' });
    await server.server.sendResourceUpdated({ uri: 'note:///1' });
    await until(() => notes.length === 2);
    await rig.runner.idle();
    expect(notes).toEqual(['the disk is full', 'note:///1']);
    expect(rig.runner.stats()).toMatchObject({ events: 2, runs: { done: 2 } });
  });

  it('bring the events of tool-events servers, to be answered by another one', async () => {
    const { server, notes } = createNotes();
    await using events = await startToolEventsServer({ kind: 'answers-in-body' });
    await using market = createClient(`${events.url}/sse`, {
      name: 'market',
      headers: { api_key: events.apiKey },
    });
    await using client = createClient({ server: () => server }, { name: 'notes' });
    await using rig = await startWorkflow(
      `
      triggers:
        - on: alert
          from: market
          where: event.data.price > 100
          call: notes/note
          with: { text: "=event.data.symbol & ' is at ' & event.data.price" }`,
      { market, notes: client },
    );
    events.push('alert', { symbol: 'A', price: 99 });
    events.push('alert', { symbol: 'B', price: 101 });
    await until(() => notes.length === 1);
    await rig.runner.idle();
    expect(notes).toEqual(['B is at 101']);
  });
});
