import { AsyncResource } from 'node:async_hooks';
import { OperationsFacade } from '../client/operations-facade.js';
import type { OnceOptions } from '../client/next-event.js';
import { markWithoutHeaders, Principals } from '../client/principals.js';
import type { CallTimeouts, OperationOptions } from '../client/types.js';
import type { CloseOptions, UnderWay } from '../client/under-way.js';
import type { ConnectionState } from '../connection/state.js';
import type { Principal } from '../connection/resolve-options.js';
import { parseTarget, type TargetOption } from '../dial/target.js';
import { BreakerGate } from '../health/breaker-gate.js';
import type { Health, HealthOptions } from '../health/health.js';
import type { ClientStats } from '../health/stats.js';
import { withDefaults } from '../options/option.js';
import {
  checkPrincipal,
  checkPrincipalOption,
  PRINCIPALS,
  type PrincipalCredentials,
  type PrincipalOption,
  type PrincipalsOptions,
} from '../options/principal-options.js';
import { setPeer } from '../telemetry/peer.js';
import { resolvePoolOptions, type ResolvedPoolOptions } from './options.js';
import { PrincipalPool } from './principal-pool.js';
import { PoolSession } from './session.js';
import { knownTargets, type KnownTarget } from './target.js';
import type { PoolEvents, PoolOptions, PoolStatus } from './types.js';

/** The pool of a program: its own connections, and those of its principals. */
export class ConnectionPool extends OperationsFacade<PoolSession> {
  readonly timeouts: CallTimeouts;
  readonly #options: ResolvedPoolOptions;
  readonly #principalsOptions: Required<PrincipalsOptions>;
  readonly #targets: readonly KnownTarget[];
  /** Whether a target is reached by HTTP. */
  readonly #hasHeaders: boolean;
  readonly #gate: BreakerGate | undefined;
  readonly #own: PoolSession;
  /** Where sessions of principals are made, whichever call it is that needs one. */
  readonly #scope = new AsyncResource('longwire.pool');
  #principals: Principals<PoolSession> | undefined;

  /** Use {@link createPool}. */
  constructor(target: TargetOption | readonly TargetOption[], options: PoolOptions = {}) {
    super();
    const targets = Array.isArray(target) ? (target as TargetOption[]) : [target as TargetOption];
    if (targets.length === 0) throw new TypeError('a pool needs a target');
    this.#options = resolvePoolOptions(options);
    const { keepAlive, principals } = options;
    const short = keepAlive === false && { idleMs: 0 };
    this.#principalsOptions = withDefaults(PRINCIPALS, { ...short, ...principals });
    // Of several, the first stands for all.
    setPeer(this, parseTarget(targets[0] as TargetOption), options.name);
    this.#targets = knownTargets(targets, this.#options);
    this.#hasHeaders = targets.some((each) => parseTarget(each).kind === 'url');
    if (!this.#hasHeaders) markWithoutHeaders(this);
    const { breaker } = this.#options;
    this.#gate =
      breaker &&
      new BreakerGate({
        options: breaker,
        nameOf: () => this.name,
        onChange: (status) => this.#own.emit('breaker', status),
        onOpen: (errorOf) => {
          this.#own.refuse(errorOf);
          for (const session of this.#principals?.sessions ?? []) session.refuse(errorOf);
        },
      });
    this.#own = new PoolSession({
      targets: this.#targets,
      options: this.#options,
      gate: this.#gate,
    });
    this.timeouts = this.#own.timeouts;
  }

  get name(): string {
    return this.#own.name;
  }

  get trusted(): boolean {
    return this.#own.trusted;
  }

  get trustHints(): boolean {
    return this.#own.trustHints;
  }

  get state(): ConnectionState {
    return this.#own.state;
  }

  status(): PoolStatus {
    return this.#own.status();
  }

  stats(): ClientStats {
    const stats = this.#own.stats();
    const byPrincipals = this.#principals?.droppedAnswers ?? 0;
    const droppedAnswers = stats.droppedAnswers + byPrincipals;
    return { ...stats, droppedAnswers, principals: this.#principals?.open ?? 0 };
  }

  health(options?: HealthOptions): Promise<Health> {
    return this.#own.health(options);
  }

  as(principal: string, credentials?: PrincipalCredentials): PrincipalPool {
    checkPrincipal(principal, credentials, { hasHeaders: this.#hasHeaders });
    this.#principals ??= new Principals<PoolSession>({
      options: this.#principalsOptions,
      create: (own) => this.#createSession(own),
      shared: this.#own.shared,
    });
    const principals = this.#principals;
    const record = principals.of(principal, credentials);
    return new PrincipalPool({
      pool: this,
      targets: this.#targets,
      underWay: this.#underWay,
      principals,
      record,
    });
  }

  on<Event extends keyof PoolEvents>(
    event: Event,
    listener: (payload: PoolEvents[Event]) => void,
  ): () => void {
    return this.#own.on(event, listener);
  }

  once<Event extends keyof PoolEvents>(
    event: Event,
    options?: OnceOptions,
  ): Promise<PoolEvents[Event]> {
    return this.#own.once(event, options);
  }

  get isClosing(): boolean {
    return this.#own.isClosing;
  }

  /** What its principals do is under way here, too. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#underWay.close(options, async () => {
      await Promise.all([this.#own.closeNow(), this.#principals?.closeAll()]);
    });
  }

  protected run<Options extends OperationOptions, T>(
    what: string,
    options: Options,
    run: (session: PoolSession, options: Options) => Promise<T>,
  ): Promise<T> {
    if (options.principal === undefined) return run(this.#own, options);
    return this.#runAs(what, options, run);
  }

  async #runAs<Options extends OperationOptions, T>(
    what: string,
    options: Options,
    run: (session: PoolSession, options: Options) => Promise<T>,
  ): Promise<T> {
    const { principal } = options;
    checkPrincipalOption(principal);
    const { id, ...credentials } = principal as PrincipalOption;
    return this.as(id, credentials).run(what, options, run);
  }

  get #underWay(): UnderWay {
    return this.#own.underWay;
  }

  /** Makes the connections of a principal: it is made for a call, and does not belong to it. */
  #createSession(principal: Principal): PoolSession {
    const session = this.#scope.runInAsyncScope(
      () =>
        new PoolSession({
          targets: this.#targets,
          options: this.#options,
          gate: this.#gate,
          principal,
          allTally: this.#own.tally,
        }),
    );
    session.on('error', (error) => this.#own.emit('error', error));
    session.on('waiting', (waiting) => this.#own.emit('waiting', waiting));
    return session;
  }
}
