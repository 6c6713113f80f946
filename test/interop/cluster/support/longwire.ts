import { connect, type ClientOptions } from '@longwire/client';
import { textOf } from '../../kit/support/callers.ts';
import { ELICITED, SAMPLED, type OpenLooking } from './looking-client.ts';

const handlers = { elicitation: () => ELICITED, sampling: () => SAMPLED };

/** Longwire's client, told which transport and version to speak. */
export const longwire =
  (path: '/sse' | '/mcp', options: ClientOptions): OpenLooking =>
  async (origin) => {
    const client = await connect(origin + path, { handlers, ...options });
    const updates: string[] = [];
    client.on('resourceUpdated', ({ uri }) => updates.push(uri));
    return {
      updates,
      tools: async () => (await client.listTools()).map(({ name }) => name),
      call: async (name, args = {}, { signal, onProgress } = {}) =>
        textOf(
          await client.callTool(
            name,
            { ...args },
            {
              ...(signal && { signal }),
              onProgress: ({ progress, total }) => onProgress?.(`${progress}/${total}`),
            },
          ),
        ),
      subscribe: (uri) => client.subscribeResource(uri),
      [Symbol.asyncDispose]: () => client.close(),
    };
  };
