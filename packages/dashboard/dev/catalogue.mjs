/** Made-up servers: what they have, and how their calls go. */

/** @typedef {import('@longwire/recording').CatalogueLine} CatalogueLine */

const readOnly = { readOnlyHint: true };

/** @type {Record<string, Partial<Record<CatalogueLine['kind'], CatalogueLine['items']>>>} */
export const CATALOGUES = {
  metrics: {
    tools: [
      {
        name: 'query_range',
        title: 'Query a range',
        description: 'Values of a series between two times. It has at most 11,000 steps.',
        annotations: readOnly,
        inputSchema: {
          type: 'object',
          required: ['query', 'range'],
          properties: {
            query: { type: 'string', description: 'Such as `rate(requests[1m])`', minLength: 1 },
            range: {
              type: 'object',
              required: ['from'],
              properties: {
                from: { type: 'string', format: 'date-time' },
                to: { type: 'string', format: 'date-time' },
                stepSeconds: { type: 'integer', minimum: 1, maximum: 3600, default: 15 },
              },
            },
            labels: { type: 'array', items: { type: 'string' }, description: 'Labels to keep' },
            align: { type: 'boolean', default: true },
            fill: { anyOf: [{ type: 'number' }, { type: 'null' }, { const: 'previous' }] },
          },
        },
      },
      {
        name: 'list_series',
        description: 'The names of all series.',
        annotations: readOnly,
        inputSchema: { type: 'object', properties: { prefix: { type: 'string' } } },
      },
    ],
    resources: [
      {
        uri: 'metrics://dashboards/edge',
        name: 'edge',
        title: 'Edge',
        mimeType: 'application/json',
      },
      { uri: 'metrics://alerts', name: 'alerts', description: 'Alerts that fire now' },
    ],
    templates: [
      { uriTemplate: 'metrics://series/{name}{?from,to}', name: 'series', title: 'A series' },
    ],
  },
  search: {
    tools: [
      {
        name: 'search',
        description: 'Finds documents by words.',
        annotations: { ...readOnly, openWorldHint: true },
        inputSchema: {
          type: 'object',
          required: ['query'],
          properties: {
            query: { type: 'string' },
            limit: { type: 'integer', minimum: 1, maximum: 100, default: 10 },
            sort: { enum: ['relevance', 'newest', 'oldest'], default: 'relevance' },
          },
        },
      },
      {
        name: 'reindex',
        title: 'Build the index anew',
        description: 'Takes a minute. Tells how far it is.',
        annotations: { idempotentHint: true, destructiveHint: false },
        inputSchema: { type: 'object', properties: {} },
      },
    ],
    prompts: [
      {
        name: 'summarize',
        title: 'Summarize',
        description: 'A summary of what was found',
        arguments: [
          { name: 'topic', description: 'What about', required: true },
          { name: 'tone', description: 'Such as plain' },
        ],
      },
    ],
  },
  files: {
    tools: [
      {
        name: 'read_file',
        description: 'The text of a file.',
        annotations: readOnly,
        inputSchema: {
          type: 'object',
          required: ['path'],
          properties: { path: { type: 'string' } },
        },
      },
      {
        name: 'write_file',
        description: 'Writes a file, and replaces what was there.',
        annotations: { destructiveHint: true },
        inputSchema: {
          type: 'object',
          required: ['path', 'text'],
          properties: {
            path: { type: 'string' },
            text: { type: 'string', maxLength: 100000 },
            mode: { enum: ['replace', 'append'], default: 'replace' },
          },
        },
      },
    ],
    resources: [{ uri: 'file:///srv/notes.md', name: 'notes.md', mimeType: 'text/markdown' }],
  },
};

/** What is known of each server when it is ready. */
export const KNOWN = {
  metrics: {
    target: 'http://127.0.0.1:3101/mcp',
    transport: 'streamable-http',
    protocolVersion: '2025-11-25',
    info: { name: 'demo-metrics', version: '1.4.0' },
  },
  search: {
    target: 'http://127.0.0.1:3102/sse',
    transport: 'sse',
    protocolVersion: '2025-06-18',
    info: { name: 'demo-search', version: '0.9.2' },
  },
  files: {
    target: 'node files-server.js',
    transport: 'stdio',
    protocolVersion: '2025-11-25',
    info: { name: 'demo-files', version: '2.0.1' },
  },
};

/** Calls that programs make: server, tool, arguments, about how long, in milliseconds. */
export const CALLS = /** @type {const} */ ([
  ['metrics', 'query_range', { query: 'rate(requests[1m])', range: { from: 'now-1h' } }, 40],
  ['metrics', 'list_series', { prefix: 'edge_' }, 9],
  ['search', 'search', { query: 'connection lost', limit: 10 }, 160],
  ['search', 'search', { query: 'session resumption' }, 220],
  ['files', 'read_file', { path: '/srv/notes.md' }, 3],
  ['files', 'write_file', { path: '/srv/out/report.md', text: '# Report\n' }, 12],
]);

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** A result with one part of each kind. */
export const RESULT = {
  content: [
    {
      type: 'text',
      text: '## Three documents\n\n1. **Resumption** of streams, see `Last-Event-ID`\n2. [Certainty](https://example.com/certainty) of calls\n3. <b>HTML</b> stays text, \u202eand this is not turned round\u202c\n',
    },
    { type: 'image', data: PIXEL, mimeType: 'image/png' },
    { type: 'resource_link', uri: 'https://example.com/docs/1', name: 'Document 1' },
    { type: 'resource_link', uri: 'javascript:alert(1)', name: 'No link' },
  ],
  structuredContent: { total: 3, tookMs: 158, documents: [{ id: 1, score: 0.93 }] },
};
