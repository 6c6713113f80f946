import type { Client } from '@modelcontextprotocol/client';
import {
  principalConnectionOptions,
  resolveConnectionOptions,
  type Principal,
  type ResolvedConnectionOptions,
} from '../connection/resolve-options.js';
import { parseTarget, type Target, type TargetOption } from '../dial/target.js';
import type { Health, HealthOptions } from '../health/health.js';
import type { ClientStats } from '../health/stats.js';
import { SharedDispatchers } from '../http/dispatchers.js';
import { withDefaults } from '../options/option.js';
import {
  checkPrincipal,
  PRINCIPALS,
  checkPrincipalOption,
  type PrincipalCredentials,
  type PrincipalsOptions,
} from '../options/principal-options.js';
import { setPeer } from '../telemetry/peer.js';
import { ToolCatalog } from '../tools/catalog.js';
import { ServerClient } from './client.js';
import { ClientFacade, type SessionClient } from './client-facade.js';
import type { OnceOptions } from './next-event.js';
import { checkClientOptions } from './options.js';
import { PrincipalClient } from './principal-client.js';
import { markWithoutHeaders, Principals } from './principals.js';
import type { LogTap } from './tool-stream.js';
import type { CallTimeouts, ClientEvents, ClientOptions, OperationOptions } from './types.js';
import type { CloseOptions } from './under-way.js';

/** The client of a program: its own session, and those of its principals. See {@link LongwireClient}. */
export class ServiceClient extends ClientFacade {
  readonly trusted: boolean;
  readonly timeouts: CallTimeouts;
  readonly trustHints: boolean;
  readonly #target: Target;
  readonly #options: ClientOptions;
  readonly #connectionOptions: ResolvedConnectionOptions;
  readonly #own: ServerClient;
  #principals: Principals<SessionClient> | undefined;
  #sharedDispatchers: SharedDispatchers | undefined;

  /** Use `createClient` or `connect`. */
  constructor(
    target: TargetOption,
    options: ClientOptions = {},
    catalog: ToolCatalog = new ToolCatalog(),
  ) {
    super();
    checkClientOptions(options);
    this.#target = parseTarget(target);
    this.#options = options;
    const connectionOptions = resolveConnectionOptions(options, this.#target.kind, catalog.client);
    connectionOptions.name = options.name;
    connectionOptions.keepsScopes ||= options.handlers !== undefined;
    this.#connectionOptions = connectionOptions;
    if (this.#target.kind !== 'url') markWithoutHeaders(this);
    setPeer(this, this.#target, options.name);
    this.#own = new ServerClient({ target: this.#target, options, connectionOptions, catalog });
    this.trusted = this.#own.trusted;
    this.timeouts = this.#own.timeouts;
    this.trustHints = this.#own.trustHints;
  }

  get sdk(): Client {
    return this.#own.sdk;
  }

  get name(): string {
    return this.#own.name;
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

  as(principal: string, credentials?: PrincipalCredentials): PrincipalClient {
    checkPrincipal(principal, credentials, { hasHeaders: this.#target.kind === 'url' });
    this.#principals ??= new Principals<SessionClient>({
      options: this.#principalsOptions,
      create: (own) => this.createSession(own),
      shared: this.#own.shared,
    });
    const record = this.#principals.of(principal, credentials);
    const { underWay } = this.#own;
    return new PrincipalClient({ service: this, underWay, principals: this.#principals, record });
  }

  /**
   * Makes the client of a principal's session, over connections of its own. It shares with this one what
   * the program gave, and sockets with all others.
   */
  createSession(principal: Principal, catalog: ToolCatalog = new ToolCatalog()): ServerClient {
    this.#sharedDispatchers ??= new SharedDispatchers(this.#principalsOptions.maxSessions);
    const shared = { ...this.#connectionOptions, sharedDispatchers: this.#sharedDispatchers };
    const connectionOptions = principalConnectionOptions(shared, principal, catalog.client);
    // It is made for a call, and does not belong to it.
    const client = shared.scope.runInAsyncScope(
      () =>
        new ServerClient({
          target: this.#target,
          options: this.#options,
          connectionOptions,
          catalog,
          allTally: this.#own.tally,
        }),
    );
    client.on('error', this.#own.report);
    client.on('waiting', (waiting) => this.#own.shared.onWaiting?.(waiting));
    return client;
  }

  /** The subscription of a principal keeps its session. */
  override async subscribeResource(uri: string, options: OperationOptions = {}): Promise<void> {
    const view = this.#principalOf(options);
    await (view?.subscribeResource(uri, options) ?? super.subscribeResource(uri, options));
  }

  override async unsubscribeResource(uri: string, options: OperationOptions = {}): Promise<void> {
    const view = this.#principalOf(options);
    await (view?.unsubscribeResource(uri, options) ?? super.unsubscribeResource(uri, options));
  }

  on<Event extends keyof ClientEvents>(
    event: Event,
    listener: (payload: ClientEvents[Event]) => void,
  ): () => void {
    return this.#own.on(event, listener);
  }

  once<Event extends keyof ClientEvents>(
    event: Event,
    options?: OnceOptions,
  ): Promise<ClientEvents[Event]> {
    return this.#own.once(event, options);
  }

  get isClosing(): boolean {
    return this.#own.isClosing;
  }

  /** What its principals do is under way here, too. */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#own.underWay.close(options, async () => {
      await Promise.all([this.#own.closeNow(), this.#principals?.closeAll()]);
    });
  }

  protected get current(): SessionClient {
    return this.#own;
  }

  protected run<Options extends OperationOptions, T>(
    what: string,
    options: Options,
    run: (client: SessionClient, options: Options) => Promise<T>,
  ): Promise<T> {
    if (options.principal === undefined) return run(this.#own, options);
    return this.#runAs(what, options, run);
  }

  async #runAs<Options extends OperationOptions, T>(
    what: string,
    options: Options,
    run: (client: SessionClient, options: Options) => Promise<T>,
  ): Promise<T> {
    return (this.#principalOf(options) as PrincipalClient).run(what, options, run);
  }

  protected logsFor(options: OperationOptions): Pick<LogTap, 'open'> {
    return this.#principalOf(options)?.logsFor() ?? this.#own.logs;
  }

  /** The client as the principal that the options of an operation name, if they do. */
  #principalOf({ principal }: OperationOptions): PrincipalClient | undefined {
    if (principal === undefined) return undefined;
    checkPrincipalOption(principal);
    const { id, ...credentials } = principal;
    return this.as(id, credentials);
  }

  get #principalsOptions(): Required<PrincipalsOptions> {
    const { keepAlive, principals } = this.#options;
    return withDefaults(PRINCIPALS, { ...(keepAlive === false && { idleMs: 0 }), ...principals });
  }
}
