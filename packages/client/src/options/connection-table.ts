import { PROTOCOL_VERSIONS } from '../protocol-version.js';
import type { TransportName } from '../transport-name.js';
import type { ChannelOptions, Limits } from './channel-options.js';
import type {
  ConnectionOptions,
  HeartbeatOptions,
  RetryOptions,
  Timeouts,
} from './connection-options.js';
import { grouped } from './describe.js';
import type { TlsOptions } from './network-options.js';
import type { DefaultTable, OptionTable } from './option.js';

// The options of a connection. What a row is: option.ts.

/** `timeouts.connectMs` where the server is a command. */
export const COMMAND_CONNECT_MS = 60_000;

/** How a server may talk. */
export const TRANSPORT_NAMES: readonly TransportName[] = [
  'sse',
  'streamable-http',
  'stdio',
  'in-memory',
  'tool-events',
];

export const TIMEOUTS: DefaultTable<Timeouts> = {
  connectMs: {
    kind: 'duration',
    default: 30_000,
    otherwise: `${grouped(COMMAND_CONNECT_MS)} for a command, as \`npx\` may have to fetch it first`,
    sentence: 'How long connecting may take, until the handshake is done, in milliseconds',
    inFile: true,
  },
  callMs: {
    kind: 'duration',
    default: 60_000,
    sentence: 'How long a call may go without an answer or progress, in milliseconds',
    inFile: true,
  },
  deadlineMs: {
    kind: 'duration',
    default: 3_600_000,
    sentence: 'How long a call may take in all, progress or not, in milliseconds',
    inFile: true,
  },
};

export const RETRY: DefaultTable<RetryOptions> = {
  maxAttempts: {
    kind: 'count',
    default: 5,
    sentence: 'How often a lost connection is dialled without an answer to a request in between',
    inFile: true,
  },
  firstDelayMs: {
    kind: 'duration',
    default: 250,
    sentence: 'The delay before the first dial, in milliseconds; it doubles with every further one',
    inFile: true,
  },
  maxDelayMs: {
    kind: 'duration',
    default: 30_000,
    sentence: 'The longest delay, in milliseconds, also where the server asks for a longer one',
    inFile: true,
  },
  firstConnect: {
    kind: 'flag',
    default: false,
    sentence: 'Whether the very first dial is repeated as well',
    inFile: true,
  },
  trustHints: {
    kind: 'flag',
    default: true,
    sentence: 'Whether a call is sent again because the server says that its tool allows it',
    inFile: true,
  },
};

export const HEARTBEAT: DefaultTable<HeartbeatOptions> = {
  silenceMs: {
    kind: 'duration',
    default: 30_000,
    sentence:
      'How long nothing may arrive until the server is asked with a `ping`, in milliseconds',
    inFile: true,
  },
  timeoutMs: {
    kind: 'duration',
    default: 10_000,
    sentence: 'How long the server may take to answer that, in milliseconds',
    inFile: true,
  },
};

export const LIMITS: DefaultTable<Limits> = {
  maxEventBytes: {
    kind: 'bytes',
    default: 67_108_864,
    sentence: 'What one event of a stream may hold, in UTF-16 code units',
    inFile: true,
  },
  maxInFlight: {
    kind: 'amount',
    default: 10_000,
    sentence: 'How many requests may wait for an answer at a time',
    inFile: true,
  },
  maxJsonDepth: {
    kind: 'amount',
    default: 200,
    // Deeper than this, functions that call themselves for each level may run out of stack.
    max: 1000,
    sentence: 'How deep arrays and objects may be nested in one message of the server',
    inFile: true,
  },
  maxJsonValues: {
    kind: 'amount',
    default: 1_000_000,
    sentence: 'How many values one message of the server may hold, nested ones included',
    inFile: true,
  },
  maxListBytes: {
    kind: 'bytes',
    default: 67_108_864,
    sentence: 'What a list may hold, all its pages together, in UTF-16 code units of JSON',
    inFile: true,
  },
  maxListItems: {
    kind: 'amount',
    default: 100_000,
    sentence: 'How many entries a list may have, all its pages together',
    inFile: true,
  },
  maxListPages: {
    kind: 'amount',
    default: 1000,
    sentence: 'How many pages a list may have',
    inFile: true,
  },
};

