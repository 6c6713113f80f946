import {
  context,
  isSpanContextValid,
  propagation,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import type { McpRequest, McpResponse, Middleware } from './contract.js';
import { LongwireError, ServerError } from '../errors.js';
import { VERSION } from '../version.js';
import { outcomeOfError } from './outcome.js';
import { toolOf } from './tools.js';
import { checkOptions, type OptionTable } from '../options/option.js';

/** Options of {@link tracing}. */
export interface TracingOptions {
  /** Makes the spans. Default: the tracer `longwire` of the registered OpenTelemetry SDK. */
  tracer?: Tracer;
}

/** Every option of tracing. */
export const TRACING: OptionTable<TracingOptions> = {
  tracer: { kind: 'other', otherwise: 'the tracer `longwire` of the registered OpenTelemetry SDK' },
};

/**
 * Makes a client span of every request of the program (`tools/call echo`), by OpenTelemetry's
 * conventions for MCP, and below it a span of every attempt: each time that the request is sent.
 * The span goes to the server in `params._meta` (`traceparent`, `tracestate`, `baggage`, as the
 * registered propagator writes them); what the program put there itself is kept. Failures and errors
 * of tools are recorded. Arguments and results are not.
 *
 * It comes before a `cache`, because baggage may say who asks.
 *
 * The connection's own requests have no spans. Without an OpenTelemetry SDK nothing is made.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/
 * @throws TypeError that names a wrong option.
 */
export function tracing(options: TracingOptions = {}): Middleware {
  checkOptions(options, TRACING, 'tracing');
  const { tracer = trace.getTracer('longwire', VERSION) } = options;
  if (typeof tracer?.startSpan !== 'function') {
    throw new TypeError('tracing.tracer: not a Tracer of OpenTelemetry');
  }

  return async (request, next) => {
    if (request.internal) return next();
    const attributes = attributesOf(request);
    const span = tracer.startSpan(nameOf(request), { kind: SpanKind.CLIENT, attributes });
    if (!isSpanContextValid(span.spanContext())) return next();
    const withSpan = trace.setSpan(context.active(), span);
    const { params, onSent } = request;
    request.params = withTraceContext(params, withSpan);
    const attempts = span.isRecording()
      ? new AttemptSpans(tracer, request, { span, around: withSpan })
      : undefined;
    try {
      const response = await context.with(withSpan, next);
      const error = toolErrorOf(response);
      attempts?.end(error);
      endSpan(span, error);
      return response;
    } catch (thrown) {
      const error = failureOf(thrown);
      attempts?.end(error);
      if (thrown instanceof Error) span.recordException(thrown);
      endSpan(span, error);
      throw thrown;
    } finally {
      // It may be sent again, with another span around it.
      request.params = params;
      request.onSent = onSent;
    }
  };
}

/** How a span ends that fails. */
interface SpanError {
  message: string | undefined;
  attributes: Attributes;
}

/** The spans of the attempts of a request; each ends when the next one begins. */
class AttemptSpans {
  readonly #tracer: Tracer;
  readonly #request: McpRequest;
  readonly #call: Span;
  readonly #around: Context;
  #count = 0;
  #span: Span | undefined;

  constructor(
    tracer: Tracer,
    request: McpRequest,
    { span, around }: { span: Span; around: Context },
  ) {
    this.#tracer = tracer;
    this.#request = request;
    this.#call = span;
    this.#around = around;
    const { onSent } = request;
    request.onSent = () => {
      this.#begin();
      onSent?.();
    };
  }

  #begin(): void {
    this.end({ message: 'it was sent again', attributes: { 'error.type': 'sent-again' } });
    this.#count++;
    const route = routeAttributesOf(this.#request);
    this.#call.setAttributes(route);
    const attributes = { 'longwire.attempt': this.#count, ...route };
    const name = `${this.#request.method} attempt`;
    this.#span = this.#tracer.startSpan(name, { attributes }, this.#around);
  }

  end(error: SpanError | undefined): void {
    if (this.#span !== undefined) endSpan(this.#span, error);
    this.#span = undefined;
  }
}

function endSpan(span: Span, error: SpanError | undefined): void {
  if (error !== undefined) {
    const { message, attributes } = error;
    span.setAttributes(attributes);
    span.setStatus({
      code: SpanStatusCode.ERROR,
      ...(message !== undefined && { message }),
    });
  }
  span.end();
}

function toolErrorOf({ result }: McpResponse): SpanError | undefined {
  if (result['isError'] !== true) return undefined;
  return { message: undefined, attributes: { 'error.type': 'tool_error' } };
}

function failureOf(error: unknown): SpanError {
  const message = error instanceof LongwireError ? error.summary : String(error);
  const attributes: Attributes = { 'error.type': outcomeOfError(error) };
  if (error instanceof LongwireError) attributes['longwire.certainty'] = error.certainty;
  if (error instanceof ServerError) {
    attributes['error.type'] = attributes['rpc.response.status_code'] = String(error.number);
  }
  return { message, attributes };
}

/** `{mcp.method.name} {target}`, where the target is a tool or a prompt. */
function nameOf(request: McpRequest): string {
  const target = toolOf(request) ?? promptOf(request);
  return target === undefined ? request.method : `${request.method} ${target}`;
}

function attributesOf(request: McpRequest): Attributes {
  const { method, params } = request;
  const [tool, prompt, uri] = [toolOf(request), promptOf(request), params?.['uri']];
  return {
    'mcp.method.name': method,
    ...serverAttributesOf(request.origin),
    ...(tool !== undefined && {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': tool,
    }),
    ...(prompt !== undefined && { 'gen_ai.prompt.name': prompt }),
    ...(method.startsWith('resources/') && typeof uri === 'string' && { 'mcp.resource.uri': uri }),
  };
}

/** Where the server is, where its transport is HTTP. */
function serverAttributesOf(origin: string | undefined): Attributes {
  if (origin === undefined) return {};
  const { hostname, port, protocol } = new URL(origin);
  return {
    'server.address': hostname.replace(/^\[(.*)\]$/, '$1'),
    'server.port': port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
    'network.transport': 'tcp',
    'network.protocol.name': 'http',
  };
}

/**
 * What is known once a request leaves. The conventions' `mcp.session.id` is left out: the id is a secret
 * of the connection.
 */
function routeAttributesOf({ route }: McpRequest): Attributes {
  if (route === undefined) return {};
  const { id, transport, protocolVersion } = route;
  return {
    'jsonrpc.request.id': String(id),
    ...(protocolVersion !== undefined && { 'mcp.protocol.version': protocolVersion }),
    ...(transport === 'stdio' && { 'network.transport': 'pipe' }),
  };
}

function promptOf({ method, params }: McpRequest): string | undefined {
  const name = method === 'prompts/get' ? params?.['name'] : undefined;
  return typeof name === 'string' ? name : undefined;
}

function withTraceContext(params: McpRequest['params'], withSpan: Context): McpRequest['params'] {
  const carrier: Record<string, string> = {};
  propagation.inject(withSpan, carrier);
  if (Object.keys(carrier).length === 0) return params;
  const meta = params?.['_meta'] as Record<string, unknown> | undefined;
  return { ...params, _meta: { ...carrier, ...meta } };
}
