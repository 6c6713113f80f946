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
import type { McpRequest, Middleware } from './contract.js';
import { LongwireError, ServerError } from '../errors.js';
import { VERSION } from '../version.js';
import { toolOf } from './tools.js';
import { checkOptions, withDefaults, type OptionTable } from '../options/option.js';
import {
  errorAttributes,
  promptOf,
  requestAttributes,
  responseAttributes,
  routeAttributes,
  serverAttributes,
} from '../telemetry/attributes.js';
import * as names from '../telemetry/names.js';

/** Options of {@link tracing}. */
export interface TracingOptions {
  /** Makes the spans. Default: the tracer `longwire` of the registered OpenTelemetry SDK. */
  tracer?: Tracer;
  /**
   * Make spans of the connection's own requests, too: handshakes, pings, what restores a session. Each is
   * a trace of its own, because it belongs to no call. Default `false`.
   */
  internal?: boolean;
}

/** Every option of tracing. */
export const TRACING: OptionTable<TracingOptions, 'internal'> = {
  tracer: { kind: 'other', otherwise: 'the tracer `longwire` of the registered OpenTelemetry SDK' },
  internal: { kind: 'flag', default: false },
};

/**
 * Makes a client span of every request of the program (`tools/call echo`), by OpenTelemetry's
 * conventions for MCP, and below it a span of every attempt: each time that the request is sent.
 * The span goes to the server in `params._meta` (`traceparent`, `tracestate`, `baggage`, as the
 * registered propagator writes them); what the program put there itself is kept. Failures and errors
 * of tools are recorded. Arguments and results are not. Middlewares within it find the span's ids in
 * `metadata.trace`, and so does a `logging` there.
 *
 * It comes before a `cache`, because baggage may say who asks.
 *
 * The connection's own requests have no spans unless they are wanted. Without an OpenTelemetry SDK nothing is made.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/
 * @throws TypeError that names a wrong option.
 */
export function tracing(options: TracingOptions = {}): Middleware {
  checkOptions(options, TRACING, 'tracing');
  const { tracer = trace.getTracer('longwire', VERSION), internal } = withDefaults(
    TRACING,
    options,
  );
  if (typeof tracer?.startSpan !== 'function') {
    throw new TypeError('tracing.tracer: not a Tracer of OpenTelemetry');
  }

  return async (request, next) => {
    if (request.internal && !internal) return next();
    const attributes = {
      ...serverAttributes(request.server, request.origin),
      ...requestAttributes(request),
    };
    const span = tracer.startSpan(nameOf(request), { kind: SpanKind.CLIENT, attributes });
    if (!isSpanContextValid(span.spanContext())) return next();
    const withSpan = trace.setSpan(context.active(), span);
    const { params, onSent } = request;
    // Of the handshake nothing but headers can be changed.
    if (!request.internal) request.params = withTraceContext(params, withSpan);
    const { traceId: trace_id, spanId: span_id, traceFlags } = span.spanContext();
    request.metadata['trace'] = { trace_id, span_id, trace_flags: hex(traceFlags) };
    const attempts = span.isRecording()
      ? new AttemptSpans(tracer, request, { span, around: withSpan })
      : undefined;
    try {
      const response = await context.with(withSpan, next);
      const ended = responseAttributes(response);
      span.setAttributes(ended);
      const error = toolErrorOf(ended);
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
    this.end({ message: 'it was sent again', attributes: { [names.ERROR_TYPE]: 'sent-again' } });
    this.#count++;
    const { route } = this.#request;
    const sent: Attributes = {
      ...routeAttributes(route),
      ...(route !== undefined && { [names.REQUEST_ID]: String(route.id) }),
    };
    this.#call.setAttributes(sent);
    const attributes = { [names.ATTEMPT]: this.#count, ...sent };
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

function toolErrorOf(attributes: Attributes): SpanError | undefined {
  if (attributes[names.ERROR_TYPE] === undefined) return undefined;
  return { message: undefined, attributes };
}

function failureOf(error: unknown): SpanError {
  const message =
    error instanceof ServerError
      ? (error.serverMessage ?? error.summary)
      : error instanceof LongwireError
        ? error.summary
        : String(error);
  return { message, attributes: errorAttributes(error) };
}

/** `{mcp.method.name} {target}`, where the target is a tool or a prompt. */
function nameOf(request: McpRequest): string {
  const target = toolOf(request) ?? promptOf(request);
  return target === undefined ? request.method : `${request.method} ${target}`;
}

function withTraceContext(params: McpRequest['params'], withSpan: Context): McpRequest['params'] {
  const carrier: Record<string, string> = {};
  propagation.inject(withSpan, carrier);
  if (Object.keys(carrier).length === 0) return params;
  const meta = params?.['_meta'] as Record<string, unknown> | undefined;
  return { ...params, _meta: { ...carrier, ...meta } };
}

/** As the W3C writes it. */
function hex(traceFlags: number): string {
  return traceFlags.toString(16).padStart(2, '0');
}
