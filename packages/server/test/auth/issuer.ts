import {
  SignJWT,
  exportJWK,
  generateKeyPair,
  type CryptoKey,
  type JWK,
  type JWTPayload,
} from 'jose';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { open } from './app.ts';

export const AUDIENCE = 'https://mcp.example/mcp';

export interface Key {
  readonly id: string;
  readonly algorithm: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export async function makeKey(id: string, algorithm = 'ES256'): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), kid: id, alg: algorithm, use: 'sig' };
  return { id, algorithm, privateKey, publicJwk };
}

/** An authorization server, as far as its keys go. */
export interface Issuer {
  readonly url: string;
  readonly jwks: string;
  readonly key: Key;
  /** The keys that are published. */
  keys: JWK[];
  /** Answers instead of the keys. */
  answer: ((response: ServerResponse) => void) | undefined;
  /** How often the keys were fetched. */
  fetches: number;
  /** A token that is good unless the claims or the header say otherwise; undefined leaves a claim out. */
  token(
    claims?: JWTPayload,
    header?: { alg?: string; kid?: string; typ?: string },
    key?: Key,
  ): Promise<string>;
  close(): Promise<void>;
}

export async function startIssuer(algorithm = 'ES256'): Promise<Issuer> {
  const key = await makeKey('first', algorithm);
  const server = createServer((_request, response) => {
    issuer.fetches += 1;
    if (issuer.answer) return issuer.answer(response);
    response.setHeader('content-type', 'application/json');
    return response.end(JSON.stringify({ keys: issuer.keys }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  open.push(close);
  const issuer: Issuer = {
    url,
    jwks: `${url}/jwks.json`,
    key,
    keys: [key.publicJwk],
    answer: undefined,
    fetches: 0,
    token: (claims = {}, header = {}, by = key) => {
      const now = Math.floor(Date.now() / 1_000);
      const defaults = { iss: url, aud: AUDIENCE, sub: 'ada', iat: now, exp: now + 600 };
      return new SignJWT({ ...defaults, ...claims })
        .setProtectedHeader({ alg: by.algorithm, kid: by.id, ...header })
        .sign(by.privateKey);
    },
    close,
  };
  return issuer;
}

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}
