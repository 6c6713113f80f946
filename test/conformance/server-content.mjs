import { setTimeout as delay } from 'node:timers/promises';
import { fromJsonSchema, ResourceTemplate } from '@modelcontextprotocol/server';
import * as z from 'zod';

/** One red pixel. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
/** A header without a sample. */
const WAV = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA=';
const STEP_MS = 20;

const NO_ARGUMENTS = z.object({});
const PROMPTED = z.object({ prompt: z.string() });
const ASKED = z.object({ message: z.string() });
const TWO_ARGUMENTS = z.object({ arg1: z.string(), arg2: z.string() });
const EMBEDDED = z.object({ resourceUri: z.string() });

/** @param {string} text */
const text = (text) => ({ type: 'text', text });
const image = { type: 'image', data: PNG, mimeType: 'image/png' };
/** @param {string} uri @param {string} mimeType @param {string} content */
const embedded = (uri, mimeType, content) => ({
  type: 'resource',
  resource: { uri, mimeType, text: content },
});

/** Tools that answer at once, with these blocks. */
const CONTENTS = {
  test_simple_text: [text('This is a simple text response for testing.')],
  test_image_content: [image],
  test_audio_content: [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }],
  test_embedded_resource: [embedded('test://embedded-resource', 'text/plain', 'embedded')],
  test_multiple_content_types: [
    text('Multiple content types test:'),
    image,
    embedded('test://mixed-content-resource', 'application/json', '{"test":"data","value":123}'),
  ],
  test_streaming_elicitation: [text('nothing is asked')],
};

/** What must come through `tools/list` as it is. */
const SCHEMA_2020_12 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};
const MIRRORED = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' },
    level: { type: 'integer' },
  },
};
// Made once: a schema is costly, a server is made for every session.
const schema2020 = fromJsonSchema(SCHEMA_2020_12);
const mirrored = fromJsonSchema(MIRRORED);

/** Forms with a default for every type. */
const DEFAULTS_FORM = {
  name: { type: 'string', description: 'User name', default: 'John Doe' },
  age: { type: 'integer', description: 'User age', default: 30 },
  score: { type: 'number', description: 'User score', default: 95.5 },
  status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', description: 'Verification status', default: true },
};
/** @param {string} stem @param {string[]} names */
const titled = (stem, names) =>
  names.map((name, index) => ({ const: `value${index + 1}`, title: `${name} ${stem}` }));
const OPTIONS = ['option1', 'option2', 'option3'];
/** Every way to write an enumeration. */
const ENUMS_FORM = {
  untitledSingle: { type: 'string', enum: OPTIONS },
  titledSingle: { type: 'string', oneOf: titled('Option', ['First', 'Second', 'Third']) },
  legacyEnum: {
    type: 'string',
    enum: ['opt1', 'opt2', 'opt3'],
    enumNames: ['Option One', 'Option Two', 'Option Three'],
  },
  untitledMulti: {
    type: 'array',
    minItems: 1,
    maxItems: 3,
    items: { type: 'string', enum: OPTIONS },
  },
  titledMulti: {
    type: 'array',
    minItems: 1,
    maxItems: 3,
    items: { anyOf: titled('Choice', ['First', 'Second', 'Third']) },
  },
};

/**
 * Adds the tools that answer, log, and ask the client back, the resources and the prompts.
 *
 * @param {any} server @param {any} shared
 */
export function addContent(server, { notify }) {
  for (const [name, content] of Object.entries(CONTENTS)) {
    server.registerTool(name, { description: 'Answers at once' }, () => ({ content }));
  }
  addTools(server);
  addAsking(server);
  const changes = { tool: 'toolsChanged', prompt: 'promptsChanged' };
  for (const [what, tell] of Object.entries(changes)) {
    server.registerTool(`test_trigger_${what}_change`, { description: 'Tells' }, () => {
      notify()[tell]();
      return { content: [text('told')] };
    });
  }
  addResources(server);
  addPrompts(server);
  const complete = async () => ({ completion: { values: [], total: 0, hasMore: false } });
  server.server.setRequestHandler('completion/complete', complete);
}

