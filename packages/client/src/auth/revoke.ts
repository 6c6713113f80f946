import type { OAuthClientProvider } from '@modelcontextprotocol/client';
import { processRevocationResponse, ResponseBodyError, revocationRequest } from 'oauth4webapi';
import type { AuthorityOptions } from './flow-requests.js';
import { endpointOf, openAuthority, requestParts, withReason } from './open-authority.js';

/**
 * Revokes the provider's tokens where its authorization server can
 * (https://www.rfc-editor.org/rfc/rfc7009). They go to the issuer that gave them alone.
 *
 * @returns whether the server revokes tokens.
 * @throws Error that says why they could not be revoked.
 */
export async function revokeTokens(
  provider: OAuthClientProvider,
  authority: AuthorityOptions,
  url: URL,
): Promise<boolean> {
  const tokens = await provider.tokens();
  if (tokens === undefined) return false;
  const opened = await openAuthority(authority, { url });
  const { issuer } = opened;
  if (tokens.issuer !== undefined && tokens.issuer !== issuer) {
    throw new Error(`they are of ${tokens.issuer}, and the server now names ${issuer}`);
  }
  const client = await provider.clientInformation({ issuer });
  if (endpointOf(opened, 'revocation_endpoint') === undefined || client === undefined) return false;
  const { server, clientAuth, request } = requestParts(opened, client);
  // The refresh token first: with it most servers end all that came of it.
  const each = [
    ['refresh_token', tokens.refresh_token],
    ['access_token', tokens.access_token],
  ] as const;
  for (const [hint, token] of each) {
    if (token === undefined) continue;
    const additionalParameters = new URLSearchParams({ token_type_hint: hint });
    const options = { ...request, additionalParameters };
    const answer = await revocationRequest(server, client, clientAuth, token, options);
    try {
      await processRevocationResponse(answer);
    } catch (error) {
      // A signed token cannot be taken back by every server. It ends by itself, soon.
      const isOther = !(error instanceof ResponseBodyError);
      if (isOther || error.error !== 'unsupported_token_type') throw withReason(error);
    }
  }
  return true;
}
