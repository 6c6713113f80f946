/**
 * The ten tools that every contender offers. What they do costs next to nothing: the servers around
 * them are what is measured. The schemas are made once, here.
 */
import * as z from 'zod';

export const SERVER_INFO = { name: 'bench-server', version: '1.0.0' };

/**
 * @typedef {object} Tool
 * @property {string} name
 * @property {string} description
 * @property {z.ZodObject} inputSchema
 */

/** @type {readonly Tool[]} */
export const TOOLS = [
  {
    name: 'echo',
    description: 'Returns the message that it was given.',
    inputSchema: z.object({ message: z.string().describe('What comes back.') }),
  },
  {
    name: 'add',
    description: 'Adds two numbers.',
    inputSchema: z.object({ left: z.number(), right: z.number() }),
  },
  {
    name: 'search_pages',
    description: 'Searches the pages of the site.',
    inputSchema: z.object({
      query: z.string().min(1).describe('Words to search for.'),
      limit: z.number().int().min(1).max(100).optional(),
      order: z.enum(['relevance', 'newest', 'oldest']).optional(),
    }),
  },
  {
    name: 'read_file',
    description: 'Reads a file of the workspace.',
    inputSchema: z.object({
      path: z.string().describe('Path below the workspace.'),
      encoding: z.enum(['utf8', 'base64']).optional(),
    }),
  },
  {
    name: 'list_folder',
    description: 'Lists a folder of the workspace.',
    inputSchema: z.object({ path: z.string(), recursive: z.boolean().optional() }),
  },
  {
    name: 'create_issue',
    description: 'Creates an issue.',
    inputSchema: z.object({
      title: z.string().max(200),
      body: z.string().optional(),
      labels: z.array(z.string()).max(20).optional(),
      assignee: z.string().optional(),
    }),
  },
  {
    name: 'query_database',
    description: 'Runs a query and returns its rows.',
    inputSchema: z.object({
      sql: z.string(),
      parameters: z.array(z.union([z.string(), z.number(), z.boolean()])).optional(),
    }),
  },
  {
    name: 'send_mail',
    description: 'Sends a mail.',
    inputSchema: z.object({
      to: z.array(z.string()).min(1),
      subject: z.string(),
      body: z.string(),
    }),
  },
  {
    name: 'translate',
    description: 'Translates a text.',
    inputSchema: z.object({ text: z.string(), from: z.string().optional(), to: z.string() }),
  },
  {
    name: 'weather',
    description: 'The weather of a place.',
    inputSchema: z.object({
      place: z.object({ latitude: z.number(), longitude: z.number() }),
      days: z.number().int().min(1).max(10).optional(),
    }),
  },
];

/** The tools as `tools/list` has them. */
export const LISTED_TOOLS = TOOLS.map(({ name, description, inputSchema }) => ({
  name,
  description,
  inputSchema: z.toJSONSchema(inputSchema),
}));

/**
 * The text that every tool returns.
 *
 * @param {Record<string, unknown>} args
 */
export const textOf = ({ message }) => (typeof message === 'string' ? message : 'done');

/**
 * What every tool returns.
 *
 * @param {Record<string, unknown>} args
 */
export const resultOf = (args) => ({
  content: [{ type: /** @type {const} */ ('text'), text: textOf(args) }],
});
