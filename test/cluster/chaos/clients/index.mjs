import { eventSource } from './event-source.mjs';
import { longwire } from './longwire.mjs';
import { plainHttp } from './plain-http.mjs';
import { visitor } from './visitor.mjs';
import { sdkModern, sdkSse, sdkStreamable } from './sdk.mjs';

/**
 * A kind of client, and how it is shown in the table.
 *
 * @typedef {object} ClientKind
 * @property {string} name
 * @property {string} shown
 * @property {import('./client.mjs').OpenClient} open
 * @property {boolean} hasSession
 * @property {boolean} [isTask] whether its calls are tasks
 */

/** @type {readonly ClientKind[]} */
export const CLIENT_KINDS = [
  {
    name: 'longwire-sse',
    shown: 'Longwire, HTTP+SSE',
    open: longwire('/sse', { transport: 'sse' }),
    hasSession: true,
  },
  {
    name: 'longwire-streamable',
    shown: 'Longwire, 2025-11-25',
    open: longwire('/mcp', { transport: 'streamable-http', protocol: '2025-11-25' }),
    hasSession: true,
  },
  {
    name: 'longwire-modern',
    shown: 'Longwire, 2026-07-28',
    open: longwire('/mcp', { transport: 'streamable-http', protocol: '2026-07-28' }),
    hasSession: false,
  },
  {
    name: 'longwire-tasks',
    shown: 'Longwire, tasks of 2026-07-28',
    open: longwire(
      '/mcp',
      { transport: 'streamable-http', protocol: '2026-07-28' },
      { isTask: true },
    ),
    hasSession: false,
    isTask: true,
  },
  { name: 'sdk-sse', shown: 'SDK 1.x, HTTP+SSE with `resume=`', open: sdkSse, hasSession: true },
  {
    name: 'sdk-streamable',
    shown: 'SDK 1.x, Streamable HTTP',
    open: sdkStreamable,
    hasSession: true,
  },
  { name: 'sdk-modern', shown: 'SDK 2.x, 2026-07-28', open: sdkModern, hasSession: false },
  {
    name: 'event-source',
    shown: 'EventSource and `fetch`, `Last-Event-ID`',
    open: eventSource,
    hasSession: true,
  },
  {
    name: 'plain-http',
    shown: 'plain HTTP, `Last-Event-ID`',
    open: plainHttp,
    hasSession: true,
  },
  { name: 'visitor', shown: 'a session for each call', open: visitor, hasSession: true },
];
