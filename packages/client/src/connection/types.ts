import type { LongwireError } from '../errors.js';
import type { ChannelOptions } from '../channels/channel.js';
import type { Dialect } from '../channels/channel.js';

/**
 * Where a connection stands.
 *
 * - `idle`: nothing was asked of it yet.
 * - `connecting`: dialling, or shaking hands.
 * - `ready`: requests go out at once.
 * - `reconnecting`: the line dropped; the next attempt is under way or waits its delay.
 * - `resting`: it does not dial by itself; the next request does.
 * - `closed`: for good.
 */
export type ConnectionState =
  | { name: 'idle' }
  | { name: 'connecting'; attempt: number }
  | { name: 'ready'; dialect: Dialect; url: string; connectMs: number }
  | { name: 'reconnecting'; attempt: number; reason: LongwireError; nextDelayMs: number }
  | { name: 'resting'; reason: LongwireError }
  | { name: 'closed' };

/** How long things may take, in milliseconds. */
export interface Timeouts {
  /** From the first packet to a finished handshake. Default 10 000. */
  connectMs?: number;
}

/** Options of a connection. */
export interface ConnectionOptions extends Partial<ChannelOptions> {
  /** How long things may take. */
  timeouts?: Timeouts;
  /** Speak this dialect and no other, instead of finding out. Default: found out. */
  transport?: Dialect;
}
