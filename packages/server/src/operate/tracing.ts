import type { Context, Span, Tracer } from '@opentelemetry/api';
import type { Call, CallGate } from '../calls/call.js';
import { failureOf, httpVersionOf, OVER_HTTP, type Attributes } from './attributes.js';
import { loadPeer } from './load-peer.js';
import { sessionDigest } from './log.js';
import * as names from './names.js';
import type { TracingOptions } from './options.js';

type Api = typeof import('@opentelemetry/api');

/** How much of a text of the client is kept. */
const MAX_TEXT = 256;

/**
 * The gate that makes a server span of every request (`tools/call echo`), by OpenTelemetry's conventions
 * for MCP. It has to be the first gate: its span begins when the request arrives, and what the other
 * gates decide belongs to it.
 *
 * - Its parent is what `params._meta` names (`traceparent`, `tracestate`, `baggage`, as the registered
 *   propagator reads them). The context of the HTTP request is a link then, and the parent otherwise.
 * - The handlers of the server run in its context.
 * - `mcp.session.id` is the digest of the id that logs have, too: the id itself is a secret.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/
 * @throws Error where `@opentelemetry/api` is not installed.
 */
export async function createTracing({ tracer }: TracingOptions): Promise<CallGate> {
  const api = await loadPeer('@opentelemetry/api', 'tracing', () => import('@opentelemetry/api'));
  const given = tracer as Tracer | undefined;
  return new TracingGate(api, given ?? api.trace.getTracer('longwire'));
}

/** A span, and the context that has it. */
interface CallSpan {
  readonly span: Span;
  readonly within: Context;
}

class TracingGate implements CallGate {
  readonly #api: Api;
  readonly #tracer: Tracer;
  readonly #spans = new WeakMap<Call, CallSpan>();

  constructor(api: Api, tracer: Tracer) {
    this.#api = api;
    this.#tracer = tracer;
  }

  admit(call: Call): undefined {
    this.#open(call);
  }

  around(call: Call, deliver: () => void): void {
    this.#api.context.with(this.#open(call).within, deliver);
  }

  leave(call: Call, outcome: Parameters<NonNullable<CallGate['leave']>>[1]): void {
    const { span } = this.#open(call);
    this.#spans.delete(call);
    const failure = failureOf(outcome);
    if (failure !== undefined) {
      const { attributes, message } = failure;
      span.setAttributes(attributes);
      if (attributes[names.ERROR_TYPE] !== undefined) {
        span.setStatus({
          code: this.#api.SpanStatusCode.ERROR,
          ...(message !== undefined && { message }),
        });
      }
    }
    // Given the start, an SDK takes another clock for the end, by which it may come before.
    span.end(timeOf(performance.now()));
  }

  #open(call: Call): CallSpan {
    const opened = this.#spans.get(call) ?? this.#start(call);
    this.#spans.set(call, opened);
    return opened;
  }

  #start(call: Call): CallSpan {
    const { context, isSpanContextValid, propagation, SpanKind, trace } = this.#api;
    const active = context.active();
    const http =
      trace.getSpanContext(active) === undefined
        ? propagation.extract(active, carrierOf(call.headers))
        : active;
    const ambient = trace.getSpanContext(http);
    const link = ambient !== undefined && isSpanContextValid(ambient) ? ambient : undefined;
    const sent = propagation.extract(trace.deleteSpan(http), carrierOf(call.params?._meta));
    const parent = trace.getSpanContext(sent);
    const isSent = parent !== undefined && isSpanContextValid(parent);
    const around = isSent || link === undefined ? sent : trace.setSpanContext(sent, link);
    const span = this.#tracer.startSpan(
      nameOf(call),
      {
        kind: SpanKind.SERVER,
        startTime: timeOf(call.receivedAt),
        attributes: attributesOf(call),
        ...(isSent && link !== undefined && { links: [{ context: link }] }),
      },
      around,
    );
    return { span, within: trace.setSpan(around, span) };
  }
}

/** Milliseconds since 1970, on the clock of `performance.now()`. */
function timeOf(now: number): number {
  return performance.timeOrigin + now;
}

/** What propagators read: nothing but text. */
function carrierOf(fields: object | undefined): Record<string, string> {
  const carrier: Record<string, string> = {};
  for (const name of ['traceparent', 'tracestate', 'baggage']) {
    const value = (fields as Record<string, unknown> | undefined)?.[name];
    if (typeof value === 'string') carrier[name] = value;
  }
  return carrier;
}

/** `{mcp.method.name} {target}`, where the target is a tool or a prompt. */
function nameOf({ method, target }: Call): string {
  const hasTarget = method === 'tools/call' || method === 'prompts/get';
  const name = hasTarget && target !== undefined ? `${method} ${target}` : method;
  return name.slice(0, MAX_TEXT);
}

function attributesOf(call: Call): Attributes {
  const { id, method, target: named, request, sessionId, protocolVersion } = call;
  const target = named?.slice(0, MAX_TEXT);
  const attributes: Attributes = {
    [names.METHOD]: method.slice(0, MAX_TEXT),
    [names.REQUEST_ID]: String(id).slice(0, MAX_TEXT),
    ...OVER_HTTP,
  };
  if (method === 'tools/call') attributes[names.OPERATION] = names.EXECUTE_TOOL;
  if (target !== undefined) {
    if (method === 'tools/call') attributes[names.TOOL] = target;
    else if (method === 'prompts/get') attributes[names.PROMPT] = target;
    else if (method.startsWith('resources/')) attributes[names.RESOURCE_URI] = target;
  }
  if (protocolVersion !== undefined) {
    attributes[names.PROTOCOL_VERSION] = protocolVersion.slice(0, MAX_TEXT);
  }
  if (sessionId !== undefined) attributes[names.SESSION_ID] = sessionDigest(sessionId);
  const version = httpVersionOf(call);
  if (version !== undefined) attributes[names.NETWORK_PROTOCOL_VERSION] = version;
  // Behind a proxy only its address is known, unless `trustProxy` is set; the port is the proxy's then.
  if (request?.ip !== undefined) {
    attributes[names.CLIENT_ADDRESS] = request.ip;
    const { remoteAddress, remotePort } = request.socket;
    if (request.ip === remoteAddress && remotePort !== undefined) {
      attributes[names.CLIENT_PORT] = remotePort;
    }
  }
  return attributes;
}