/** @param {any} server */
function addTools(server) {
  server.registerTool('test_error_handling', { description: 'Fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  server.registerTool(
    'test_tool_with_logging',
    { description: 'Logs', inputSchema: NO_ARGUMENTS },
    async (/** @type {unknown} */ _, /** @type {any} */ { mcpReq }) => {
      for (const what of ['started', 'processing', 'completed']) {
        const params = { level: 'info', data: `Tool execution ${what}` };
        await mcpReq.notify({ method: 'notifications/message', params });
        await delay(STEP_MS);
      }
      return { content: [text('logged')] };
    },
  );
  server.registerTool(
    'test_logging_tool',
    { description: 'Logs' },
    async (/** @type {any} */ { mcpReq }) => {
      await mcpReq.log('info', 'only for those who ask');
      return { content: [text('logged')] };
    },
  );
  server.registerTool(
    'test_tool_with_progress',
    { description: 'Tells its progress' },
    async (/** @type {any} */ { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      for (const progress of progressToken === undefined ? [] : [0, 50, 100]) {
        const params = { progressToken, progress, total: 100, message: `Completed ${progress}` };
        await mcpReq.notify({ method: 'notifications/progress', params });
        await delay(STEP_MS);
      }
      return { content: [text(String(progressToken))] };
    },
  );
  server.registerTool(
    'test_reconnection',
    { description: 'Closes its stream' },
    async (/** @type {any} */ { http }) => {
      http?.closeSSE?.();
      await delay(STEP_MS);
      return { content: [text('sent while no stream was open')] };
    },
  );
  const described = { description: 'Has a schema of draft 2020-12', inputSchema: schema2020 };
  server.registerTool('json_schema_2020_12_tool', described, () => ({ content: [text('ok')] }));
  server.registerTool(
    'test_x_mcp_header',
    { description: 'Has a header', inputSchema: mirrored },
    (/** @type {any} */ { region }) => ({ content: [text(`region=${region}`)] }),
  );
}

/** @param {any} server */
function addAsking(server) {
  server.registerTool(
    'test_sampling',
    { description: 'Asks a model', inputSchema: PROMPTED },
    async (/** @type {any} */ { prompt }, /** @type {any} */ { mcpReq }) => {
      const messages = [{ role: 'user', content: text(prompt) }];
      const params = { messages, maxTokens: 100 };
      const { content } = await mcpReq.send({ method: 'sampling/createMessage', params });
      return { content: [text(`LLM response: ${content.text}`)] };
    },
  );
  /** @param {any} mcpReq @param {string} message @param {object} requestedSchema */
  const elicit = async (mcpReq, message, requestedSchema) => {
    const params = { message, requestedSchema };
    const { action, content } = await mcpReq.send({ method: 'elicitation/create', params });
    return { content: [text(`action=${action}, content=${JSON.stringify(content ?? {})}`)] };
  };
  const response = { type: 'string', description: 'The answer' };
  server.registerTool(
    'test_elicitation',
    { description: 'Asks the user', inputSchema: ASKED },
    (/** @type {any} */ { message }, /** @type {any} */ { mcpReq }) =>
      elicit(mcpReq, message, {
        type: 'object',
        properties: { response },
        required: ['response'],
      }),
  );
  const forms = { sep1034_defaults: DEFAULTS_FORM, sep1330_enums: ENUMS_FORM };
  for (const [name, properties] of Object.entries(forms)) {
    server.registerTool(
      `test_elicitation_${name}`,
      { description: 'Asks' },
      (/** @type {any} */ { mcpReq }) =>
        elicit(mcpReq, 'Please fill in', { type: 'object', properties, required: [] }),
    );
  }
}

/** @param {any} server */
function addResources(server) {
  const texts = { 'static-text': 'A static text.', 'watched-resource': 'A watched text.' };
  for (const [name, content] of Object.entries(texts)) {
    const mimeType = 'text/plain';
    server.registerResource(name, `test://${name}`, { mimeType }, ({ href }) => ({
      contents: [{ uri: href, mimeType, text: content }],
    }));
  }
  const mimeType = 'image/png';
  server.registerResource('static-binary', 'test://static-binary', { mimeType }, ({ href }) => ({
    contents: [{ uri: href, mimeType, blob: PNG }],
  }));
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { mimeType: 'application/json' },
    (/** @type {URL} */ { href }, /** @type {any} */ { id }) => ({
      contents: [
        { uri: href, mimeType: 'application/json', text: JSON.stringify({ id, data: `of ${id}` }) },
      ],
    }),
  );
  for (const method of ['resources/subscribe', 'resources/unsubscribe']) {
    server.server.setRequestHandler(method, async () => ({}));
  }
}

/** @param {any} server */
function addPrompts(server) {
  /** @param {...object} contents */
  const messages = (...contents) => ({
    messages: contents.map((content) => ({ role: 'user', content })),
  });
  server.registerPrompt('test_simple_prompt', { description: 'Simple' }, () =>
    messages(text('This is a simple prompt for testing.')),
  );
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'With arguments', argsSchema: TWO_ARGUMENTS },
    (/** @type {any} */ { arg1, arg2 }) => messages(text(`arg1='${arg1}', arg2='${arg2}'`)),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'With a resource', argsSchema: EMBEDDED },
    (/** @type {any} */ { resourceUri }) =>
      messages(embedded(resourceUri, 'text/plain', 'embedded'), text('Process it.')),
  );
  server.registerPrompt('test_prompt_with_image', { description: 'With an image' }, () =>
    messages(image, text('Look at it.')),
  );
}
