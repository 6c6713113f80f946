import type { McpServer } from '@modelcontextprotocol/server';

const CLOCK = 'demo://clock';
const ABOUT = `# The demo server

A server that the \`longwire\` command carries with it, to try things on. It speaks MCP over
Server-Sent Events and makes everything up: no price is a price, no weather is the weather.

Subscribe to \`${CLOCK}\` to be told whenever it changes.
`;

/**
 * Adds a resource that stays as it is and one that changes, with subscriptions to it.
 *
 * @returns what stops the clock.
 */
export function registerResources(server: McpServer, clockMs: number): () => void {
  server.registerResource(
    'about',
    'demo://about',
    { title: 'About this server', mimeType: 'text/markdown' },
    ({ href }) => ({ contents: [{ uri: href, mimeType: 'text/markdown', text: ABOUT }] }),
  );
  server.registerResource(
    'clock',
    CLOCK,
    { title: 'The time', description: 'Changes all the time.', mimeType: 'text/plain' },
    ({ href }) => ({
      contents: [{ uri: href, mimeType: 'text/plain', text: new Date().toISOString() }],
    }),
  );

  let ticking: NodeJS.Timeout | undefined;
  const stop = (): void => {
    clearInterval(ticking);
    ticking = undefined;
  };
  const tick = (): void => {
    // Whoever is no longer connected is told nothing.
    server.server.sendResourceUpdated({ uri: CLOCK }).catch(stop);
  };
  server.server.setRequestHandler('resources/subscribe', ({ params: { uri } }) => {
    if (uri === CLOCK) ticking ??= setInterval(tick, clockMs).unref();
    return {};
  });
  server.server.setRequestHandler('resources/unsubscribe', ({ params: { uri } }) => {
    if (uri === CLOCK) stop();
    return {};
  });
  return stop;
}
