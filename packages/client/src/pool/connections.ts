import { AsyncResource } from 'node:async_hooks';
import { LongwireClient } from '../client/client.js';
import { Idle } from '../client/idle.js';
import { Learned } from '../client/learned.js';
import type { ClientOptions } from '../client/types.js';
import { place } from '../channels/place.js';
import type { ConnectionState } from '../connection/state.js';
import type { LongwireError } from '../errors.js';
import { parseTarget, type TargetOption } from '../target/target.js';
import type { Backend, Member, PoolTicket } from './backend.js';
import { choose } from './choice.js';
import { LeaveOut } from './leave-out.js';
import type { ResolvedPoolOptions } from './options.js';

/** Who is told what becomes of the connections. */
export interface ConnectionsHandlers {
  /** There is a new one, which is not dialled yet. */
  onOpened: (member: Member) => void;
  /** One has come, gone, or changed. */
  onChange: () => void;
  /** A call that waits may be given a connection now. */
  onRoom: () => void;
}

/** From best to worst. */
const RANK: readonly ConnectionState['name'][] = [
  'ready',
  'connecting',
  'idle',
  'reconnecting',
  'resting',
  'closed',
];

/** The connections of a pool: made when a call needs one, and closed when idle or lost for good. */
export class Connections {
  readonly backends: readonly Backend[];
  readonly #options: ResolvedPoolOptions;
  readonly #handlers: ConnectionsHandlers;
  readonly #learned = new Learned();
  /** Where its clients are made, whichever call it is that needs one. */
  readonly #scope = new AsyncResource('longwire.pool');
  readonly #closings = new Set<Promise<void>>();
  #uses = 0;
  /** Why there is none, if the last one failed. */
  #down: ConnectionState | undefined;

  /** @throws TypeError for a target or an option that is wrong. */
  constructor(
    targets: readonly TargetOption[],
    options: ResolvedPoolOptions,
    handlers: ConnectionsHandlers,
  ) {
    this.#options = options;
    this.#handlers = handlers;
    this.backends = targets.map((target) => {
      // Says at once what is wrong.
      const { name } = new LongwireClient(target, options.client);
      const parsed = parseTarget(target);
      return {
        target,
        name,
        label: parsed.kind === 'url' ? place(parsed.url) : parsed.name,
        leaveOut: new LeaveOut(options.leaveOutMs),
        members: new Set(),
        usedAt: 0,
        wasReached: false,
        failed: 0,
      };
    });
  }

  get all(): Member[] {
    return this.backends.flatMap(({ members }) => [...members]);
  }

  /** Where the best of them stands. */
  get state(): ConnectionState {
    const states = this.all.map(({ client }) => client.state);
    const [best] = states.sort((a, b) => RANK.indexOf(a.name) - RANK.indexOf(b.name));
    return best ?? this.#down ?? { name: 'idle' };
  }

  /** Gives a call a connection, if it need not wait for one. */
  take(ticket: PoolTicket): Member | undefined {
    const { size, maxPerConnection } = this.#options;
    const rules = { size, maxPerConnection, now: performance.now() };
    const choice = choose(this.backends, ticket.tried, rules);
    if (choice === undefined) return undefined;
    if ('dial' in choice && choice.instead !== undefined) this.#takeOut(choice.instead);
    const member = 'dial' in choice ? this.#open(choice.dial) : choice.take;
    ticket.call = undefined;
    ticket.isWithdrawn = false;
    ticket.onPutOff = (error) => this.#putOff(member, ticket, error);
    member.tickets.add(ticket);
    member.idle.begin();
    member.usedAt = member.backend.usedAt = ++this.#uses;
    return member;
  }

  /** A call has ended on its connection. */
  release(member: Member, ticket: PoolTicket): void {
    member.tickets.delete(ticket);
    if (!member.isOut) member.idle.end();
  }

  /** Whether a call that was not sent may get a connection yet, now or later. */
  mayServe({ tried }: PoolTicket): boolean {
    return this.backends.some((backend) => !tried.has(backend) || backend.members.size > 0);
  }

  /** Closes all; fulfilled when nothing is left open. */
  async close(): Promise<void> {
    this.#down = undefined;
    for (const member of this.all) this.#takeOut(member);
    await Promise.all(this.#closings);
  }

  #open(backend: Backend): Member {
    const options = this.#clientOptions(backend);
    const client = this.#scope.runInAsyncScope(
      () => new LongwireClient(backend.target, options, this.#learned),
    );
    const member: Member = {
      backend,
      client,
      tickets: new Set(),
      idle: new Idle(this.#options.idleMs, () => {
        this.#takeOut(member);
        this.#handlers.onChange();
        this.#handlers.onRoom();
      }),
      usedAt: 0,
      wasReady: false,
      isOut: false,
    };
    client.on('state', (state) => {
      if (!member.isOut) this.#changed(member, state);
    });
    backend.members.add(member);
    this.#down = undefined;
    this.#handlers.onOpened(member);
    return member;
  }

  /** A server that was reached before is dialled as persistently as after a loss, if there is no other. */
  #clientOptions({ wasReached }: Backend): ClientOptions {
    const { client } = this.#options;
    if (!wasReached || this.backends.length > 1) return client;
    return { ...client, retry: { firstConnect: true, ...client.retry } };
  }

  #changed(member: Member, state: ConnectionState): void {
    const { backend } = member;
    const isFree = member.tickets.size === 0;
    if (state.name === 'ready') {
      member.wasReady = backend.wasReached = true;
      backend.leaveOut.succeeded();
    } else if (state.name === 'reconnecting') {
      this.#moveOn(member);
    } else if (state.name === 'resting') {
      this.#fail(member, state.reason);
    } else if (state.name === 'closed') {
      this.#fail(member);
    }
    this.#handlers.onChange();
    // The calls of one that failed come first, and they learn of it in a moment.
    if (state.name === 'ready' || (member.isOut && isFree)) this.#handlers.onRoom();
  }

  #fail(member: Member, reason?: LongwireError): void {
    const { backend, wasReady } = member;
    this.#takeOut(member);
    backend.leaveOut.failed(performance.now());
    backend.failed++;
    if (reason === undefined) return;
    backend.lastError = reason;
    if (this.all.length === 0) this.#down = { name: 'resting', reason, known: wasReady };
  }

  /** What has not been sent on a connection that was lost goes where it need not wait. */
  #moveOn({ backend, tickets }: Member): void {
    for (const ticket of tickets) {
      if (this.#hasOther(ticket, backend)) ticket.isWithdrawn = ticket.call?.withdraw() === true;
    }
  }

  /** The server of a connection that looked sound cannot be reached. */
  #putOff(member: Member, ticket: PoolTicket, error: LongwireError): void {
    if (error.certainty !== 'not-sent' || !this.#hasOther(ticket, member.backend)) return;
    if (ticket.call?.withdraw() !== true) return;
    ticket.isWithdrawn = true;
    if (member.tickets.size > 1 || member.isOut) return;
    this.#fail(member, error);
    this.#handlers.onChange();
  }

  /** Whether a call may go to another target, which it has not tried and which is not left out. */
  #hasOther({ tried }: PoolTicket, backend: Backend): boolean {
    const now = performance.now();
    return this.backends.some(
      (other) => other !== backend && !tried.has(other) && other.leaveOut.until <= now,
    );
  }

  #takeOut(member: Member): void {
    member.isOut = true;
    member.idle.stop();
    member.backend.members.delete(member);
    const closing = member.client.close().finally(() => this.#closings.delete(closing));
    this.#closings.add(closing);
  }
}