const AUTH: OptionTable<ChannelOptions['auth']> = {
  headers: {
    kind: 'function',
    otherwise: 'none',
    sentence: 'Headers that carry the credentials, asked anew for every HTTP request',
  },
  onChallenge: {
    kind: 'function',
    otherwise: '`fail`',
    sentence: 'Asked after a 401 or 403, at most three times a request',
  },
};

export const TLS: OptionTable<TlsOptions> = {
  ca: {
    kind: 'other',
    otherwise: 'none',
    sentence: 'Certificates (PEM) of authorities that are trusted beside those that Node trusts',
  },
  cert: {
    kind: 'other',
    otherwise: 'none',
    sentence: 'The certificate (PEM) by which the client identifies itself',
  },
  key: { kind: 'other', otherwise: 'none', sentence: 'The private key (PEM) of `cert`' },
  passphrase: { kind: 'text', otherwise: 'it is not', sentence: 'What `key` is encrypted with' },
  servername: {
    kind: 'text',
    otherwise: 'that of its URL',
    sentence: "The name that a server's certificate has to be for",
  },
  rejectUnauthorized: {
    kind: 'flag',
    default: true,
    sentence: 'Whether only servers are talked to whose certificate can be verified',
  },
};

/** Of a connection by itself: the time of a call is its client's. */
export const CONNECTION: OptionTable<ConnectionOptions> = {
  headers: { kind: 'other', otherwise: 'none', sentence: 'Sent with every HTTP request' },
  auth: { kind: 'group', table: AUTH, sentence: 'Who answers for authentication' },
  limits: { kind: 'group', table: LIMITS, sentence: 'What may be used up', inFile: true },
  cookies: {
    kind: 'flag',
    default: true,
    sentence: 'Whether cookies are kept, in memory, and sent back',
    inFile: true,
  },
  proxy: {
    kind: 'other',
    otherwise: 'no proxy, whatever the environment says',
    sentence: 'The proxy through which servers are reached',
  },
  tls: {
    kind: 'group',
    table: TLS,
    otherwise: 'those that Node trusts, and no certificate of the client',
    sentence: 'Certificates for servers at `https://`',
  },
  dispatcher: {
    kind: 'other',
    otherwise: 'one for each session, with at most 256 connections',
    sentence: 'A dispatcher of undici 7',
  },
  timeouts: {
    kind: 'group',
    table: { connectMs: TIMEOUTS.connectMs },
    sentence: 'How long things may take',
    inFile: true,
  },
  retry: {
    kind: 'group',
    table: RETRY,
    sentence: 'How a lost connection comes back',
    inFile: true,
  },
  heartbeat: {
    kind: 'group',
    table: HEARTBEAT,
    sentence: 'How a connection is found out that is dead without saying so',
    inFile: true,
  },
  middleware: {
    kind: 'other',
    otherwise: 'none',
    sentence: 'The middlewares of every request; the first is outermost',
  },
  observe: {
    kind: 'function',
    otherwise: 'nobody, and then it costs nothing',
    sentence: 'Called with everything that passes between the client and its server',
  },
  transport: {
    kind: 'enum',
    values: TRANSPORT_NAMES,
    otherwise: 'found out',
    sentence: 'Use this transport and no other',
    inFile: true,
  },
  protocol: {
    kind: 'enum',
    values: ['auto', ...PROTOCOL_VERSIONS],
    default: 'auto',
    otherwise: 'the version is found out',
    sentence: 'Speak this version of the protocol and no other',
    inFile: true,
  },
};
