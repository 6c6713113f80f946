import { extractWWWAuthenticateParams } from '@modelcontextprotocol/client';

/** What a `WWW-Authenticate` header says about OAuth. */
export type Challenge = ReturnType<typeof extractWWWAuthenticateParams>;

/** Reads the challenge from the headers of a response; empty if there is none. */
export function readChallenge(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Challenge {
  const challenges = [headers['www-authenticate'] ?? []].flat();
  // The first of OAuth: a server may offer other schemes, even in the same header.
  const ofOAuth = challenges
    .map((value) => /(?:^|,)\s*((?:bearer|dpop)\s.*)$/i.exec(value)?.[1])
    .find((value) => value !== undefined);
  if (ofOAuth === undefined) return {};
  return extractWWWAuthenticateParams(
    new Response(null, { headers: { 'www-authenticate': ofOAuth } }),
  );
}
