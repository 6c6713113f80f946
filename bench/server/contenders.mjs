/** @typedef {import('./server-process.mjs').Transport} Transport */

/**
 * @typedef {'longwire' | 'hibernating' | 'reusing' | 'bare' | 'bare-with-server' | 'official' | 'peer'} Role
 *
 * @typedef {object} Contender a server that serves one transport
 * @property {string} title
 * @property {Role} role
 * @property {URL} module
 * @property {Transport} transport
 * @property {import('./load-process.mjs').Protocol} protocol how the load speaks to it
 *
 * @typedef {{ title: string, about: string, contenders: readonly Contender[] }} TransportGroup
 */

/** @param {Transport} transport */
const contendersOf = (transport) => {
  /**
   * @param {Role} role
   * @param {string} title
   * @param {string} file
   * @param {import('./load-process.mjs').Protocol} [protocol]
   * @returns {Contender}
   */
  return (role, title, file, protocol = transport) => ({
    title,
    role,
    module: new URL(`./contenders/${file}.mjs`, import.meta.url),
    transport,
    protocol,
  });
};

const sse = contendersOf('sse');
const streamable = contendersOf('streamable');
const stateless = contendersOf('stateless');

/** @type {readonly TransportGroup[]} */
export const TRANSPORTS = [
  {
    title: 'HTTP+SSE',
    about:
      'Protocol 2024-11-05. A connection is a stream, `initialize` and `notifications/initialized`. ' +
      'The SDK 2.x and mcp-use serve no HTTP+SSE.',
    contenders: [
      sse('bare', 'bare server', 'bare'),
      sse('bare-with-server', 'bare server, one `McpServer` a session', 'bare-with-server'),
      sse('longwire', 'Longwire', 'longwire'),
      sse('hibernating', 'Longwire, sessions hibernate', 'longwire'),
      sse('official', 'SDK 1.x on Express', 'sdk-1'),
      sse('peer', 'fastmcp', 'fastmcp'),
    ],
  },
  {
    title: 'Streamable HTTP, with sessions',
    about:
      'Protocol 2025-11-25. A connection is `initialize`, `notifications/initialized` and a GET ' +
      'that opens a stream.',
    contenders: [
      streamable('bare', 'bare server', 'bare'),
      streamable('bare-with-server', 'bare server, one `McpServer` a session', 'bare-with-server'),
      streamable('longwire', 'Longwire', 'longwire'),
      streamable('hibernating', 'Longwire, sessions hibernate', 'longwire'),
      streamable('official', 'SDK 1.x on Express', 'sdk-1'),
      streamable('official', 'SDK 2.x', 'sdk-2'),
      streamable('peer', 'fastmcp', 'fastmcp'),
      streamable('peer', 'mcp-use', 'mcp-use'),
    ],
  },
  {
    title: 'Stateless',
    about:
      'Protocol 2026-07-28. A connection is `server/discover`; what takes memory, and hears the ' +
      'broadcast, is a stream of `subscriptions/listen`. fastmcp and mcp-use do not speak it: they ' +
      'are measured with 2025-11-25 without a session, where a connection is `initialize` and ' +
      '`notifications/initialized`, and nothing is kept between requests.',
    contenders: [
      stateless('bare', 'bare server', 'bare'),
      stateless('longwire', 'Longwire', 'longwire'),
      stateless('reusing', 'Longwire, `reuseServers`', 'longwire'),
      stateless('official', 'SDK 2.x', 'sdk-2'),
      stateless('peer', 'fastmcp, 2025-11-25', 'fastmcp', 'without-session'),
      stateless('peer', 'mcp-use, 2025-11-25', 'mcp-use', 'without-session'),
    ],
  },
];
