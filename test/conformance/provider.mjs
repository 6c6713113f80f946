/**
 * A provider as a program would write one, for somebody who agrees to everything: it follows the
 * authorization server to its redirect, and returns what comes back.
 *
 * @implements {OAuthClientProvider}
 *
 * @typedef {import('@modelcontextprotocol/client').OAuthClientProvider} OAuthClientProvider
 * @typedef {import('@modelcontextprotocol/client').StoredOAuthClientInformation} ClientInformation
 * @typedef {import('@modelcontextprotocol/client').StoredOAuthTokens} Tokens
 */
export class AgreeingProvider {
  redirectUrl = 'http://127.0.0.1:9/callback';
  clientMetadata = {
    client_name: 'longwire-conformance',
    redirect_uris: [this.redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
  };
  /** @type {string | undefined} */
  clientMetadataUrl;
  /** Where callbacks go. @type {(callback: URLSearchParams) => Promise<void>} */
  onCallback = () => Promise.reject(new Error('a callback came before there was anybody for it'));
  /** @type {ClientInformation | undefined} */
  #client;
  /** @type {Tokens | undefined} */
  #tokens;
  #verifier = '';
  #states = 0;

  /** @param {{ client?: ClientInformation, clientMetadataUrl?: string }} [options] */
  constructor({ client, clientMetadataUrl } = {}) {
    this.#client = client;
    this.clientMetadataUrl = clientMetadataUrl;
  }

  state() {
    return `state-${++this.#states}`;
  }

  clientInformation() {
    return this.#client;
  }

  /** @param {ClientInformation} client */
  saveClientInformation(client) {
    this.#client = client;
  }

  tokens() {
    return this.#tokens;
  }

  /** @param {Tokens} tokens */
  saveTokens(tokens) {
    this.#tokens = tokens;
  }

  /** @param {string} verifier */
  saveCodeVerifier(verifier) {
    this.#verifier = verifier;
  }

  codeVerifier() {
    return this.#verifier;
  }

  /** @param {URL} url */
  async redirectToAuthorization(url) {
    const { headers } = await fetch(url, { redirect: 'manual' });
    await this.onCallback(new URL(headers.get('location') ?? '').searchParams);
  }

  /** @param {'all' | 'client' | 'tokens' | 'verifier' | 'discovery'} scope */
  invalidateCredentials(scope) {
    if (scope === 'all' || scope === 'client') this.#client = undefined;
    if (scope === 'all' || scope === 'tokens') this.#tokens = undefined;
  }
}
