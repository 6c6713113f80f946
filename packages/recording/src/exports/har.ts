import type { CallPicture, Picture, ServerPicture } from '../picture.js';
import { VERSION } from '../version.js';
import { attemptSpansOf, callsOf, type AttemptSpan } from './attempts.js';

interface HarMessage {
  readonly httpVersion: string;
  readonly cookies: readonly [];
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly headersSize: -1;
  readonly bodySize: number;
}

/** One time that a call left. Members with `_` are Longwire's own. */
export interface HarEntry {
  readonly startedDateTime: string;
  /** In milliseconds. */
  readonly time: number;
  readonly request: HarMessage & {
    readonly method: 'POST';
    readonly url: string;
    readonly queryString: readonly [];
    readonly postData: { readonly mimeType: string; readonly text: string };
  };
  readonly response: HarMessage & {
    /** 0 where nothing was answered. */
    readonly status: number;
    readonly statusText: string;
    readonly content: { readonly size: number; readonly mimeType: string; readonly text?: string };
    readonly redirectURL: '';
  };
  readonly cache: Readonly<Record<string, never>>;
  readonly timings: { readonly send: 0; readonly wait: number; readonly receive: 0 };
  readonly comment: string;
  readonly _server: string;
  readonly _call: number;
  readonly _attempt: number;
  readonly _certainty?: string;
}

/** A HAR 1.2 document. */
export interface Har {
  readonly log: {
    readonly version: '1.2';
    readonly creator: { readonly name: string; readonly version: string };
    readonly entries: readonly HarEntry[];
  };
}

const JSON_TYPE = 'application/json';

/**
 * The calls of a picture as HAR 1.2: an entry for each time that a call left. A recording knows messages
 * and not the HTTP around them, so the bodies are the JSON-RPC messages, there are no headers but their
 * type, and the status is 200 for what was answered and 0 for what was not. Servers that have no URL
 * have one of the scheme `mcp:`.
 *
 * @see http://www.softwareishard.com/blog/har-12-spec/
 */
export function toHar(picture: Picture): Har {
  const entries = callsOf(picture).flatMap((call) => {
    const url = urlOf(call, picture.servers.get(call.server));
    return attemptSpansOf(call, picture.at).map((attempt) => entryOf(call, attempt, url));
  });
  const creator = { name: 'longwire', version: VERSION };
  return { log: { version: '1.2', creator, entries } };
}

function entryOf(call: CallPicture, attempt: AttemptSpan, url: string): HarEntry {
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: attempt.id ?? null,
    method: call.method,
    params: paramsOf(call),
  });
  const time = Math.round((attempt.to - attempt.from) * 1000) / 1000;
  const { certainty } = call.end?.error ?? {};
  const what = call.name === undefined ? call.method : `${call.method} ${call.name}`;
  return {
    startedDateTime: isoTime(attempt.from),
    time,
    request: {
      method: 'POST',
      url,
      ...messageOf(body),
      queryString: [],
      postData: { mimeType: JSON_TYPE, text: body },
    },
    response: responseOf(call, attempt),
    cache: {},
    timings: { send: 0, wait: time, receive: 0 },
    comment: attempt.cause === undefined ? what : `${what}, again: ${attempt.cause.message}`,
    _server: call.server,
    _call: call.call,
    _attempt: attempt.attempt,
    ...(attempt.isLast && certainty !== undefined && { _certainty: certainty }),
  };
}

function paramsOf({ method, name, arguments: args }: CallPicture): object | undefined {
  if (method.startsWith('resources/')) return name === undefined ? undefined : { uri: name };
  if (name === undefined) return args as object | undefined;
  return { name, ...(args !== undefined && { arguments: args }) };
}

function responseOf(call: CallPicture, { isLast, id }: AttemptSpan): HarEntry['response'] {
  const { end } = call;
  const answer = isLast ? answerOf(end) : undefined;
  if (answer === undefined) {
    const statusText = isLast ? (end?.error?.code ?? 'in flight') : 'sent again';
    return {
      status: 0,
      statusText,
      ...messageOf(undefined),
      content: { size: 0, mimeType: 'x-unknown' },
      redirectURL: '',
    };
  }
  const text = JSON.stringify({ jsonrpc: '2.0', id: id ?? null, ...answer });
  const { bodySize: size, ...message } = messageOf(text);
  return {
    status: 200,
    statusText: 'OK',
    ...message,
    bodySize: size,
    content: { size, mimeType: JSON_TYPE, text },
    redirectURL: '',
  };
}

/** What the server answered, where it did. */
function answerOf(end: CallPicture['end']): object | undefined {
  if (end === undefined) return undefined;
  if (end.outcome !== 'error') return { result: end.result ?? null };
  const { certainty, number, message } = end.error ?? {};
  return certainty === 'answered' && number !== undefined
    ? { error: { code: number, message } }
    : undefined;
}

function messageOf(body: string | undefined): HarMessage {
  const headers = body === undefined ? [] : [{ name: 'content-type', value: JSON_TYPE }];
  const bodySize = body === undefined ? -1 : new TextEncoder().encode(body).length;
  return { httpVersion: 'HTTP/1.1', cookies: [], headers, headersSize: -1, bodySize };
}

function urlOf({ server }: CallPicture, known: ServerPicture | undefined): string {
  const target = known?.known.target;
  if (target !== undefined && /^https?:/.test(target) && URL.canParse(target)) return target;
  return `mcp://server/${encodeURIComponent(wellFormed(server))}`;
}

/** A time that no calendar has is the first of all. */
function isoTime(at: number): string {
  const time = new Date(at);
  return (Number.isNaN(time.getTime()) ? new Date(0) : time).toISOString();
}

/** A text that can be a part of a URL: half of a character cannot. */
function wellFormed(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}
