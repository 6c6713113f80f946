import { json, on, status, told, without } from '../replies.mjs';

/** @typedef {import('../server.mjs').Habit} Habit */

/** @param {string} name @param {Partial<Habit>} habit @returns {Habit} */
const at = (name, habit) => ({ name, rules: [], ...habit });

/** URLs that are not quite right. @type {Habit[]} */
export const urls = [
  at('is at `/mcp`, and the URL has no path', { urlPath: '/' }),
  at('is at `/mcp`, and the URL ends in `/mcp/`', { urlPath: '/mcp/' }),
  at('is at `/mcp/`, and the URL ends in `/mcp`', { path: '/mcp/', urlPath: '/mcp' }),
  at('is at `/api/mcp`, and the URL ends in `/api`', { path: '/api/mcp', urlPath: '/api' }),
  at('is at `/`', { path: '/' }),
  at('is at `/v1/tools`', { path: '/v1/tools' }),
  at('speaks Streamable HTTP at `/sse`', { path: '/sse' }),
  at('speaks HTTP+SSE at `/sse`, and the URL has no path', { speaks: 'sse', urlPath: '/' }),
  at('speaks HTTP+SSE at `/mcp`', { speaks: 'sse', path: '/mcp' }),
  at('speaks HTTP+SSE at `/sse`, and the URL ends in `/sse/`', { speaks: 'sse', urlPath: '/sse/' }),
  at('speaks HTTP+SSE at `/events`', { speaks: 'sse', path: '/events' }),
  at('wants a key in the query', {
    urlPath: '/mcp?key=7',
    rules: [
      {
        what: 'key',
        when: ({ url }) => url.searchParams.get('key') !== '7',
        reply: status(401, json({ error: 'no key' })),
      },
    ],
  }),
];

/** @typedef {(result: Record<string, unknown>) => unknown} Alter */

/** @param {string} what @returns {(name: string, alter: Alter) => Habit} */
const altering = (what) => (name, alter) => ({
  name,
  speaks: 'stateless',
  rules: [
    told(what, (answer) => {
      if (answer.result === undefined) return status(404, json(answer));
      return json({ ...answer, result: alter(answer.result) });
    }),
  ],
});

const answers = altering('request');
const discovers = altering('server/discover');

/** Servers of protocol 2026-07-28. @type {Habit[]} */
export const stateless = [
  at('does as the protocol says', { speaks: 'stateless' }),
  at('answers in event streams', { speaks: 'stateless', form: 'stream' }),
  discovers('names older versions besides', (result) => ({
    ...result,
    supportedVersions: ['2025-11-25', '2026-07-28'],
  })),
  discovers('names a version besides that nobody knows', (result) => ({
    ...result,
    supportedVersions: ['2031-01-01', '2026-07-28'],
  })),
  discovers('leaves the name of the server out', without('_meta')),
  answers('leaves `resultType` out', without('resultType')),
  answers('leaves `ttlMs` and `cacheScope` out', without('ttlMs', 'cacheScope')),
  answers('says `ttlMs: null`', (result) => ({ ...result, ttlMs: null })),
  at('is replaced by another process', { speaks: 'stateless', trial: 'restart' }),
  at('answers GET with 404, as it has no streams', {
    speaks: 'stateless',
    rules: [on('GET', status(404))],
  }),
  at('answers `server/discover` with 500', {
    speaks: 'stateless',
    rules: [on('server/discover', status(500))],
  }),
];
