import { randomBytes } from 'node:crypto';
import type {
  OAuthClientMetadata,
  OAuthClientProvider,
  OAuthDiscoveryState,
  StoredOAuthClientInformation,
  StoredOAuthTokens,
} from '@modelcontextprotocol/client';
import { resourceOf, withTokens, type Login } from './login-record.js';

/** How somebody logs in. */
export type Grant = 'browser' | 'device' | 'program';

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** What a login is made with. */
export interface NewLoginOptions {
  grant: Grant;
  /** Where the browser comes back to. */
  redirectUrl?: string | undefined;
  /** Of a client that is registered; or the https URL of its metadata. */
  clientId?: string | undefined;
  clientSecret?: string | undefined;
  /** Leads the person there, and resolves when the login is finished. */
  lead?: (url: URL, state: string) => Promise<void>;
}

/** A login that is being made: in memory, until it is whole. */
export class NewLogin implements OAuthClientProvider {
  readonly redirectUrl: string | undefined;
  readonly clientMetadata: OAuthClientMetadata;
  readonly clientMetadataUrl?: string;
  readonly #options: NewLoginOptions;
  #client: StoredOAuthClientInformation | undefined;
  #tokens: StoredOAuthTokens | undefined;
  #discovered: OAuthDiscoveryState | undefined;
  #state = '';
  #verifier = '';

  constructor(options: NewLoginOptions) {
    const { grant, redirectUrl, clientId, clientSecret } = options;
    this.#options = options;
    this.redirectUrl = redirectUrl;
    const isUrl = clientId?.startsWith('https://') === true;
    if (isUrl) this.clientMetadataUrl = clientId;
    else if (clientId !== undefined) {
      const secret = clientSecret === undefined ? {} : { client_secret: clientSecret };
      this.#client = { client_id: clientId, ...secret };
    }
    const first = { browser: 'authorization_code', device: DEVICE_GRANT, program: undefined }[
      grant
    ];
    this.clientMetadata = {
      client_name: 'longwire',
      client_uri: 'https://github.com/longwire/longwire',
      redirect_uris: redirectUrl === undefined ? [] : [redirectUrl],
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      grant_types: first === undefined ? ['client_credentials'] : [first, 'refresh_token'],
      response_types: grant === 'browser' ? ['code'] : [],
    };
  }

  /** Where the login is, once that is known. */
  get issuer(): string | undefined {
    return this.#discovered?.authorizationServerMetadata?.issuer;
  }

  /** Whether the issuer says who it is with each code (https://www.rfc-editor.org/rfc/rfc9207). */
  get sendsIssuer(): boolean {
    const metadata: { authorization_response_iss_parameter_supported?: unknown } =
      this.#discovered?.authorizationServerMetadata ?? {};
    return metadata.authorization_response_iss_parameter_supported === true;
  }

  state(): string {
    return (this.#state = randomBytes(32).toString('base64url'));
  }

  clientInformation(): StoredOAuthClientInformation | undefined {
    return this.#client;
  }

  saveClientInformation(client: StoredOAuthClientInformation): void {
    this.#client = client;
  }

  tokens(): StoredOAuthTokens | undefined {
    return this.#tokens;
  }

  saveTokens(tokens: StoredOAuthTokens): void {
    this.#tokens = tokens;
  }

  saveCodeVerifier(verifier: string): void {
    this.#verifier = verifier;
  }

  codeVerifier(): string {
    return this.#verifier;
  }

  discoveryState(): OAuthDiscoveryState | undefined {
    return this.#discovered;
  }

  /** @throws Error where the client's id is a URL, and the server takes none. */
  saveDiscoveryState(discovered: OAuthDiscoveryState): void {
    const metadata = discovered.authorizationServerMetadata;
    const takesUrls = metadata?.client_id_metadata_document_supported === true;
    if (this.clientMetadataUrl !== undefined && !takesUrls) {
      throw new Error(
        `${metadata?.issuer ?? 'the server'} takes no URL as --client-id: leave it out, or give the id of a client that is registered there`,
      );
    }
    this.#discovered = discovered;
  }

  prepareTokenRequest(scope?: string): URLSearchParams | undefined {
    if (this.#options.grant !== 'program') return undefined;
    const asked = { grant_type: 'client_credentials', ...(scope !== undefined && { scope }) };
    return new URLSearchParams(asked);
  }

  async redirectToAuthorization(url: URL): Promise<void> {
    await this.#options.lead?.(url, this.#state);
  }

  /** The login of the endpoint `url`, as it is to be kept; `undefined` as long as there are no tokens. */
  whole({ url, target }: { url: URL; target: string }): Login | undefined {
    const issuer = this.#tokens?.issuer ?? this.issuer;
    if (this.#tokens === undefined || this.#client === undefined || issuer === undefined) {
      return undefined;
    }
    const login: Login = {
      resource: resourceOf(this.#discovered?.resourceMetadata?.resource ?? url),
      url: resourceOf(url),
      target: resourceOf(target),
      issuer,
      by: this.#options.grant === 'program' ? 'program' : 'person',
      isRenewable: false,
      hasEnded: false,
      secrets: { client: { ...this.#client, issuer } },
    };
    return withTokens(login, { ...this.#tokens, issuer });
  }
}
