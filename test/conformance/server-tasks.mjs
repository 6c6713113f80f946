import { setTimeout as delay } from 'node:timers/promises';
import { acceptedContent, inputRequired } from '@modelcontextprotocol/server';
import * as z from 'zod';

/** @param {string} text */
const said = (text) => ({ content: [{ type: 'text', text }] });
/** @param {string} message @param {string} field @param {string} type */
const form = (message, field, type) => ({
  message,
  requestedSchema: { type: 'object', properties: { [field]: { type } }, required: [field] },
});

/** Which tools have tasks: those that the scenarios call long, soon enough for them to see it. */
export const TASKS = {
  slow_compute: { task: 'optional', auto: { afterMs: 500 } },
  test_tool_with_task: { task: 'optional', auto: { afterMs: 500 } },
  failing_job: 'required',
  protocol_error_job: 'required',
  confirm_delete: 'required',
  multi_input: 'required',
};

/** The tools of the scenarios for tasks. @param {import('@modelcontextprotocol/server').McpServer} server */
export function addTasks(server) {
  server.registerTool(
    'greet',
    { description: 'Greets, at once', inputSchema: z.object({ name: z.string() }) },
    ({ name }) => said(`Hello, ${name}!`),
  );
  server.registerTool(
    'slow_compute',
    {
      description: 'Computes for so many seconds',
      inputSchema: z.object({ seconds: z.number(), label: z.string().optional() }),
    },
    async ({ seconds }, { mcpReq: { signal } }) => {
      await delay(seconds * 1_000, undefined, { signal });
      return said('computed');
    },
  );
  server.registerTool('failing_job', { description: 'Reports an error' }, async () => {
    await delay(200);
    throw new Error('the job failed');
  });
  // The SDK answers with an error of JSON-RPC to what is no result of a tool.
  server.registerTool('protocol_error_job', { description: 'Answers what is no result' }, () => ({
    content: 'no content',
  }));
  server.registerTool(
    'confirm_delete',
    { description: 'Asks before it deletes', inputSchema: z.object({ filename: z.string() }) },
    async ({ filename }, { mcpReq }) => {
      const { content } = await mcpReq.elicitInput(
        form(`Delete ${filename}?`, 'confirm', 'boolean'),
      );
      return said(content?.confirm === true ? `${filename} is deleted` : 'nothing is deleted');
    },
  );
  server.registerTool(
    'multi_input',
    { description: 'Asks two things at a time' },
    async ({ mcpReq }) => {
      const answers = await Promise.all(
        [form('A name?', 'name', 'string'), form('Sure?', 'confirm', 'boolean')].map((asked) =>
          mcpReq.elicitInput(asked),
        ),
      );
      return said(answers.map(({ action }) => action).join());
    },
  );
  server.registerTool(
    'test_tool_with_task',
    { description: 'Asks before it becomes a task' },
    async ({ mcpReq }) => {
      const given = acceptedContent(
        mcpReq.inputResponses,
        'user_name',
        z.object({ name: z.string() }),
      );
      if (given === undefined) {
        const asked = inputRequired.elicit(form('What is your name?', 'name', 'string'));
        return inputRequired({ inputRequests: { user_name: asked } });
      }
      await delay(1_500);
      return said(`Hello, ${given.name}!`);
    },
  );
}
