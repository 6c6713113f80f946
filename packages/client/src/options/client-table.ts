import type { CallToolOptions, ClientOptions, ServerRequestHandlers } from '../client/types.js';
import type { GroupOptions, GroupServer, ServerSettings } from '../group/types.js';
import type { PoolOptions } from '../pool/types.js';
import { CONNECTION, TIMEOUTS } from './connection-table.js';
import type { DefaultTable, OptionTable } from './option.js';
import { PRINCIPALS } from './principal-options.js';

// The options of a client, of its calls, of a pool and of a group. What a row is: option.ts.

const HANDLERS: OptionTable<ServerRequestHandlers> = {
  roots: { kind: 'function', sentence: 'Answers `roots/list`' },
  sampling: { kind: 'function', sentence: 'Answers `sampling/createMessage`' },
  elicitation: { kind: 'function', sentence: 'Answers `elicitation/create` with a form' },
  urlElicitation: { kind: 'function', sentence: 'Answers `elicitation/create` with an address' },
};

export const CLIENT: OptionTable<ClientOptions> = {
  ...CONNECTION,
  timeouts: { ...CONNECTION.timeouts, table: TIMEOUTS },
  name: {
    kind: 'text',
    otherwise: "the target's host, or the server's own name once it is known",
    sentence: 'A short name for this server',
  },
  clientInfo: {
    kind: 'other',
    otherwise: '`longwire` with its version',
    sentence: 'Who this client is, as the server is told',
  },
  handlers: {
    kind: 'group',
    table: HANDLERS,
    otherwise: 'none',
    sentence: 'Answers to what the server may ask',
  },
  keepAlive: {
    kind: 'flag',
    default: true,
    sentence: 'Whether the connection stays open between calls',
    inFile: true,
  },
  trusted: {
    kind: 'flag',
    default: false,
    sentence:
      'Whether what the server says of its tools is believed where somebody would be asked otherwise',
    inFile: true,
  },
  whenAway: {
    kind: 'other',
    default: 'wait',
    sentence: 'What calls do while the server is away',
  },
  principals: {
    kind: 'group',
    table: PRINCIPALS,
    sentence: 'How many principals the client serves by `as`, and for how long',
  },
  throwOnToolError: {
    kind: 'flag',
    default: false,
    sentence:
      'A tool that reports an error (`isError: true`) makes its call fail with a `ToolResultError`',
  },
};

/** Of one call, or of another operation. */
export const CALL: OptionTable<CallToolOptions> = {
  signal: { kind: 'signal', sentence: 'Ends the operation early, with code `aborted`' },
  timeoutMs: {
    kind: 'duration',
    otherwise: '`timeouts.callMs` of the client',
    sentence: 'How long it may go without an answer or progress, in milliseconds',
  },
  deadlineMs: {
    kind: 'duration',
    otherwise: '`timeouts.deadlineMs` of the client',
    sentence: 'How long it may take in all, progress or not, in milliseconds',
  },
  headers: {
    kind: 'other',
    otherwise: 'none',
    sentence: 'Headers of the requests of this operation alone',
  },
  whenAway: {
    kind: 'other',
    otherwise: "the client's",
    sentence: 'What it does while its server is away',
  },
  onWaiting: {
    kind: 'function',
    sentence: 'Called when it begins to wait for a server that is away',
  },
  principal: {
    kind: 'other',
    otherwise: 'for nobody but the client',
    sentence: 'For whom this operation is made',
  },
  onProgress: {
    kind: 'function',
    sentence: 'Called with each progress notification of this call, in order',
  },
  onTask: {
    kind: 'function',
    sentence: 'Called when the server has made a task of the call, once',
  },
  idempotent: {
    kind: 'flag',
    default: false,
    sentence: 'This call does no harm when it runs twice',
  },
  result: {
    kind: 'other',
    otherwise: 'not checked',
    sentence: 'What the data of the result has to be',
  },
  throwOnToolError: {
    kind: 'flag',
    otherwise: '`throwOnToolError` of the client',
    sentence: 'A tool that reports an error (`isError: true`) makes the call fail',
  },
};

/** Of a circuit breaker. */
export const BREAKER: DefaultTable<Exclude<GroupOptions['breaker'], false | undefined>> = {
  failures: {
    kind: 'count',
    min: 1,
    default: 5,
    sentence: 'After how many failures of the server in a row it opens',
  },
  openMs: {
    kind: 'duration',
    default: 10_000,
    sentence: 'How long it stays open until one call tries the server, in milliseconds',
  },
};

/** Of a pool, beside those of its clients. */
export const POOL: DefaultTable<Omit<PoolOptions, Exclude<keyof ClientOptions, 'keepAlive'>>> = {
  size: {
    kind: 'count',
    min: 1,
    default: 4,
    sentence: 'How many connections there may be at a time, to all targets together',
  },
  maxPerConnection: {
    kind: 'count',
    min: 1,
    default: 1,
    sentence: 'How many calls may run on one connection at a time',
  },
  maxQueued: {
    kind: 'count',
    default: 1000,
    sentence: 'How many calls may wait for a connection; more fail with `queue-full`',
  },
  idleMs: {
    kind: 'duration',
    min: 0,
    default: 60_000,
    sentence: 'How long a connection may be idle until it is closed, in milliseconds',
  },
  keepAlive: {
    kind: 'flag',
    default: true,
    sentence: 'With `false` a connection is closed as soon as it is idle, as with `idleMs: 0`',
  },
  ejectMs: {
    kind: 'duration',
    default: 10_000,
    sentence: 'How long a target is ejected that cannot be reached, in milliseconds',
  },
  breaker: {
    kind: 'other',
    default: false,
    sentence: 'Opens after failures in a row: then calls fail at once, certainly not sent',
  },
};

export const GROUP: DefaultTable<GroupOptions> = {
  name: { kind: 'text', default: 'group', sentence: 'A short name, for logs' },
  shared: {
    kind: 'object',
    default: {},
    otherwise: 'nothing',
    sentence: 'The client options of all servers that the group connects to',
  },
  lazy: {
    kind: 'flag',
    default: false,
    sentence: 'Connects to a server on its first use, not at once',
  },
  maxInFlight: {
    kind: 'count',
    min: 1,
    default: 100,
    sentence: 'How many calls one server works on at a time; the others wait in order',
  },
  listMs: {
    kind: 'duration',
    default: 5000,
    sentence: 'How long `listTools` waits for one server, in milliseconds',
  },
  breaker: {
    kind: 'other',
    default: false,
    sentence:
      'A circuit breaker for each server: it opens after failures in a row, and then calls fail at once, certainly not sent',
  },
};

/** Of a server of a group, however it is reached. */
export const GROUP_SERVER: OptionTable<ServerSettings & Pick<GroupServer, 'name'>> = {
  name: { kind: 'text' },
  tools: { kind: 'other', otherwise: 'all, as they are', sentence: 'Which tools the group has' },
  trusted: {
    kind: 'flag',
    otherwise: 'what its client says, and that is `false`',
    sentence:
      'Whether what it says of its tools is believed where somebody would be asked otherwise',
  },
  disabled: {
    kind: 'flag',
    default: false,
    sentence: 'Nothing is asked of it, and its tools are not there, until it is enabled',
  },
  lazy: {
    kind: 'flag',
    otherwise: "the group's",
    sentence: 'Connects on first use, not at once',
  },
  maxInFlight: {
    kind: 'count',
    min: 1,
    otherwise: "the group's",
    sentence: 'How many calls it works on at a time; the others wait in order',
  },
};
