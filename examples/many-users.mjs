/**
 * One client for many users: each call is made as one of them, with the token of that user, and what
 * servers give to one never reaches another.
 */
import { createClient } from '@longwire/client';
import { cache, tokenRefresh } from '@longwire/client/middleware';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';

// A server that knows its users by their tokens.
const serving = await serve({
  port: 0,
  auth: ({ headers }) => ({ id: String(headers.authorization).replace(/^Bearer token-of-/, '') }),
  create: ({ principal }) => {
    const server = new McpServer({ name: 'notes', version: '1.0.0' });
    const content = [{ type: 'text', text: `the notes of ${principal.id}` }];
    server.registerTool('notes', { annotations: { readOnlyHint: true } }, () => ({ content }));
    return server;
  },
});

let renewals = 0;
const client = createClient(serving.url, {
  principals: { maxSessions: 500, idleMs: 60_000 },
  middleware: [
    // Asked once for all calls of a user that wait for a token.
    tokenRefresh({
      provider: async ({ principal }) => {
        renewals++;
        return { token: `token-of-${principal}`, expiresInMs: 300_000 };
      },
    }),
    cache({ tools: { notes: 10_000 } }),
  ],
});

// What a handler of a request does: the view is light, and made each time.
const notesOf = async (user) => {
  const { content } = await client.as(user).callTool('notes');
  return content[0].text;
};

console.log((await Promise.all(['ann', 'bob', 'ann', 'bob'].map(notesOf))).join(', '));
console.log(`${renewals} tokens`);
await client.close();
await serving.close();
