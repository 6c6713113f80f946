import { extractWWWAuthenticateParams } from '@modelcontextprotocol/client';

/** What a `WWW-Authenticate` header says, as far as it concerns OAuth. */
export type Challenge = ReturnType<typeof extractWWWAuthenticateParams>;

/** Reads the challenge out of the headers of an answer; nothing is in it if there is none. */
export function readChallenge(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Challenge {
  const challenges = [headers['www-authenticate'] ?? []].flat();
  // The first one that OAuth knows: a server may offer other schemes beside it, in the same header too.
  const spoken = challenges
    .map((value) => /(?:^|,)\s*((?:bearer|dpop)\s.*)$/i.exec(value)?.[1])
    .find((value) => value !== undefined);
  if (spoken === undefined) return {};
  return extractWWWAuthenticateParams(
    new Response(null, { headers: { 'www-authenticate': spoken } }),
  );
}
