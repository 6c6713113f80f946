import type { Middleware } from '../middleware/contract.js';
import type { Protocol } from '../protocol-version.js';
import type { TransportName } from '../transport-name.js';
import type { ChannelOptions } from './channel-options.js';
import type { WireObserver } from './wire-event.js';

/** How long things may take. */
export interface Timeouts {
  /**
   * How long connecting may take, until the handshake is done, in milliseconds. Everything that is
   * tried shares this time. Default 30 000; 60 000 for a command, as `npx` may have to fetch it
   * first.
   */
  connectMs?: number;
  /**
   * How long a call may go without an answer or progress, in milliseconds. Then it fails with code
   * `timeout`. The `timeoutMs` of a call overrides it. Default 60 000.
   */
  callMs?: number;
  /**
   * How long a call may take in all, progress or not, in milliseconds. Then it fails with code
   * `deadline`. The `deadlineMs` of a call overrides it. Default 3 600 000.
   */
  deadlineMs?: number;
}

/** How a lost connection comes back. */
export interface RetryOptions {
  /**
   * How often a lost connection is dialled without an answer to a request in between. Then it rests
   * until the next request. A waiting request keeps it dialling beyond that, as long as the server
   * is away and the request has time. It is also how often a request that does no harm when it runs
   * twice is sent again. 0: never. Default 5.
   */
  maxAttempts?: number;
  /**
   * The delay before the first dial, in milliseconds; it doubles with every further one. Each delay
   * is a random part of that, from one half to the whole. Default 250.
   */
  firstDelayMs?: number;
  /**
   * The longest delay, in milliseconds, also where the server asks for a longer one by `retry:` or
   * `Retry-After`. Default 30 000.
   */
  maxDelayMs?: number;
  /** Whether the very first dial is repeated as well. Default `false`. */
  firstConnect?: boolean;
  /**
   * Whether a call is sent again because the server says that its tool allows it: by the hints
   * `readOnlyHint` and `idempotentHint`. With `false` a call whose outcome is unknown is sent again
   * only if the program says `idempotent: true`. Default `true`.
   */
  trustHints?: boolean;
}

/** How a connection is found out that is dead without saying so. */
export interface HeartbeatOptions {
  /**
   * How long nothing may arrive until the server is asked with a `ping`, in milliseconds. A comment
   * in a stream counts as something. `Infinity`: silence is never asked about. Default 30 000.
   *
   * Over Streamable HTTP, the stream of server messages is opened anew when nothing has arrived on
   * it for ten times that.
   *
   * A connection on which the program asks nothing gets one `ping` all the same, after half of that
   * and at most 15 s: its answer is what refills `retry.maxAttempts`.
   */
  silenceMs?: number;
  /**
   * How long the server may take to answer that, in milliseconds. Then the connection counts as
   * lost. Default 10 000.
   */
  timeoutMs?: number;
}

/** Options of a connection. */
export interface ConnectionOptions extends Partial<ChannelOptions> {
  /** How long things may take. */
  timeouts?: Pick<Timeouts, 'connectMs'>;
  /** How a lost connection comes back. */
  retry?: RetryOptions;
  /** How a connection is found out that is dead without saying so. */
  heartbeat?: HeartbeatOptions;
  /** Use this transport and no other. Default: found out. */
  transport?: TransportName;
  /**
   * Speak this version of the protocol and no other. A server that does not is an error of code
   * `not-mcp`. Of a server that speaks 2026-07-28 and older versions, `auto` takes 2026-07-28,
   * unless the program can be asked by elicitation, sampling or roots: then an older one, in which
   * every tool that asks can ask. Default `auto`; the version is found out.
   */
  protocol?: Protocol;
  /** The middlewares of every request; the first is outermost. Default: none. */
  middleware?: readonly Middleware[];
  /**
   * Called with everything that passes between the client and its server: each message, each HTTP
   * exchange, and the process of a stdio server with what it writes beside messages. Events hold
   * secrets: whoever shows them has to redact them. What it throws is ignored. Default: nobody, and
   * then it costs nothing.
   */
  observe?: WireObserver;
}
