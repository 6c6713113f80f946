import type { CallPicture, Picture, ServerPicture } from '../picture.js';
import { VERSION } from '../version.js';
import { attemptSpansOf, callsOf, endOfCall, type AttemptSpan } from './attempts.js';

/** A value of an attribute, as OTLP/JSON has it. 64-bit integers are texts there. */
export type OtlpValue =
  | { readonly stringValue: string }
  | { readonly intValue: string }
  | { readonly boolValue: boolean };

/** An attribute, as OTLP/JSON has it. */
export interface OtlpAttribute {
  readonly key: string;
  readonly value: OtlpValue;
}

/** A span, as OTLP/JSON has it. Times are nanoseconds since 1970. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** 1: internal, 3: client. */
  readonly kind: 1 | 3;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
  readonly events?: readonly {
    readonly name: string;
    readonly timeUnixNano: string;
    readonly attributes: readonly OtlpAttribute[];
  }[];
  /** Code 2 is an error. */
  readonly status: { readonly code?: 2; readonly message?: string };
}

/** What `POST /v1/traces` of a collector takes as JSON. */
export interface OtlpTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeSpans: readonly {
      readonly scope: { readonly name: string; readonly version: string };
      readonly spans: readonly OtlpSpan[];
    }[];
  }[];
}

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * The calls of a picture as traces in OTLP/JSON: a span for each call, and below it one for each time
 * that it was sent, by OpenTelemetry's conventions for MCP, as the middleware `tracing` of
 * `@longwire/client` makes them. A call that another call caused is in the trace of that one. A call in
 * flight ends now, and has `longwire.unfinished`. Arguments and results are left out. The same picture
 * gives the same ids.
 *
 * @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 * @see https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/
 */
export function toOtlp(picture: Picture): OtlpTraces {
  const calls = callsOf(picture);
  const byNumber = new Map(calls.map((call) => [call.call, call]));
  const spans = calls.flatMap((call) => spansOf(call, picture, byNumber));
  return {
    resourceSpans: [
      {
        resource: { attributes: attributesOf({ 'service.name': 'longwire' }) },
        scopeSpans: [{ scope: { name: 'longwire', version: VERSION }, spans }],
      },
    ],
  };
}

/** A chain of causes that is longer has another trace. */
const MAX_CAUSES = 100;

function spansOf(
  call: CallPicture,
  picture: Picture,
  byNumber: ReadonlyMap<number, CallPicture>,
): OtlpSpan[] {
  const causeOf = ({ by }: CallPicture): CallPicture | undefined =>
    by !== undefined && 'call' in by ? byNumber.get(by.call) : undefined;
  let root = call;
  for (let depth = 0; depth < MAX_CAUSES; depth++) root = causeOf(root) ?? root;
  const traceId = idOf(root, 'trace', 32);
  const spanId = idOf(call, 'span', 16);
  const cause = causeOf(call);
  const server = picture.servers.get(call.server);
  const attempts = attemptSpansOf(call, picture.at);
  const last = attempts.at(-1);
  const span: OtlpSpan = {
    traceId,
    spanId,
    ...(cause !== undefined && cause !== call && { parentSpanId: idOf(cause, 'span', 16) }),
    name: nameOf(call),
    kind: 3,
    startTimeUnixNano: nanoseconds(call.at),
    endTimeUnixNano: nanoseconds(endOfCall(call, picture.at)),
    attributes: attributesOf({
      ...attributesOfCall(call),
      ...attributesOfServer(server),
      ...routeOf(server, last),
      ...attributesOfEnd(call),
    }),
    events: attempts.flatMap(({ from, cause: lost }) =>
      lost === undefined
        ? []
        : [
            {
              name: 'longwire.sent_again',
              timeUnixNano: nanoseconds(from),
              attributes: attributesOf({ 'error.type': lost.code, 'error.message': lost.message }),
            },
          ],
    ),
    status: statusOf(call),
  };
  return [span, ...attempts.map((attempt) => spanOfAttempt(call, attempt, { span, server }))];
}

