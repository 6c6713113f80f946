import type { ServerResponse } from 'node:http';
import {
  startHttpFixture,
  type HttpFixture,
  type RecordedRequest,
} from '../../../../../test/support/http-fixture.ts';

/** Answers one request. */
export type Answer = (response: ServerResponse, request: RecordedRequest, origin: string) => void;

/** What is asked of an authorization server, and of the MCP server for its metadata. */
export type Asked = 'resource' | 'authority' | 'openid' | 'register' | 'authorize' | 'token';

/** An MCP server and its authorization server at one origin, that say what a test has them say. */
export interface ScriptedAuthority extends HttpFixture {
  /** The URL of the MCP server; nobody answers there. */
  readonly mcp: URL;
  /** What answers from now on. */
  readonly answers: Record<Asked, Answer>;
  /** What was asked, in order. */
  asked(): Asked[];
}

/** An answer of JSON, made for the origin. */
export function said(status: number, document: unknown): Answer {
  return (response, _request, origin) => {
    const text = JSON.stringify(document).replaceAll('ORIGIN', origin);
    response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  };
}

/** An answer without a body. */
export function status(code: number, headers: Record<string, string> = {}): Answer {
  return (response) => void response.writeHead(code, headers).end();
}

/** Metadata of an authorization server with which nothing is wrong. */
export const METADATA = {
  issuer: 'ORIGIN',
  authorization_endpoint: 'ORIGIN/authorize',
  token_endpoint: 'ORIGIN/token',
  registration_endpoint: 'ORIGIN/register',
  response_types_supported: ['code'],
  code_challenge_methods_supported: ['S256'],
};

/** Tokens with which nothing is wrong. */
export const TOKENS = { access_token: 'new', token_type: 'Bearer', refresh_token: 'next' };

/** Starts one; `answers` stand in place of those with which nothing is wrong. */
export async function startScriptedAuthority(
  answers: Partial<Record<Asked, Answer>> = {},
): Promise<ScriptedAuthority> {
  const all: Record<Asked, Answer> = {
    resource: said(200, { resource: 'ORIGIN/mcp', authorization_servers: ['ORIGIN'] }),
    authority: said(200, METADATA),
    openid: status(404),
    register: said(201, {
      client_id: 'registered',
      redirect_uris: ['http://127.0.0.1:9/callback'],
    }),
    authorize: (response, { url }, origin) => {
      const { searchParams } = new URL(url, origin);
      const back = new URL(searchParams.get('redirect_uri') ?? '');
      back.searchParams.set('state', searchParams.get('state') ?? '');
      back.searchParams.set('code', 'a-code');
      response.writeHead(302, { location: back.href }).end();
    },
    token: said(200, TOKENS),
    ...answers,
  };
  const fixture = await startHttpFixture((request, response) => {
    all[askedBy(request.url)](response, request, `http://${request.headers.host}`);
  });
  return {
    ...fixture,
    mcp: new URL('/mcp', fixture.origin),
    answers: all,
    asked: () => fixture.requests.map(({ url }) => askedBy(url)),
  };
}

function askedBy(url: string): Asked {
  if (url.includes('oauth-authorization-server')) return 'authority';
  if (url.includes('openid-configuration')) return 'openid';
  if (url.startsWith('/register')) return 'register';
  if (url.startsWith('/authorize')) return 'authorize';
  return url.startsWith('/token') ? 'token' : 'resource';
}
