import { LongwireError, type ChallengeDecision, type OutgoingRequest } from '@longwire/client';
import { offeredLogin, type OAuth } from '@longwire/client/oauth';
import { CommandError } from '../command-error.js';
import type { Context } from '../context.js';
import type { NetworkOptions } from '../network.js';
import { sanitizeLine } from '../sanitize.js';
import { LoginError, LoginNeededError } from './login-error.js';
import { loginFlows } from './login-flows.js';
import { resourceOf, type Login } from './login-record.js';
import { LoginStore, type FoundLogin } from './login-store.js';
import { digestOf, renewApart } from './renew-apart.js';

/** How long it may take to find out where a server wants a login. */
const OFFER_MS = 8_000;

/** Headers of a response. */
type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The logins of one server, as its requests need them. */
export class TargetLogin {
  readonly #context: Context;
  readonly #target: string;
  readonly #network: NetworkOptions;
  readonly #store: LoginStore;
  /** By file. */
  readonly #flows = new Map<string, OAuth>();
  /** What was sent with each request. */
  readonly #sent = new WeakMap<OutgoingRequest, string>();
  /** The stream whose messages are sent elsewhere. */
  #streamUrl: URL | undefined;

  constructor(context: Context, target: string, network: NetworkOptions) {
    this.#context = context;
    this.#network = network;
    this.#target = target;
    this.#store = new LoginStore(context);
  }

  /** The token for a request; none for what is not below the resource of a login. */
  async headers(request: OutgoingRequest): Promise<Record<string, string>> {
    const headers = await this.#tokenFor(request).catch((cause: unknown): never => {
      // A file that is not used, a keychain that is locked: the message says it all.
      if (!(cause instanceof CommandError)) throw cause;
      throw new LoginError(cause.message, { certainty: 'not-sent', cause });
    });
    const { authorization } = headers;
    if (authorization !== undefined) {
      this.#context.requests.credentials = 'login';
      this.#sent.set(request, authorization);
    }
    return headers;
  }

  async #tokenFor(request: OutgoingRequest): Promise<Record<string, string>> {
    const login = this.#loginFor(request);
    return login === undefined ? {} : await this.#flowsOf(login).headers(request);
  }

  /**
   * Renews the token that was refused, once for all processes.
   *
   * @throws LoginNeededError where only a person can help.
   */
  async answer(
    status: 401 | 403,
    headers: Headers,
    request: OutgoingRequest,
  ): Promise<ChallengeDecision> {
    const login = this.#loginFor(request);
    if (login === undefined) {
      if (status === 401) await this.#offer(headers, request);
      return 'fail';
    }
    const flows = this.#flowsOf(login);
    const { bin, env, interruptions } = this.#context;
    const { signal } = interruptions;
    const sent = this.#sent.get(request);
    const mayRenew = status === 401 && request.attempt === 1 && sent !== undefined;
    try {
      // What could not be handed over by the disk is renewed here.
      if (mayRenew && bin !== undefined && this.#store.isWritable) {
        const { file } = login;
        const refused = digestOf(sent);
        return await renewApart(bin, env, {
          file,
          url: request.url.href,
          headers,
          refused,
          network: this.#network,
        });
      }
      const work = (): Promise<ChallengeDecision> => flows.onChallenge(status, headers, request);
      return await this.#store.locked(login, work, { signal });
    } catch (cause) {
      signal.throwIfAborted();
      if (cause instanceof LoginError || !(cause instanceof Error)) throw cause;
      const summary = cause instanceof LongwireError ? cause.summary : cause.message;
      const why = summary.replace(/^authorization failed: /, '');
      throw new LoginError(
        `the login for ${login.facts.resource} could not be renewed: ${sanitizeLine(why)}`,
        { hint: 'it is kept: try again later', cause },
      );
    }
  }

  #loginFor(request: OutgoingRequest): FoundLogin | undefined {
    const { method, transport, url } = request;
    if (method === 'GET') this.#streamUrl = url;
    const isMessage = method === 'POST' && transport !== 'streamable-http' && !this.#isAsked(url);
    // Messages of HTTP+SSE go where its stream says, which is of the same origin.
    return this.#store.covering(isMessage ? (this.#streamUrl ?? url) : url);
  }

  /** Whether detection asks there by itself. */
  #isAsked(url: URL): boolean {
    const target = resourceOf(this.#target);
    return [target, `${target}/mcp`].includes(resourceOf(url));
  }

  #flowsOf(login: FoundLogin): OAuth {
    const { file, facts } = login;
    let flows = this.#flows.get(file);
    if (flows === undefined) {
      flows = loginFlows(this.#store, login, {
        network: this.#network,
        onSecrets: (used) => this.#learn(used),
        onUnkept: ({ message }) =>
          this.#context.terminal.remarkOnce(
            sanitizeLine(
              `The new token for ${facts.resource} could not be kept (${message}): it lasts for this command, and the next one may need a new login`,
            ),
          ),
      });
      this.#flows.set(file, flows);
    }
    return flows;
  }

  #learn({ secrets: { client, tokens } }: Login): void {
    const { redactor } = this.#context;
    for (const secret of [
      client.client_secret,
      tokens?.access_token,
      tokens?.refresh_token,
      tokens?.id_token,
    ]) {
      redactor.add(secret);
    }
  }

  /** @throws LoginNeededError where the server says that it has a login. */
  async #offer(headers: Headers, { url }: OutgoingRequest): Promise<void> {
    const offered = await offeredLogin(url, headers, { timeoutMs: OFFER_MS, ...this.#network });
    if (offered === undefined) return;
    const target = resourceOf(this.#target);
    throw new LoginNeededError(`${target} wants a login at ${sanitizeLine(offered.issuer)}`, {
      target,
    });
  }
}
