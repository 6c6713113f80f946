import { createMCPClient, ElicitationRequestSchema } from '@ai-sdk/mcp';
import { textOf } from '../../kit/support/callers.ts';
import { ELICITED, type OpenLooking } from './looking-client.ts';

/** `@ai-sdk/mcp`. It shows neither progress nor notifications, and has no model to be asked for. */
export const aiSdk =
  (transport: 'sse' | 'http' | 'modern'): OpenLooking =>
  async (origin) => {
    const isSse = transport === 'sse';
    const client = await createMCPClient({
      transport: { type: isSse ? 'sse' : 'http', url: `${origin}${isSse ? '/sse' : '/mcp'}` },
      protocolVersionDiscovery: transport === 'modern',
      capabilities: { elicitation: {} },
    });
    client.onElicitationRequest(ElicitationRequestSchema, () => ELICITED);
    const tools = await client.tools();
    return {
      tools: async () => Object.keys(await client.tools()),
      call: async (name, args = {}, { signal } = {}) => {
        const options = { toolCallId: '1', messages: [], ...(signal && { abortSignal: signal }) };
        return textOf(await tools[name]?.execute(args, options as never));
      },
      [Symbol.asyncDispose]: () => client.close(),
    };
  };
