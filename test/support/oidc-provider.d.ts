/** What the tests use of `oidc-provider`, whose types are another package with all of Koa's. */
declare module 'oidc-provider' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  /** See https://github.com/panva/node-oidc-provider/blob/main/docs/README.md#configuration-options */
  export type Configuration = Readonly<Record<string, unknown>> & {
    findAccount?: (context: unknown, id: string) => unknown;
    interactions?: { url(context: unknown, interaction: { uid: string }): string };
    issueRefreshToken?: (
      context: unknown,
      client: { grantTypeAllowed(grant: string): boolean },
    ) => boolean;
  };

  export interface Grant {
    addOIDCScope(scope: string): void;
    addOIDCClaims(claims: readonly string[]): void;
    addResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
  }

  export interface Interaction {
    prompt: { name: string; details: Readonly<Record<string, unknown>> };
    params: Readonly<Record<string, unknown>>;
    session?: { accountId: string };
    grantId?: string;
  }

  export class Provider {
    constructor(issuer: string, configuration: Configuration);
    readonly Grant: {
      new (of: { accountId: string; clientId: string }): Grant;
      find(id: string): Promise<Grant | undefined>;
    };
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
    interactionFinished(
      request: IncomingMessage,
      response: ServerResponse,
      result: Readonly<Record<string, unknown>>,
      options?: { mergeWithLastSubmission: boolean },
    ): Promise<void>;
    on(
      event: 'grant.success',
      listener: (context: { oidc: { params?: Readonly<Record<string, unknown>> } }) => void,
    ): this;
    on(
      event: 'grant.error',
      listener: (context: unknown, error: Error & { error: string }) => void,
    ): this;
  }
}
