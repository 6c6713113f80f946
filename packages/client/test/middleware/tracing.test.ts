import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  AlwaysOffSampler,
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServerError } from '../../src/errors.ts';
import { logging, retry, type McpRequest, type Middleware } from '../../src/middleware/index.ts';
import { tracing } from '../../src/middleware/tracing.ts';
import { failureOf } from '../support/failure-of.ts';
import { around, failure, said, type Around } from './support/around.ts';

const exporter = new InMemorySpanExporter();
const provider = (options = {}) =>
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)], ...options });

afterEach(() => {
  exporter.reset();
  trace.disable();
  propagation.disable();
  context.disable();
});

/** The spans of requests, and those of their attempts. */
function spans(): { calls: ReadableSpan[]; attempts: ReadableSpan[] } {
  const all = exporter.getFinishedSpans();
  return {
    calls: all.filter(({ kind }) => kind === SpanKind.CLIENT),
    attempts: all.filter(({ kind }) => kind !== SpanKind.CLIENT),
  };
}

/** Of the server that these requests go to, by the names of the conventions. */
const SERVER = {
  [conventions.ATTR_SERVER_SERVICE_NAME]: 'market',
  [conventions.ATTR_SERVER_ADDRESS]: '127.0.0.1',
  [conventions.ATTR_SERVER_PORT]: 80,
  [conventions.ATTR_NETWORK_TRANSPORT]: conventions.NETWORK_TRANSPORT_VALUE_TCP,
  [conventions.ATTR_NETWORK_PROTOCOL_NAME]: 'http',
};

const metaOf = ({ asked }: Around) => asked[0]?.params?.['_meta'];

