import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/server';
import type { FastifyBaseLogger } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import type { ClientRequest } from '../client-request.js';
import type { LoggedEvent } from '../events/event-log.js';
import type { Principal } from '../principal.js';
import { SERVER_ERROR, type Refusal } from '../refusal.js';
import type { NodeMessage } from './cluster.js';

/** Of the messages below. Nodes are upgraded one by one: a node refuses what it does not understand. */
export const MESSAGES_VERSION = 1;

/** What every message has. */
interface Common extends NodeMessage {
  readonly v: number;
  /** Of what waits for an answer, on the node that asked. */
  readonly uid: string;
}

/** What the owner of a session is asked. */
export type AskingMessage = Common &
  (
    | ({ readonly kind: 'post' } & SentPost)
    /** Reads a stream, as `Listening` says. */
    | {
        readonly kind: 'attach';
        readonly principal: string;
        readonly stream: number;
        readonly after?: number | undefined;
        readonly unless?: 'over' | 'incomplete' | undefined;
      }
    /** A call of the tool-events transport. */
    | {
        readonly kind: 'tool-call';
        readonly principal: Principal;
        readonly request: SentRequest;
        readonly tool: string;
        readonly args: Record<string, unknown>;
      }
    /** What such a client is told of the tools. */
    | { readonly kind: 'tool-list'; readonly principal: string }
    /** The reader of this name is gone. */
    | { readonly kind: 'detach' }
    /** Its client ends the session. */
    | { readonly kind: 'end'; readonly principal: string }
  );

/** What is sent of a POST. */
export interface SentPost {
  readonly principal: Principal;
  readonly request: SentRequest;
  readonly messages: readonly JSONRPCMessage[];
  /** Of its requests, in their order. */
  readonly digests: readonly string[];
  readonly isBatch: boolean;
  /** Whether its requests are answered where it was posted. */
  readonly isAnswered: boolean;
  readonly canReturn: boolean;
  /** It was sent before: on which stream it is answered if that is known, and what its client has. */
  readonly again?: { readonly stream?: number | undefined; readonly after: number } | undefined;
}

/** What the owner of a session answers. */
export type AnsweringMessage = Common &
  (
    | { readonly kind: 'accepted' }
    | { readonly kind: 'refused'; readonly refusal: Refusal; readonly id?: RequestId | undefined }
    /** The session is not here, or not any more. Whether what was asked may have run until then. */
    | { readonly kind: 'moved'; readonly hasBegun?: boolean }
    /** A POST runs, and is answered on this stream. */
    | { readonly kind: 'taken'; readonly stream: number; readonly isBatch: boolean }
    /** A message that the log did not publish, or that its client gets once more. */
    | { readonly kind: 'event'; readonly event: LoggedEvent; readonly isAgain: boolean }
    /** What the client of a stream has missed up to a place; what comes after it is published. */
    | { readonly kind: 'caught-up'; readonly seq: number; readonly events: readonly LoggedEvent[] }
    /** A call of the tool-events transport runs. */
    | { readonly kind: 'tool-begun' }
    /** The event that answers such a call, or the tools as JSON. */
    | { readonly kind: 'tool-answer'; readonly text: string }
    /** The stream is not opened: `Listening.unless`. */
    | { readonly kind: 'over' }
    /** The stream ends after the message at this place: all is answered, or its server ended it. */
    | { readonly kind: 'complete' | 'close'; readonly after: number }
  );

const ASKING: ReadonlySet<string> = new Set([
  'post',
  'attach',
  'tool-call',
  'tool-list',
  'detach',
  'end',
]);
const ANSWERING: ReadonlySet<string> = new Set([
  'accepted',
  'refused',
  'moved',
  'taken',
  'event',
  'caught-up',
  'tool-begun',
  'tool-answer',
  'over',
  'complete',
  'close',
]);

/** What kind of message this is; `unknown` for one of another version of this package. */
export function kindOf({ kind, v }: NodeMessage & { readonly v?: unknown }): Kind {
  // What is refused says so in every version.
  if (kind === 'refused') return 'answering';
  if (v !== MESSAGES_VERSION) return 'unknown';
  if (ASKING.has(kind)) return 'asking';
  return ANSWERING.has(kind) ? 'answering' : 'unknown';
}

type Kind = 'asking' | 'answering' | 'unknown';

/** For a message of a node with another version of this package. */
export const OTHER_VERSION: Refusal = {
  status: 503,
  code: SERVER_ERROR,
  message:
    'The node that has this session runs another version of the server, which does not understand this one: try again when all nodes are upgraded',
  headers: { 'retry-after': '5' },
  data: { certainty: 'refused' },
};

type Without<Message, Names extends PropertyKey> = Message extends unknown
  ? Omit<Message, Names>
  : never;

/** What one node asks another, without what all messages have. */
export type Asking = Without<AskingMessage, 'v' | 'uid' | 'session'>;

/** What one node answers another, without what all messages have. */
export type Answering = Without<AnsweringMessage, 'v' | 'uid' | 'session'>;

/** What is sent of the request that brought a POST. */
export interface SentRequest {
  readonly method: string;
  readonly protocol: string;
  readonly host: string;
  readonly url: string;
  readonly ip: string;
  readonly headers: IncomingHttpHeaders;
  readonly httpVersion: string;
  /** Where the client's own connection is known. */
  readonly port?: number | undefined;
}

/** Headers that say something of the connection or the body, or that the message says otherwise. */
const NOT_SENT: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-length',
  'content-type',
  'host',
  'keep-alive',
  'transfer-encoding',
]);

function headersToSend(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const sent: IncomingHttpHeaders = {};
  for (const name in headers) if (!NOT_SENT.has(name)) sent[name] = headers[name];
  return sent;
}

/** A request as it is sent. */
export function sentRequestOf(request: ClientRequest): SentRequest {
  const { method, protocol, host, originalUrl: url, ip, raw, socket } = request;
  return {
    method,
    protocol,
    host,
    url,
    ip,
    headers: headersToSend(request.headers),
    httpVersion: raw.httpVersion,
    ...(socket.remoteAddress === ip && { port: socket.remotePort }),
  };
}

/** A request as another node received it. */
export function clientRequestOf(sent: SentRequest, log: FastifyBaseLogger): ClientRequest {
  const { method, protocol, host, url: originalUrl, ip, headers, httpVersion, port } = sent;
  return {
    method,
    protocol,
    host,
    originalUrl,
    ip,
    headers: { ...headers, host },
    raw: { httpVersion },
    socket: port === undefined ? {} : { remoteAddress: ip, remotePort: port },
    log,
  };
}

/** A principal as it came: JSON has no URLs. */
export function principalOf({ id, authInfo }: Principal): Principal {
  if (authInfo === undefined) return { id };
  const { resource } = authInfo;
  return {
    id,
    authInfo: resource === undefined ? authInfo : { ...authInfo, resource: new URL(resource) },
  };
}
