/** What a tool leads to: the name of an event and its data. */
export type ToolOutcome = readonly [event: 'result' | 'error', data: unknown];

/** One tool of the tool-events servers; in JSON it is what the `tools` event holds of it. */
export interface EventTool {
  name: string;
  description?: string;
  input_schema?: object;
  inputSchema?: object;
  run(args: Record<string, unknown>): ToolOutcome | Promise<ToolOutcome>;
}

/** The tools of the tool-events servers: results of several shapes, schemas in both spellings. */
export const eventTools: readonly EventTool[] = [
  {
    name: 'echo',
    description: 'Returns the message as plain text.',
    input_schema: {
      type: 'object',
      properties: { message: { type: 'string' } },
      required: ['message'],
    },
    run: ({ message }) => ['result', JSON.stringify(message)],
  },
  {
    name: 'add',
    description: 'Returns an object.',
    inputSchema: {
      type: 'object',
      properties: { a: { type: 'number' }, b: { type: 'number' } },
      required: ['a', 'b'],
    },
    run: ({ a, b }) => ['result', { sum: Number(a) + Number(b) }],
  },
  {
    name: 'content',
    description: 'Returns what an MCP server would.',
    input_schema: { type: 'object', properties: {} },
    run: () => ['result', { content: [{ type: 'text', text: 'from content' }] }],
  },
  {
    name: 'fail',
    input_schema: { type: 'object', properties: { message: { type: 'string' } } },
    run: ({ message = 'it failed' }) => ['error', { message }],
  },
  {
    name: 'fail_silently',
    description: 'Fails without a word.',
    input_schema: { type: 'object', properties: {} },
    run: () => ['error', ''],
  },
  {
    name: 'slow',
    description: 'Takes its time.',
    input_schema: { type: 'object', properties: { ms: { type: 'integer', default: 200 } } },
    run: async ({ ms = 200 }) => {
      await new Promise((resolve) => setTimeout(resolve, Number(ms)).unref());
      return ['result', { slept: Number(ms) }];
    },
  },
  {
    name: 'hang',
    description: 'Never answers.',
    input_schema: { type: 'object', properties: {} },
    run: () => new Promise(() => {}),
  },
];
