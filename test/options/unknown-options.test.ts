import { createAgent } from '@longwire/agent';
import { connect, createClient, createTransport } from '@longwire/client';
import { createGroup, createMonitor } from '@longwire/client/group';
import { createPool } from '@longwire/client/pool';
import { loadConfig, parseConfig } from '@longwire/client/config';
import {
  apiKey,
  cache,
  logging,
  rateLimit,
  requestId,
  retry,
  timeout,
  tokenRefresh,
} from '@longwire/client/middleware';
import { metrics } from '@longwire/client/middleware/metrics';
import { otelMetrics } from '@longwire/client/middleware/otel-metrics';
import { tracing } from '@longwire/client/middleware/tracing';
import { oauth } from '@longwire/client/oauth';
import { createFaultyProxy } from '@longwire/testing';
import { mcp, serve } from '@longwire/server';
import { createWorkflow, parseWorkflow } from '@longwire/workflow';
import fastify from 'fastify';
import { page } from 'longwire/page';
import { expect, test } from 'vitest';

const url = 'http://127.0.0.1:1';
const logger = { debug() {}, info() {}, warn() {}, error() {} };
const workflow = parseWorkflow('triggers: [{ on: a, call: b }]');

/** Everything that takes options, called with one that is not there, and a near one if there is. */
const takers: Record<string, [make: (wrong: never) => unknown, near: string | undefined]> = {
  createAgent: [(wrong: object) => createAgent({ clients: [], ...wrong }), 'approve'],
  connect: [(wrong: object) => connect(url, wrong), 'headers'],
  createClient: [(wrong: object) => createClient(url, wrong), 'trusted'],
  createTransport: [(wrong: object) => createTransport(url, wrong), 'middleware'],
  createPool: [(wrong: object) => createPool(url, wrong), 'trusted'],
  createGroup: [(wrong: object) => createGroup({}, wrong), 'shared'],
  'a server of a group': [
    (wrong: object) => createGroup({ a: { target: url, ...wrong } }),
    'tools',
  ],
  'the tools of one': [
    (wrong: object) => createGroup({ a: { target: url, tools: wrong } }),
    'exclude',
  ],
  'the options of one': [
    (wrong: object) => createGroup({ a: { target: url, options: wrong } }),
    'trusted',
  ],
  'shared options': [(wrong: object) => createGroup({ a: url }, { shared: wrong }), 'headers'],
  'group.events': [(wrong: object) => createGroup({}).events(wrong), 'servers'],
  monitor: [(wrong: object) => createMonitor(createGroup({}), wrong), 'recover'],
  loadConfig: [(wrong: object) => loadConfig('/no/such', wrong), undefined],
  parseConfig: [(wrong: object) => parseConfig('{ "servers": {} }', wrong), 'profile'],
  oauth: [(wrong: object) => oauth({} as never, wrong), undefined],
  createFaultyProxy: [(wrong: object) => createFaultyProxy({ target: url, ...wrong }), undefined],
  mcp: [
    async (wrong: object) => {
      await fastify().register(mcp, { create: () => ({}) as never, ...wrong });
    },
    undefined,
  ],
  serve: [(wrong: object) => serve({ create: () => ({}) as never, ...wrong }), undefined],
  page: [(wrong: object) => page({ allow: () => true, ...wrong }), undefined],
  createWorkflow: [
    (wrong: object) => createWorkflow(workflow, { servers: {}, ...wrong }),
    undefined,
  ],
  apiKey: [(wrong: object) => apiKey('k', wrong), undefined],
  cache: [(wrong: object) => cache(wrong), 'maxEntries'],
  logging: [(wrong: object) => logging(logger, wrong), 'redact'],
  metrics: [(wrong: object) => metrics(wrong), 'sizes'],
  otelMetrics: [(wrong: object) => otelMetrics(wrong), 'meter'],
  rateLimit: [(wrong: object) => rateLimit({ perSecond: 1, ...wrong }), 'maxQueued'],
  requestId: [(wrong: object) => requestId(wrong), 'header'],
  retry: [(wrong: object) => retry(wrong), 'maxAttempts'],
  timeout: [(wrong: object) => timeout({ defaultMs: 1, ...wrong }), 'tools'],
  tokenRefresh: [
    (wrong: object) => tokenRefresh({ provider: () => '' as never, ...wrong }),
    'refreshBeforeMs',
  ],
  tracing: [(wrong: object) => tracing(wrong), undefined],
};

async function failureOf(make: (wrong: never) => unknown, name: string): Promise<unknown> {
  try {
    await make({ [name]: 1 } as never);
  } catch (error) {
    return error;
  }
  return undefined;
}

test.each(Object.entries(takers))('%s refuses an option that is not there', async (_, [make]) => {
  const error = await failureOf(make, 'zzzzzzzzzz');
  expect(error).toBeInstanceOf(TypeError);
  expect(String(error)).toContain('zzzzzzzzzz');
});

test.each(Object.entries(takers).filter(([, [, near]]) => near !== undefined))(
  '%s says which is near',
  async (_, [make, near = '']) => {
    const error = await failureOf(make, `${near.slice(0, -1)}x`);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toMatch(new RegExp(`did you mean .*${near}\\?`));
  },
);
