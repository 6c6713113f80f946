/** A program for `longwire worker`, and for the nodes that its workers work for. */
import { McpServer } from '@modelcontextprotocol/server';
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import * as z from 'zod';

/**
 * Writes what happens to a tool, a line each.
 *
 * @param {string} line
 */
function note(line) {
  const journal = process.env['JOURNAL'];
  if (journal !== undefined) appendFileSync(journal, `${line} ${process.pid}\n`);
}

export const queues = {
  work: { concurrency: 2, worker: true },
  'safe*': { concurrency: 2, worker: true },
  here: { concurrency: 1 },
};

/** @param {{ principal: { id: string }, headers: object }} context */
export function create({ principal, headers }) {
  const server = new McpServer(
    { name: 'program', version: '1' },
    { capabilities: { logging: {}, tools: { listChanged: true } } },
  );
  const text = (/** @type {unknown} */ value) => ({
    content: [{ type: /** @type {const} */ ('text'), text: JSON.stringify(value) }],
  });
  server.registerTool(
    'work',
    {
      description: 'Does what it is told',
      inputSchema: z.object({
        steps: z.number().default(0),
        ms: z.number().default(0),
        do: z.string().optional(),
      }),
    },
    async ({ steps, ms, do: what }, { mcpReq, http }) => {
      note('work began');
      const progressToken = mcpReq._meta?.progressToken;
      for (let progress = 1; progress <= steps; progress++) {
        if (progressToken !== undefined) {
          await mcpReq.notify({
            method: 'notifications/progress',
            params: { progressToken, progress, total: steps },
          });
        }
        await mcpReq.log('debug', `step ${progress}`);
        await mcpReq.log('warning', `step ${progress}!`);
      }
      if (what === 'ask') {
        await mcpReq.elicitInput({
          message: 'Who?',
          requestedSchema: { type: 'object', properties: {} },
        });
      }
      if (what === 'fail') throw new Error('it cannot be done');
      try {
        await delay(ms, undefined, { signal: mcpReq.signal });
      } catch (error) {
        note('work aborted');
        throw error;
      }
      note('work ended');
      return text({
        pid: process.pid,
        principal: principal.id,
        scopes: http?.authInfo?.scopes ?? [],
        headers: Object.keys(headers),
      });
    },
  );
  server.registerTool(
    'safe_work',
    {
      description: 'May run twice',
      annotations: { readOnlyHint: true },
      inputSchema: z.object({ ms: z.number() }),
      outputSchema: z.array(z.number()),
    },
    async ({ ms }, { mcpReq }) => {
      note('safe_work began');
      await delay(ms, undefined, { signal: mcpReq.signal });
      note('safe_work ended');
      return { content: [], structuredContent: [process.pid] };
    },
  );
  server.registerTool('here', { description: 'Runs on the node' }, () =>
    text({ pid: process.pid }),
  );
  return server;
}
