import type { LongwireError } from '../errors.js';
import type { Member, PoolTicket } from './backend.js';

/** A call that waits for a connection. */
export class Waiting {
  readonly ticket: PoolTicket;
  /** Fulfilled with the connection on which the call was entered. */
  readonly turn: Promise<Member>;
  /** The connection, once there is one. */
  member: Member | undefined;
  #resolve!: (member: Member) => void;
  #reject!: (error: LongwireError) => void;

  constructor(ticket: PoolTicket) {
    this.ticket = ticket;
    this.turn = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  give(member: Member): void {
    this.member = member;
    this.#resolve(member);
  }

  fail(error: LongwireError): void {
    this.#reject(error);
  }
}

/** Calls that wait, in order. One that could not be sent where it was given goes to the front. */
export class WaitingLine {
  readonly #waiting: Waiting[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  get first(): Waiting | undefined {
    return this.#waiting[0];
  }

  enter(ticket: PoolTicket): Waiting {
    const waiting = new Waiting(ticket);
    if (ticket.failure === undefined) this.#waiting.push(waiting);
    else this.#waiting.unshift(waiting);
    return waiting;
  }

  leave(waiting: Waiting): void {
    const index = this.#waiting.indexOf(waiting);
    if (index >= 0) this.#waiting.splice(index, 1);
  }

  /** Fails all of them. */
  failAll(error: LongwireError): void {
    for (const waiting of this.#waiting.splice(0)) waiting.fail(error);
  }
}
