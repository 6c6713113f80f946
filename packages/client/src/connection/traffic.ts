import type { AsyncResource } from 'node:async_hooks';
import type {
  JSONRPCMessage,
  JSONRPCResponse,
  RequestId,
  Result,
} from '@modelcontextprotocol/client';
import type { CallMark } from './call-mark.js';
import { tooManyRequests } from './failures.js';
import type { Handshake } from './handshake.js';
import { Heartbeat } from './heartbeat.js';
import { Inbound } from './inbound.js';
import type { Ledger, LedgerRequest } from './ledger.js';
import type { Link } from './link.js';
import { LocalAnswers } from './local-answers.js';
import type { HeartbeatOptions, ResolvedConnectionOptions } from './options.js';
import { Outbound } from './outbound.js';
import { Restoration } from './restoration.js';
import type { RetryPolicy } from './retry.js';
import type { ServerRequests } from './server-requests.js';
import { SessionCheck } from './session-check.js';
import type { Standing } from './standing.js';

/** What traffic is made with. */
export interface TrafficOptions {
  /** Those of the connection. */
  options: Pick<ResolvedConnectionOptions, 'auth'>;
  ledger: Ledger;
  standing: Standing;
  handshake: Handshake;
  serverRequests: ServerRequests;
  retry: RetryPolicy;
  heartbeat: Required<HeartbeatOptions>;
  /** The link that requests go out on now; `undefined` while there is none. */
  link: () => Link | undefined;
  /** Whether the server has answered anything on this link. */
  isProven: () => boolean;
  /** Makes a request of the connection's own. */
  ask: (request: LedgerRequest, mark: CallMark) => Promise<Result>;
  /** Gives up a request of the connection's own. */
  giveUp: (mark: CallMark) => void;
  /** Takes what is for the program. */
  deliver: (message: JSONRPCMessage, scope?: AsyncResource) => void;
  /** Takes what is for nobody, and wrong. */
  report: (error: Error) => void;
  /** Told of every answer that says that the server is well. */
  onAnswered: (method: string) => void;
  /** Told that a link is dead. */
  onSilence: (link: Link) => void;
}

/** What goes over a line: out, in, and by itself. */
export class Traffic {
  readonly outbound: Outbound;
  readonly inbound: Inbound;
  readonly heartbeat: Heartbeat;
  readonly restoration: Restoration;
  readonly #serverRequests: ServerRequests;

  constructor(options: TrafficOptions) {
    const { ledger, standing, handshake, serverRequests, link } = options;
    this.#serverRequests = serverRequests;
    const sign = (mark: CallMark): Promise<Result> =>
      options.ask({ method: handshake.era === 'modern' ? 'server/discover' : 'ping' }, mark);
    const check = new SessionCheck({
      ping: sign,
      giveUp: options.giveUp,
      answersChallenges: options.options.auth?.onChallenge !== undefined,
    });
    this.inbound = new Inbound({
      ...options,
      check,
      returned: (entry, error, at) => this.outbound.judge(entry, error, at),
      onAnswer: ({ request, mark }, answer) => {
        // Of the connection's own requests only the heartbeat's says that the server is well.
        if (mark.internal !== true || mark.isProbe === true) options.onAnswered(request.method);
        if ('result' in answer && mark.internal !== true) standing.learn(request, answer.result);
      },
      // Whether it can be said or not, there is nothing to be done about it.
      refuse: ({ id }) =>
        void link()
          ?.say(tooManyRequests(id))
          .catch(() => {}),
    });
    this.restoration = new Restoration({
      ...options,
      isCurrent: (asked) => link() === asked,
      check,
    });
    const localAnswers = new LocalAnswers({
      ledger,
      standing,
      handshake,
      listening: this.restoration.listening,
      take: (answer) => this.inbound.take(answer),
    });
    this.outbound = new Outbound({
      ...options,
      check,
      envelope: () => localAnswers.envelope,
      answerHere: (entry) => localAnswers.answer(entry),
    });
    this.heartbeat = new Heartbeat({
      ...options,
      limits: options.heartbeat,
      ask: sign,
    });
  }

  /** The answer to a request of the server, under its own id; `undefined` if its session is gone. */
  answerUnderTheirId(answer: JSONRPCResponse): JSONRPCMessage | undefined {
    return this.#serverRequests.answer(answer as JSONRPCResponse & { id: RequestId });
  }

  /** The link is gone: nobody watches it, or listens on it. */
  stop(): void {
    this.heartbeat.stop();
    this.restoration.listening.stop();
  }
}
