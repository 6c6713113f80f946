import type { Client } from '@modelcontextprotocol/client';
import { checkHealthOptions, type Health, type HealthOptions } from '../health/health.js';
import type { ClientStats } from '../health/stats.js';
import { Tally } from '../health/tally.js';
import { TrafficCounts } from '../http/traffic-counts.js';
import type { PrincipalCredentials } from '../options/principal-options.js';
import { ClientFacade, type SessionClient } from './client-facade.js';
import type { LongwireClient } from './contract.js';
import type { OnceOptions } from './next-event.js';
import { optionsOfView } from './options.js';
import { ofSamePrincipal, type PrincipalRecord, type Principals } from './principals.js';
import type { LogTap } from './tool-stream.js';
import type { CallTimeouts, ClientEvents, OperationOptions } from './types.js';
import { checkCloseOptions, type CloseOptions, type UnderWay } from './under-way.js';
import { ViewListeners } from './view-listeners.js';

/** What a {@link PrincipalClient} is made with. */
export interface PrincipalClientSettings {
  service: LongwireClient;
  /** What is under way in the service. */
  underWay: UnderWay;
  principals: Principals<SessionClient>;
  record: PrincipalRecord<SessionClient>;
}

/**
 * A client as one of its principals: see `client.as`. It holds nothing but who that is: whatever a
 * server gives to the principal is in the client of its session.
 */
export class PrincipalClient extends ClientFacade {
  readonly #service: LongwireClient;
  readonly #underWay: UnderWay;
  readonly #principals: Principals<SessionClient>;
  /** What ends each thing that this view began to listen to. */
  readonly #listeners: ViewListeners<SessionClient>;
  #latest: PrincipalRecord<SessionClient>;

  constructor({ service, underWay, principals, record }: PrincipalClientSettings) {
    super();
    this.#service = service;
    this.#underWay = underWay;
    this.#principals = principals;
    this.#listeners = new ViewListeners(principals);
    this.#latest = record;
  }

  get sdk(): Client {
    return this.#principals.sessionOf(this.#record).sdk;
  }

  get name(): string {
    return this.current?.name ?? this.#service.name;
  }

  get trusted(): boolean {
    return this.#service.trusted;
  }

  get timeouts(): CallTimeouts {
    return this.#service.timeouts;
  }

  get trustHints(): boolean {
    return this.#service.trustHints;
  }

  stats(): ClientStats {
    return this.current?.stats() ?? new Tally(new TrafficCounts()).read(0);
  }

  async health(options: HealthOptions = {}): Promise<Health> {
    checkHealthOptions(options);
    const client = this.current;
    if (client !== undefined) return client.health(options);
    const reason = 'the principal has no session now; its next call opens one';
    return { status: 'down', reason, latencyMs: undefined, uptimeMs: 0 };
  }

  as(principal: string, credentials?: PrincipalCredentials): LongwireClient {
    ofSamePrincipal(this.#latest.id, principal);
    return this.#service.as(principal, credentials);
  }

  override async subscribeResource(uri: string, options: OperationOptions = {}): Promise<void> {
    await this.run(`subscribing to ${uri}`, options, async (client, own) => {
      await client.subscribeResource(uri, own);
      this.#principals.subscribed(this.#record, uri);
    });
  }

  override async unsubscribeResource(uri: string, options: OperationOptions = {}): Promise<void> {
    await super.unsubscribeResource(uri, options);
    this.#principals.unsubscribed(this.#record, uri);
  }

  on<Event extends keyof ClientEvents>(
    event: Event,
    listener: (payload: ClientEvents[Event]) => void,
  ): () => void {
    return this.#listeners.listen(this.#record, (client) => client.on(event, listener));
  }

  once<Event extends keyof ClientEvents>(
    event: Event,
    options: OnceOptions = {},
  ): Promise<ClientEvents[Event]> {
    return this.#listeners.once(this.#record, options, (client, own) => client.once(event, own));
  }

  get isClosing(): boolean {
    return this.#service.isClosing || this.current?.isClosing === true;
  }

  /** What waits for a session has none that could be closed. */
  async close(options: CloseOptions = {}): Promise<void> {
    checkCloseOptions(options);
    const record = this.#record;
    const close = (): Promise<void> => this.#principals.close(record);
    await (record.session?.underWay.close(options, close) ?? close());
  }

  /** Others may act for the same principal: its session stays, and ends when it is idle. */
  override async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.end();
  }

  protected override get current(): SessionClient | undefined {
    return this.#record.session;
  }

  /** Also for a service that is told the principal by the options of an operation. */
  override async run<Options extends OperationOptions, T>(
    what: string,
    given: Options,
    run: (client: SessionClient, options: Options) => Promise<T>,
  ): Promise<T> {
    const asked = { what, options: optionsOfView(given, this) };
    return this.#underWay.run(what, () => this.#principals.run(this.#record, asked, run));
  }

  override logsFor(): Pick<LogTap, 'open'> {
    return {
      open: (take) => this.#listeners.listen(this.#record, (client) => client.logs.open(take)),
    };
  }

  get #record(): PrincipalRecord<SessionClient> {
    this.#latest = this.#principals.latest(this.#latest);
    return this.#latest;
  }
}