function spanOfAttempt(
  call: CallPicture,
  attempt: AttemptSpan,
  { span, server }: { span: OtlpSpan; server: ServerPicture | undefined },
): OtlpSpan {
  const ended = attempt.isLast ? attributesOfEnd(call) : { 'error.type': 'sent-again' };
  return {
    traceId: span.traceId,
    spanId: idOf(call, `attempt ${attempt.attempt} ${attempt.at}`, 16),
    parentSpanId: span.spanId,
    name: `${call.method} attempt`,
    kind: 1,
    startTimeUnixNano: nanoseconds(attempt.from),
    endTimeUnixNano: nanoseconds(attempt.to),
    attributes: attributesOf({
      'longwire.attempt': attempt.attempt,
      ...routeOf(server, attempt),
      ...ended,
    }),
    status: attempt.isLast ? statusOf(call) : { code: 2, message: 'it was sent again' },
  };
}

/** `{mcp.method.name} {target}`, where the target is a tool or a prompt. */
function nameOf({ method, name }: CallPicture): string {
  const hasTarget = method === 'tools/call' || method === 'prompts/get';
  return hasTarget && name !== undefined ? `${method} ${name}` : method;
}

function attributesOfCall({ call, server, method, name, by, end }: CallPicture): Attributes {
  return {
    'mcp.method.name': method,
    'longwire.server': server,
    'longwire.call': call,
    ...(by !== undefined && 'who' in by && { 'longwire.by': by.who }),
    ...(method === 'tools/call' && {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': name,
    }),
    ...(method === 'prompts/get' && { 'gen_ai.prompt.name': name }),
    ...(method.startsWith('resources/') && { 'mcp.resource.uri': name }),
    ...(end === undefined && { 'longwire.unfinished': true }),
  };
}

/** Where the server is, where its transport is HTTP. */
function attributesOfServer(server: ServerPicture | undefined): Attributes {
  const target = server?.known.target;
  if (target === undefined || !/^https?:/.test(target) || !URL.canParse(target)) return {};
  const { hostname, port, protocol } = new URL(target);
  return {
    'server.address': hostname.replace(/^\[(.*)\]$/, '$1'),
    'server.port': port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
    'network.transport': 'tcp',
    'network.protocol.name': 'http',
  };
}

function routeOf(server: ServerPicture | undefined, attempt: AttemptSpan | undefined): Attributes {
  if (attempt === undefined) return {};
  const { transport, protocolVersion } = server?.known ?? {};
  return {
    ...(attempt.id !== undefined && { 'jsonrpc.request.id': String(attempt.id) }),
    'mcp.protocol.version': protocolVersion,
    ...(transport === 'stdio' && { 'network.transport': 'pipe' }),
  };
}

function attributesOfEnd({ end }: CallPicture): Attributes {
  if (end?.outcome === 'tool-error') return { 'error.type': 'tool_error' };
  if (end?.outcome !== 'error') return {};
  const { code, certainty, number } = end.error ?? {};
  const status = number === undefined ? undefined : String(number);
  return {
    'error.type': status ?? code ?? 'error',
    'rpc.response.status_code': status,
    'longwire.certainty': certainty,
  };
}

function statusOf({ end }: CallPicture): OtlpSpan['status'] {
  if (end === undefined || end.outcome === 'result') return {};
  return { code: 2, ...(end.error !== undefined && { message: end.error.message }) };
}

function attributesOf(attributes: Attributes): OtlpAttribute[] {
  return Object.entries(attributes).flatMap(([key, value]): OtlpAttribute[] => {
    if (value === undefined) return [];
    if (typeof value === 'string') return [{ key, value: { stringValue: value } }];
    if (typeof value === 'boolean') return [{ key, value: { boolValue: value } }];
    return [{ key, value: { intValue: String(value) } }];
  });
}

/** A time before 1970, or after 2554, is none for OTLP. */
function nanoseconds(ms: number): string {
  const bounded = Math.min(Math.max(ms, 0), 18_446_744_073_709);
  return String(BigInt(Math.round(bounded * 1000)) * 1000n);
}

/** So many hexadecimal digits that depend on a call alone, and are not all zeros. */
function idOf({ server, call, at }: CallPicture, what: string, digits: number): string {
  const text = JSON.stringify([what, server, call, at]);
  let id = '';
  for (let seed = 1; id.length < digits; seed++) id += hash(text, seed);
  return /^0+$/.test(id) ? `${id.slice(1)}1` : id;
}

/** FNV-1a of 32 bits, its bits mixed at the end: for ids, not for secrets. */
function hash(text: string, seed: number): string {
  let value = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1);
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return ((value ^ (value >>> 16)) >>> 0).toString(16).padStart(8, '0');
}
