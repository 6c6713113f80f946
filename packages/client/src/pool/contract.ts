/// <reference lib="esnext.disposable" preserve="true" />
import type { ServerSource } from '../client/contract.js';
import type { OnceOptions } from '../client/next-event.js';
import type { PrincipalCredentials } from '../options/principal-options.js';
import type { AnyTools, ToolTypes } from '../client/tool-types.js';
import type { PoolEvents, PoolStatus } from './types.js';

/**
 * Several connections to one server, or to several that are the same to the program, behind one
 * name. Nothing is dialled until the first call. `createPool` makes one.
 *
 * - A call of a tool goes to the least busy connection. While all are busy it waits, and the time
 *   that it waits is time of the call. It fails with `queue-full` if too many wait already.
 * - The event `state` is that of the best connection.
 * - The event `toolsChanged` comes once for all connections, if the list differs. While there is a
 *   listener, the tools are listed when a server says that they changed.
 * - Any other notification comes once from each connection on which it was sent. Without a
 *   connection nothing comes.
 * - `health` asks on every free connection; if all are busy, on every connection. Without a
 *   connection it makes one: a pool that has been idle has none. The pool is `degraded`, too, if
 *   one of several connections is not healthy, or a target is ejected.
 *
 * `status`, `health` and the events, but for `breaker` and `error`, are of the pool's own connections, not
 * of its principals'.
 *
 * `Tools` is what is known of its tools when the program is compiled (see {@link ToolTypes}).
 */
export interface LongwirePool<
  Tools extends ToolTypes<Tools> = AnyTools,
> extends ServerSource<Tools> {
  /** The name given, else that of the server reached first, else the first target's host. */
  readonly name: string;
  /** What it does now. */
  status(): PoolStatus;
  /**
   * The same pool as one principal, as `client.as` has it: a light view, to be made for every request. The
   * option `principal` of an operation is the same for that operation alone.
   *
   * - A principal has connections of its own, at most `size` of them, with a queue of its own. How many
   *   principals may have some is said by `principals`.
   * - Shared are the sockets, the circuit breaker, and which targets are ejected because they cannot be
   *   reached. `stats` of the pool counts what all principals do.
   * - Credentials that a target refuses eject nothing: the call fails at once.
   * - `close()` of the view closes the principal's connections, `close()` of the pool all of them.
   *
   * @throws TypeError for a name that is none, for credentials that cannot be sent, and for
   * credentials where no target is reached by HTTP.
   */
  as(principal: string, credentials?: PrincipalCredentials): LongwirePool<Tools>;
  /** Listens; the function returned stops listening. */
  on<Event extends keyof PoolEvents>(
    event: Event,
    listener: (payload: PoolEvents[Event]) => void,
  ): () => void;
  /**
   * Waits for the next event of a kind.
   *
   * @throws LongwireError `aborted`, `timeout`, or `closed` when it is closed meanwhile.
   */
  once<Event extends keyof PoolEvents>(
    event: Event,
    options?: OnceOptions,
  ): Promise<PoolEvents[Event]>;
}
