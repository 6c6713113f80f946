import {
  StreamableHTTPClientTransport as Streamable2,
  Client as Client2,
} from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport as Sse1 } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport as Streamable1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { randomBytes } from 'node:crypto';
import { outcomeOfAnswer, outcomeOfError, outcomeOfResult } from '../calls.mjs';
import { CALL_MS, IDENTITY } from './client.mjs';
import { fetchAgain } from './fetch-again.mjs';

/** The official clients give up early, and a node that stalls takes ten seconds. */
const RECONNECTING = {
  initialReconnectionDelay: 100,
  maxReconnectionDelay: 1_000,
  reconnectionDelayGrowFactor: 1.5,
  maxRetries: 60,
};

/**
 * The official client 1.x over HTTP+SSE, whose `EventSource` comes back by the key in its URL.
 *
 * @type {import('./client.mjs').OpenClient}
 */
export const sdkSse = async (context) => {
  const key = randomBytes(32).toString('hex');
  const url = new URL(`${context.origin}/sse?resume=${key}`);
  return sdk1(new Sse1(url, { fetch: fetchAgain(context) }), context);
};

/**
 * The official client 1.x over Streamable HTTP, which resumes by `Last-Event-ID`.
 *
 * @type {import('./client.mjs').OpenClient}
 */
export const sdkStreamable = async (context) =>
  sdk1(
    new Streamable1(new URL(`${context.origin}/mcp`), {
      fetch: fetchAgain(context),
      reconnectionOptions: RECONNECTING,
    }),
    context,
  );

/**
 * @param {Sse1 | Streamable1} transport
 * @param {import('./client.mjs').ClientContext} context
 * @returns {Promise<import('./client.mjs').TrialClient>}
 */
async function sdk1(transport, { signal }) {
  const client = new Client1(IDENTITY);
  client.onerror = () => {};
  await client.connect(/** @type {any} */ (transport));
  return {
    call: ({ tool, args }) =>
      client
        .callTool({ name: tool, arguments: args }, undefined, {
          timeout: CALL_MS,
          signal,
          onprogress: () => {},
        })
        .then(outcomeOfResult, outcomeOfSdkError),
    close: () => client.close(),
  };
}

/**
 * The official client 2.x in 2026-07-28, where a connection that is lost cannot be resumed: what is safe is
 * called again, as a reasonable program does; of what is not safe, the program does not know whether it ran.
 *
 * @type {import('./client.mjs').OpenClient}
 */
export const sdkModern = async (context) => {
  const { origin, onRetry, signal } = context;
  const client = new Client2(IDENTITY, { versionNegotiation: { mode: 'auto' } });
  client.onerror = () => {};
  const mayRepeat = (/** @type {RequestInit} */ { body }) =>
    typeof body === 'string' && !body.includes('"pay"');
  const fetched = fetchAgain(context, mayRepeat);
  await client.connect(new Streamable2(new URL(`${origin}/mcp`), { fetch: fetched }));
  if (client.getNegotiatedProtocolVersion() !== '2026-07-28') throw new Error('another era');
  /** @type {import('./client.mjs').TrialClient['call']} */
  const call = async ({ tool, args, isSafe }) => {
    const endAt = Date.now() + CALL_MS;
    for (;;) {
      const outcome = await client
        .callTool({ name: tool, arguments: args }, { timeout: CALL_MS, signal })
        .then(outcomeOfResult, outcomeOfSdkError);
      const isLost = outcome.is === 'failed' && !isAnswer(outcome.text);
      if (!isLost) return outcome;
      if (!isSafe) return { ...outcome, is: 'outcome-unknown' };
      if (Date.now() > endAt) return outcome;
      onRetry();
    }
  };
  return { call, close: () => client.close() };
};

/** @param {any} error @returns {import('../calls.mjs').Outcome} */
function outcomeOfSdkError(error) {
  // -32000 and -32001 are the SDK's own for a connection that closed, and for a time that is over.
  if (typeof error.code === 'number') return outcomeOfAnswer({ error });
  return outcomeOfError(error);
}

/** Whether a text is that of an error with which a server answered. @param {string} text */
function isAnswer(text) {
  return /^-32\d{3} /.test(text) && !/^-3200[01] /.test(text);
}
