import type {
  OAuthClientInformationContext,
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import { withTokens, type Login, type LoginFacts } from './login-record.js';
import type { FoundLogin, LoginStore } from './login-store.js';
import { LoginNeededError } from './login-error.js';

/** What is told of a login while it is used. */
export interface StoredProviderHandlers {
  /** Given each token before it is used. */
  onSecrets(login: Login): void;
  /** A new token could not be kept. */
  onUnkept(reason: Error): void;
}

/**
 * A login of the store for the flows of the library. Each token is read anew, because another process
 * may have renewed it. It never asks a person.
 */
export class StoredProvider implements OAuthClientProvider {
  readonly redirectUrl: string | undefined;
  readonly clientMetadata: OAuthClientMetadata;
  readonly #store: LoginStore;
  readonly #file: string;
  readonly #handlers: StoredProviderHandlers;
  readonly #facts: LoginFacts;
  /** What could not be written: the tokens, and those that they came of. */
  #unkept: { login: Login; insteadOf: string | undefined } | undefined;

  constructor(store: LoginStore, { file, facts }: FoundLogin, handlers: StoredProviderHandlers) {
    this.#store = store;
    this.#file = file;
    this.#facts = facts;
    this.#handlers = handlers;
    const { by } = facts;
    // Without one the SDK asks for tokens in the name of the program itself.
    this.redirectUrl = by === 'program' ? undefined : 'http://127.0.0.1/callback';
    this.clientMetadata = {
      redirect_uris: this.redirectUrl === undefined ? [] : [this.redirectUrl],
      grant_types:
        by === 'program' ? ['client_credentials'] : ['authorization_code', 'refresh_token'],
    };
  }

  async clientInformation(): Promise<StoredOAuthClientInformation | undefined> {
    return (await this.#login())?.secrets.client;
  }

  async tokens(): Promise<StoredOAuthTokens | undefined> {
    return (await this.#login())?.secrets.tokens;
  }

  async saveTokens(
    tokens: StoredOAuthTokens,
    context?: OAuthClientInformationContext,
  ): Promise<void> {
    const login = await this.#login();
    // It was forgotten meanwhile, and stays so.
    if (login === undefined) return;
    const issuer = tokens.issuer ?? context?.issuer ?? login.issuer;
    const insteadOf = login.secrets.tokens?.access_token;
    await this.#write(withTokens(login, { ...tokens, issuer }), insteadOf);
  }

  prepareTokenRequest(scope?: string): URLSearchParams | undefined {
    if (this.redirectUrl !== undefined) return undefined;
    const asked = { grant_type: 'client_credentials', ...(scope !== undefined && { scope }) };
    return new URLSearchParams(asked);
  }

  /** Only under the lock of the login, so that it never ends a token that is newer than the refusal. */
  async invalidateCredentials(scope: string): Promise<void> {
    if (scope !== 'tokens' && scope !== 'all' && scope !== 'client') return;
    const login = await this.#login();
    if (login !== undefined) {
      await this.#write(withTokens(login, undefined), login.secrets.tokens?.access_token);
    }
    throw this.#needed('the last one has ended');
  }

  /** Nothing of a login goes to another issuer than its own. */
  saveDiscoveryState({ authorizationServerMetadata: metadata }: OAuthDiscoveryState): void {
    const { issuer } = this.#facts;
    if (metadata === undefined || metadata.issuer === issuer) return;
    throw this.#needed(`the last one was at ${issuer}`, { issuer: metadata.issuer });
  }

  saveCodeVerifier(): void {
    // Nobody is led to the authorization server, so nothing is redeemed.
  }

  codeVerifier(): string {
    throw this.#needed('there is no code');
  }

  redirectToAuthorization(url: URL): void {
    const asked = url.searchParams.get('scope') ?? '';
    const granted = this.#facts.scope?.split(' ') ?? [];
    const isMore = asked.split(' ').some((scope) => scope !== '' && !granted.includes(scope));
    if (isMore && granted.length > 0) throw this.#needed(`it needs ${asked}`, { scope: asked });
    throw this.#needed('the last one has ended');
  }

  #needed(why: string, more: { scope?: string; issuer?: string } = {}): LoginNeededError {
    const { resource, target } = this.#facts;
    const { scope, issuer = this.#facts.issuer } = more;
    return new LoginNeededError(`${resource} wants a new login at ${issuer}: ${why}`, {
      target,
      scope,
    });
  }

  async #login(): Promise<Login | undefined> {
    const login = await this.#store.read({ file: this.#file });
    const unkept = this.#unkept;
    // Somebody else has renewed it, or ended it.
    const isSame = login?.secrets.tokens?.access_token === unkept?.insteadOf;
    const current = unkept !== undefined && isSame ? unkept.login : login;
    if (current !== undefined) this.#handlers.onSecrets(current);
    return current;
  }

  async #write(login: Login, insteadOf: string | undefined): Promise<void> {
    this.#handlers.onSecrets(login);
    try {
      await this.#store.write(login);
      this.#unkept = undefined;
    } catch (error) {
      this.#unkept = { login, insteadOf: this.#unkept?.insteadOf ?? insteadOf };
      this.#handlers.onUnkept(error instanceof Error ? error : new Error(String(error)));
    }
  }
}
