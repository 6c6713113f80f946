import {
  Client as Client2,
  SSEClientTransport as Sse2,
  StreamableHTTPClientTransport as Http2,
} from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport as Sse1 } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { randomBytes } from 'node:crypto';
import { textOf } from '../../kit/support/callers.ts';
import { fetchAgain } from '../../kit/support/posting.ts';
import { ELICITED, IDENTITY, SAMPLED, type OpenLooking } from './looking-client.ts';

const CAPABILITIES = { elicitation: { form: {} }, sampling: {} };

/** A key of the client's own: its `EventSource` cannot send `Last-Event-ID` to another address. */
const resumeUrl = (origin: string): URL =>
  new URL(`${origin}/sse?resume=${randomBytes(32).toString('hex')}`);

/** The official client 1.x. */
export const sdk1 =
  (transport: 'sse' | 'http'): OpenLooking =>
  async (origin) => {
    const client = new Client1(IDENTITY, { capabilities: CAPABILITIES });
    const updates: string[] = [];
    client.setRequestHandler(ElicitRequestSchema, () => ELICITED);
    client.setRequestHandler(CreateMessageRequestSchema, () => SAMPLED);
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
      updates.push(params.uri);
    });
    const made =
      transport === 'sse'
        ? new Sse1(resumeUrl(origin), { fetch: fetchAgain })
        : new Http1(new URL(`${origin}/mcp`));
    // Its declarations do not suit exactOptionalPropertyTypes.
    await client.connect(made as Parameters<typeof client.connect>[0]);
    return {
      updates,
      tools: async () => (await client.listTools()).tools.map(({ name }) => name),
      call: async (name, args = {}, { signal, onProgress } = {}) =>
        textOf(
          await client.callTool({ name, arguments: { ...args } }, undefined, {
            ...(signal && { signal }),
            onprogress: ({ progress, total }) => onProgress?.(`${progress}/${total}`),
          }),
        ),
      subscribe: async (uri) => void (await client.subscribeResource({ uri })),
      [Symbol.asyncDispose]: () => client.close(),
    };
  };

/** The official client 2.x. */
export const sdk2 =
  (transport: 'sse' | 'http' | 'modern'): OpenLooking =>
  async (origin) => {
    const mode = transport === 'modern' ? { pin: '2026-07-28' } : ('legacy' as const);
    const client = new Client2(IDENTITY, {
      capabilities: CAPABILITIES,
      versionNegotiation: { mode },
    });
    const updates: string[] = [];
    client.setRequestHandler('elicitation/create', () => ELICITED);
    client.setRequestHandler('sampling/createMessage', () => SAMPLED);
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      updates.push(params.uri);
    });
    await client.connect(
      transport === 'sse'
        ? new Sse2(resumeUrl(origin), { fetch: fetchAgain })
        : new Http2(new URL(`${origin}/mcp`)),
    );
    return {
      updates,
      tools: async () => (await client.listTools()).tools.map(({ name }) => name),
      call: async (name, args = {}, { signal, onProgress } = {}) =>
        textOf(
          await client.callTool(
            { name, arguments: { ...args } },
            {
              ...(signal && { signal }),
              onprogress: ({ progress, total }) => onProgress?.(`${progress}/${total}`),
            },
          ),
        ),
      subscribe: async (uri) => {
        if (transport === 'modern') await client.listen({ resourceSubscriptions: [uri] });
        else await client.subscribeResource({ uri });
      },
      [Symbol.asyncDispose]: () => client.close(),
    };
  };
