import { TOOLS } from '../messages.mjs';
import { json, on, without } from '../replies.mjs';

/**
 * @typedef {import('../server.mjs').Habit} Habit
 * @typedef {Record<string, unknown>} Tool
 */

/** @param {string} name @param {(tool: Tool) => unknown} alter @param {Partial<Habit>} [more] @returns {Habit} */
const toolsWith = (name, alter, more = {}) => ({
  name: `lists tools with ${name}`,
  rules: [],
  list: (tools) => ({ tools: /** @type {Tool[]} */ (tools).map(alter) }),
  ...more,
});

/** @param {string} name @param {(tools: readonly unknown[]) => unknown} list @param {Partial<Habit>} [more] @returns {Habit} */
const lists = (name, list, more = {}) => ({ name, rules: [], list, ...more });

/** The tools on two pages, by this cursor. @param {string} name @param {unknown} cursor @returns {Habit} */
const paged = (name, cursor) => ({ name, rules: [pages(cursor)] });

/** @param {unknown} cursor */
const pages = (cursor) =>
  on('tools/list', ({ message }) => {
    const asked = message?.params?.['cursor'];
    const result =
      asked === cursor
        ? { tools: TOOLS.slice(1) }
        : { tools: TOOLS.slice(0, 1), nextCursor: cursor };
    return json({ jsonrpc: '2.0', id: message?.id, result });
  });

/** @type {Habit[]} */
export const tools = [
  toolsWith('`description: null`', (tool) => ({ ...tool, description: null })),
  toolsWith('`title: null`', (tool) => ({ ...tool, title: null })),
  toolsWith('`annotations: null`', (tool) => ({ ...tool, annotations: null })),
  toolsWith('`annotations: []`', (tool) => ({ ...tool, annotations: [] })),
  toolsWith('annotations that are texts: `readOnlyHint: "true"`', (tool) => ({
    ...tool,
    annotations: { readOnlyHint: 'true' },
  })),
  toolsWith('`outputSchema: null`', (tool) => ({ ...tool, outputSchema: null })),
  toolsWith('`_meta: null`', (tool) => ({ ...tool, _meta: null })),
  toolsWith('`icons: null`', (tool) => ({ ...tool, icons: null })),
  toolsWith('`inputSchema: {}`', (tool) => ({ ...tool, inputSchema: {} }), {
    seen: 'https://github.com/zereight/gitlab-mcp/issues/286',
  }),
  toolsWith('`inputSchema: null`', (tool) => ({ ...tool, inputSchema: null })),
  toolsWith('no `inputSchema`', without('inputSchema')),
  toolsWith('`properties: []`, as PHP does', (tool) => ({
    ...tool,
    inputSchema: { type: 'object', properties: [] },
  })),
  toolsWith('`properties: null`', (tool) => ({
    ...tool,
    inputSchema: { type: 'object', properties: null },
  })),
  toolsWith(
    '`required: null`',
    (tool) => ({ ...tool, inputSchema: { type: 'object', properties: {}, required: null } }),
    {
      seen: 'https://github.com/MervinPraison/PraisonAI/issues/3111',
    },
  ),
  toolsWith('a schema of another draft', (tool) => ({
    ...tool,
    inputSchema: { $schema: 'http://json-schema.org/draft-04/schema#', type: 'object' },
  })),
  toolsWith('a schema that is none: `type: "obj"`', (tool) => ({
    ...tool,
    inputSchema: { type: 'obj' },
  })),
  toolsWith('members that nobody knows', (tool) => ({ ...tool, version: 3, tags: ['a'] })),
  lists('lists one broken tool among others', (some) => ({
    tools: [{ description: 'no name' }, ...some],
  })),
  lists('lists a tool twice', (some) => ({ tools: [...some, some[0]] }), {
    tools: ['read', 'write', 'read'],
  }),
  lists('says `nextCursor: null`', (some) => ({ tools: some, nextCursor: null }), {
    seen: 'https://github.com/gensecaihq/Wazuh-MCP-Server/issues/75',
  }),
  paged('pages its tools', 'page-2'),
  paged('pages its tools with a number as cursor', 2),
  paged('pages its tools with an empty text as cursor', ''),
  lists('gives the same cursor again and again', (some) => ({ tools: some, nextCursor: 'again' }), {
    says: /cursor/,
  }),
];

/** @param {string} name @param {(text: string) => unknown} result @param {Partial<Habit>} [more] @returns {Habit} */
const resultOf = (name, result, more = {}) => ({
  name: `answers a call with ${name}`,
  rules: [],
  result,
  says: /content|result|isError/i,
  ...more,
});

const OUTPUT = { type: 'object', properties: { said: { type: 'string' } }, required: ['said'] };

/** @param {string} name @param {(text: string) => unknown} result @returns {Habit} */
const schemaAnd = (name, result) => ({
  name: `has an output schema, and answers with ${name}`,
  rules: [],
  list: (some) => ({
    tools: /** @type {Tool[]} */ (some).map((tool) => ({ ...tool, outputSchema: OUTPUT })),
  }),
  result,
  says: /schema|structured/i,
});

/** @type {Habit[]} */
export const results = [
  resultOf('`content` that is a text', (text) => ({ content: text })),
  resultOf('`content` that is one block, in no list', (text) => ({
    content: { type: 'text', text },
  })),
  resultOf('`content` that is a list of texts', (text) => ({ content: [text] })),
  resultOf('`content: null` and `structuredContent`', (text) => ({
    content: null,
    structuredContent: { said: text },
  })),
  resultOf('`structuredContent` alone', (text) => ({ structuredContent: { said: text } })),
  resultOf('`structuredContent` that is a list', (text) => ({
    content: [{ type: 'text', text }],
    structuredContent: [text],
  })),
  resultOf('`structuredContent: null`', (text) => ({
    content: [{ type: 'text', text }],
    structuredContent: null,
  })),
  resultOf('`isError: null`', (text) => ({ content: [{ type: 'text', text }], isError: null })),
  resultOf('`isError: "false"`', (text) => ({
    content: [{ type: 'text', text }],
    isError: 'false',
  })),
  resultOf('`toolResult`, as of 2024-10-07', (text) => ({ toolResult: text })),
  resultOf('a block of a type that nobody knows', (text) => ({
    content: [
      { type: 'hologram', data: 1 },
      { type: 'text', text },
    ],
  })),
  resultOf('a block without a type', (text) => ({ content: [{ text }] })),
  resultOf('an image without `mimeType`', (text) => ({
    content: [
      { type: 'image', data: 'AAAA' },
      { type: 'text', text },
    ],
  })),
  resultOf('`annotations: null` in a block', (text) => ({
    content: [{ type: 'text', text, annotations: null }],
  })),
  resultOf('`_meta: null` in a block', (text) => ({
    content: [{ type: 'text', text, _meta: null }],
  })),
  resultOf('a result that is a text', (text) => text),
  resultOf('a result that is a list', (text) => [{ type: 'text', text }]),
  schemaAnd('what fits it', (text) => ({
    content: [{ type: 'text', text }],
    structuredContent: { said: text },
  })),
  schemaAnd('what does not fit it', (text) => ({
    content: [{ type: 'text', text }],
    structuredContent: { says: text },
  })),
  schemaAnd('no `structuredContent`', (text) => ({ content: [{ type: 'text', text }] })),
  schemaAnd('an error without `structuredContent`', (text) => ({
    content: [{ type: 'text', text }],
    isError: true,
  })),
];
