import { codings } from './codings.mjs';
import { bodies, types } from './forms.mjs';
import { discover, initialize } from './handshake.mjs';
import { ids, messages } from './json-rpc.mjs';
import { gateways, redirections } from './network.mjs';
import { get, notifications } from './notifications.mjs';
import { sessions } from './sessions.mjs';
import { sse } from './sse.mjs';
import { results, tools } from './tools.mjs';
import { stateless, urls } from './urls.mjs';

/**
 * @typedef {object} Group
 * @property {string} title
 * @property {string} about what its servers have in common, and what is done with them
 * @property {readonly import('../server.mjs').Habit[]} habits
 */

/** @type {readonly Group[]} */
export const GROUPS = [
  {
    title: 'Sessions that are gone',
    about:
      'The server is restarted and knows its sessions no more: before a call that only reads, and again before a call that writes. When a request names a lost session, it …',
    habits: sessions,
  },
  {
    title: 'The first question of the newest protocol',
    about:
      'The server speaks versions of before 2026. The official client asks `server/discover` only with `versionNegotiation: { mode: "auto" }`, which is set here. Its version 1 does not ask.',
    habits: discover,
  },
  {
    title: '`initialize`',
    about: 'The handshake of the versions of before 2026.',
    habits: initialize,
  },
  { title: 'Notifications', about: 'A notification wants 202 and no body.', habits: notifications },
  {
    title: 'GET',
    about:
      'By GET a client asks for a stream of what the server says unasked. A server without one answers 405.',
    habits: get,
  },
  { title: 'Content types', about: 'Of every answer.', habits: types },
  { title: 'Bodies and streams', about: 'How the answer stands in the body.', habits: bodies },
  { title: 'Codings', about: 'Of every answer.', habits: codings },
  { title: 'Ids and progress tokens', about: 'A request has an integer as its id.', habits: ids },
  { title: 'Messages', about: 'JSON-RPC that is not quite right.', habits: messages },
  { title: 'Lists of tools', about: 'The tools are `read` and `write`.', habits: tools },
  { title: 'Results', about: 'The tool has run; what it says must arrive.', habits: results },
  {
    title: 'Redirects',
    about: 'A redirect to another origin must not be followed: it would take credentials there.',
    habits: redirections,
  },
  {
    title: 'Gateways, balancers, firewalls',
    about: 'What stands between a client and a server, and servers that are away for a moment.',
    habits: gateways,
  },
  {
    title: 'HTTP+SSE',
    about:
      'The transport of 2024-11-05: one stream by GET, and POSTs to the endpoint that it names.',
    habits: sse,
  },
  {
    title: 'URLs',
    about:
      'The official client is told which transport it is. Longwire is told the URL alone, here as everywhere.',
    habits: urls,
  },
  { title: 'Protocol 2026-07-28', about: 'Without sessions.', habits: stateless },
];
