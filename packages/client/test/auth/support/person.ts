import type {
  OAuthClientMetadata,
  OAuthClientProvider,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';

/** What a person's programs keep. */
export interface PersonStore {
  client?: StoredOAuthClientInformation | undefined;
  tokens?: StoredOAuthTokens | undefined;
  verifier?: string;
}

/** A provider with a person who opens the authorization URL and comes back at once. */
export class Person implements OAuthClientProvider {
  readonly redirectUrl = 'http://127.0.0.1:9/callback';
  readonly clientMetadata: OAuthClientMetadata = {
    client_name: 'a test',
    redirect_uris: [this.redirectUrl],
    token_endpoint_auth_method: 'none',
  };
  /** Where they were led. */
  readonly ledTo: URL[] = [];
  /** The callback is used before `redirectToAuthorization` resolves. */
  onCallback: ((callback: URLSearchParams) => Promise<void>) | undefined;
  #states = 0;

  /** Of several processes of one person it is the same. */
  readonly store: PersonStore;

  constructor(store: PersonStore = {}) {
    this.store = store;
  }

  state(): string {
    return `state-${++this.#states}`;
  }

  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.store.client;
  }

  saveClientInformation(client: StoredOAuthClientInformation): void {
    this.store.client = client;
  }

  tokens(): StoredOAuthTokens | undefined {
    return this.store.tokens;
  }

  saveTokens(tokens: StoredOAuthTokens): void {
    this.store.tokens = tokens;
  }

  saveCodeVerifier(verifier: string): void {
    this.store.verifier = verifier;
  }

  codeVerifier(): string {
    return this.store.verifier ?? '';
  }

  invalidateCredentials(scope: 'all' | 'client' | 'tokens' | 'verifier' | 'discovery'): void {
    if (scope === 'tokens' || scope === 'all') this.store.tokens = undefined;
  }

  async redirectToAuthorization(url: URL): Promise<void> {
    this.ledTo.push(url);
    await this.onCallback?.(await this.callbackOf(url));
  }

  /** Goes to the authorization server, and brings what it gives back. */
  async callbackOf(url: URL): Promise<URLSearchParams> {
    const response = await fetch(url, { redirect: 'manual' });
    await response.body?.cancel();
    return new URL(response.headers.get('location') ?? '').searchParams;
  }
}