describe('with an OpenTelemetry SDK', () => {
  beforeEach(() => {
    trace.setGlobalTracerProvider(provider());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  });

  it.each<[string, string, object, object]>([
    [
      'tools/call echo',
      'tools/call',
      { name: 'echo' },
      {
        'mcp.method.name': 'tools/call',
        'gen_ai.tool.name': 'echo',
        'gen_ai.operation.name': 'execute_tool',
      },
    ],
    [
      'prompts/get greet',
      'prompts/get',
      { name: 'greet' },
      { 'mcp.method.name': 'prompts/get', 'gen_ai.prompt.name': 'greet' },
    ],
    [
      'resources/read',
      'resources/read',
      { uri: 'file:///a' },
      { 'mcp.method.name': 'resources/read', 'mcp.resource.uri': 'file:///a' },
    ],
    ['tools/list', 'tools/list', {}, { 'mcp.method.name': 'tools/list' }],
  ])('%s is a client span', async (name, method, params, attributes) => {
    const rig = around(tracing());
    await rig.send(method, { params: { ...params } }).response;
    const { calls, attempts } = spans();
    expect(calls.map((span) => [span.name, span.attributes, span.status.code])).toEqual([
      [name, { ...attributes, ...SERVER }, SpanStatusCode.UNSET],
    ]);
    expect(attempts).toHaveLength(1);
  });

  it.each<[string | undefined, object]>([
    ['https://tools.example', { 'server.address': 'tools.example', 'server.port': 443 }],
    ['http://[::1]:3001', { 'server.address': '::1', 'server.port': 3001 }],
  ])('says where %s is', async (origin, attributes) => {
    await around(tracing()).send('tools/list', { origin }).response;
    expect(spans().calls[0]?.attributes).toMatchObject(attributes);
  });

  it('says how the request was last sent, and each attempt how it was', async () => {
    let id = 6;
    const sending: Middleware = (request, next) => {
      const get = () => ({ id: ++id, transport: 'stdio', protocolVersion: '2025-11-25' });
      Object.defineProperty(request, 'route', { get });
      return next();
    };
    const rig = around([sending, tracing()], (request) => {
      request.onSent?.();
      return said('ok')(request);
    });
    await rig.send('tools/list', { origin: undefined, server: 'files' }).response;
    const { calls, attempts } = spans();
    expect(attempts.map(({ attributes }) => attributes)).toMatchObject([
      { 'longwire.attempt': 1, [conventions.ATTR_JSONRPC_REQUEST_ID]: '7' },
      { 'longwire.attempt': 2, [conventions.ATTR_JSONRPC_REQUEST_ID]: '8' },
    ]);
    expect(calls[0]?.attributes).toEqual({
      [conventions.ATTR_MCP_METHOD_NAME]: conventions.MCP_METHOD_NAME_VALUE_TOOLS_LIST,
      [conventions.ATTR_JSONRPC_REQUEST_ID]: '8',
      [conventions.ATTR_MCP_PROTOCOL_VERSION]: '2025-11-25',
      [conventions.ATTR_NETWORK_TRANSPORT]: conventions.NETWORK_TRANSPORT_VALUE_PIPE,
      [conventions.ATTR_SERVER_SERVICE_NAME]: 'files',
      'longwire.transport': 'stdio',
    });
  });

  it('goes to the server in params._meta, whose own fields are kept', async () => {
    const rig = around(tracing());
    const params = { name: 'echo', _meta: { progressToken: 1, tracestate: 'mine=1' } };
    const { request, response } = rig.send('tools/call', { params });
    await response;
    const { traceId, spanId } = (spans().calls[0] as ReadableSpan).spanContext();
    expect(metaOf(rig)).toEqual({
      progressToken: 1,
      tracestate: 'mine=1',
      traceparent: `00-${traceId}-${spanId}-01`,
    });
    expect(request.params).toBe(params);
  });

  it('makes params for it where there are none', async () => {
    const rig = around(tracing());
    await rig.send('tools/list').response;
    expect(metaOf(rig)).toEqual({ traceparent: expect.stringMatching(/^00-/) as string });
  });

  it('is below the span that is active', async () => {
    const { AsyncLocalStorageContextManager } = await contextManager();
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const rig = around([
      tracing(),
      (_request, next) => {
        trace.getActiveSpan()?.setAttribute('seen', true);
        return next();
      },
    ]);
    await trace.getTracer('program').startActiveSpan('outer', async (outer) => {
      await rig.call('echo');
      outer.end();
    });
    const outer = exporter.getFinishedSpans().find(({ name }) => name === 'outer');
    const [call] = spans().calls;
    expect(call?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    expect(call?.attributes['seen']).toBe(true);
  });

  it('has a child for every time that the request is sent', async () => {
    const sent: string[] = [];
    const rig = around(tracing(), (request: McpRequest) => {
      request.onSent?.();
      request.onSent?.();
      return said('ok')(request);
    });
    const { request, response } = rig.send('tools/call', {
      params: { name: 'echo' },
      onSent: () => sent.push('told'),
    });
    const { onSent } = request;
    await response;
    const { calls, attempts } = spans();
    expect(
      attempts.map(({ attributes, parentSpanContext, status }) => [
        attributes['longwire.attempt'],
        parentSpanContext?.spanId,
        status.code,
        attributes['error.type'],
      ]),
    ).toEqual([
      [1, calls[0]?.spanContext().spanId, SpanStatusCode.ERROR, 'sent-again'],
      [2, calls[0]?.spanContext().spanId, SpanStatusCode.ERROR, 'sent-again'],
      [3, calls[0]?.spanContext().spanId, SpanStatusCode.UNSET, undefined],
    ]);
    expect(sent).toHaveLength(3);
    expect(request.onSent).not.toBe(onSent);
  });

  it('is around what retry does, and within it', async () => {
    const attempts = (order: 'outside' | 'inside') => {
      const again = retry({ firstDelayMs: 1 });
      const errors = [failure('queue-full', 'not-sent')];
      return around(order === 'outside' ? [tracing(), again] : [again, tracing()], (request) => {
        const error = errors.shift();
        if (error !== undefined) throw error;
        return said('ok')(request);
      }).call('echo');
    };
    await attempts('outside');
    expect([spans().calls.length, spans().attempts.length]).toEqual([1, 2]);
    exporter.reset();
    await attempts('inside');
    expect([spans().calls.length, spans().attempts.length]).toEqual([2, 2]);
  });

  it('records a failure', async () => {
    const rig = around(tracing(), () => {
      throw failure('connection-lost', 'outcome-unknown');
    });
    await failureOf(rig.call('echo'));
    const { calls, attempts } = spans();
    for (const { status, attributes } of [...calls, ...attempts]) {
      expect(status).toEqual({
        code: SpanStatusCode.ERROR,
        message: 'a failure: connection-lost',
      });
      expect(attributes).toMatchObject({
        'error.type': 'connection-lost',
        'longwire.certainty': 'outcome-unknown',
      });
    }
    expect([calls.length, attempts.length]).toEqual([1, 1]);
    expect(calls[0]?.events.map(({ name }) => name)).toEqual(['exception']);
  });

  it('records the number of a JSON-RPC error, and a tool’s error', async () => {
    const answers = [
      () => {
        throw new ServerError('the server answered with an error: no such thing', {
          number: -32602,
          serverMessage: 'no such thing',
        });
      },
      () => ({ content: [], isError: true }),
    ];
    const rig = around(tracing(), () => (answers.shift() as () => never)());
    await failureOf(rig.call('echo'));
    await rig.call('echo');
    expect(
      spans().calls.map(({ attributes, status }) => [
        attributes['error.type'],
        attributes['rpc.response.status_code'],
        status,
      ]),
    ).toEqual([
      ['-32602', '-32602', { code: SpanStatusCode.ERROR, message: 'no such thing' }],
      ['tool_error', undefined, { code: SpanStatusCode.ERROR }],
    ]);
  });

  it('is of the connection’s own requests where that is wanted', async () => {
    for (const [options, expected] of [
      [{}, []],
      [{ internal: true }, ['initialize']],
    ] as const) {
      const rig = around(tracing(options));
      await rig.send('initialize', { internal: true }).response;
      expect(spans().calls.map(({ name }) => name)).toEqual(expected);
      expect(rig.asked[0]?.params).toBeUndefined();
    }
  });

  it('says what a cache did', async () => {
    const hit: Middleware = () =>
      Promise.resolve({ result: { content: [] }, metadata: { cache: 'hit' } });
    await around([tracing(), hit]).call('echo');
    const { calls, attempts } = spans();
    expect(calls[0]?.attributes['longwire.cache']).toBe('hit');
    expect(attempts).toEqual([]);
  });

  it('is known to middlewares within it, and to the lines that they log', async () => {
    const lines: object[] = [];
    const write = (fields: object) => lines.push(fields);
    const logger = { debug: write, info: write, warn: write, error: write };
    await Promise.all(
      ['one', 'two'].map((tool) => around([tracing(), logging(logger)]).call(tool)),
    );
    const ids = spans().calls.map((span) => {
      const { traceId, spanId } = span.spanContext();
      return { trace_id: traceId, span_id: spanId, trace_flags: '01' };
    });
    expect(new Set(ids.map(({ trace_id }) => trace_id)).size).toBe(2);
    for (const each of ids) expect(lines).toContainEqual(expect.objectContaining(each));
  });
});

it('a span that is not sampled goes to the server, and has no spans of attempts', async () => {
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const tracer = provider({ sampler: new AlwaysOffSampler() }).getTracer('mine');
  const rig = around(tracing({ tracer }));
  const { request, response } = rig.send('tools/call', { params: { name: 'echo' } });
  expect(request.onSent).toBeUndefined();
  await response;
  expect(metaOf(rig)).toEqual({ traceparent: expect.stringMatching(/-00$/) as string });
  expect(exporter.getFinishedSpans()).toEqual([]);
});

it('without an OpenTelemetry SDK the request is left as it is', async () => {
  const rig = around(tracing());
  const params = { name: 'echo' };
  const { request, response } = rig.send('tools/call', { params });
  await response;
  expect(request.params).toBe(params);
  expect(rig.asked[0]?.params).toBe(params);
  expect(request.onSent).toBeUndefined();
});

it('an SDK that is registered later is used from then on', async () => {
  const rig = around(tracing());
  trace.setGlobalTracerProvider(provider());
  await rig.call('echo');
  expect(spans().calls).toHaveLength(1);
});

it('a wrong option is refused by its name', () => {
  expect(() => tracing({ tracer: {} } as object)).toThrow('tracing.tracer');
  expect(() => tracing({ internal: 1 } as object)).toThrow('tracing.internal');
  expect(() => tracing({ name: 'x' } as object)).toThrow('tracing.name: no such option');
});

/** A context manager like that of the SDK for Node. */
async function contextManager() {
  const { AsyncLocalStorage } = await import('node:async_hooks');
  const { ROOT_CONTEXT } = await import('@opentelemetry/api');
  class AsyncLocalStorageContextManager {
    readonly #storage = new AsyncLocalStorage<typeof ROOT_CONTEXT>();
    active() {
      return this.#storage.getStore() ?? ROOT_CONTEXT;
    }
    with<A extends unknown[], R>(
      around: typeof ROOT_CONTEXT,
      run: (...args: A) => R,
      self?: unknown,
      ...args: A
    ): R {
      return this.#storage.run(around, () => Reflect.apply(run, self, args) as R);
    }
    bind<T>(_around: typeof ROOT_CONTEXT, target: T): T {
      return target;
    }
    enable() {
      return this;
    }
    disable() {
      this.#storage.disable();
      return this;
    }
  }
  return { AsyncLocalStorageContextManager };
}
