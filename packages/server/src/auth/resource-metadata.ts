import { buildOAuthProtectedResourceMetadata } from '@modelcontextprotocol/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** What the metadata say, and where the server is reached. */
export interface ResourceMetadataOptions {
  /** The authorization server. */
  readonly issuer: string;
  /** The address of the mount as clients know it; undefined to take it from each request. */
  readonly publicUrl: URL | undefined;
  readonly scopesSupported: readonly string[];
  readonly name: string | undefined;
  readonly documentation: URL | undefined;
  /** Whether the issuer may have an address without TLS. */
  readonly allowHttp: boolean;
}

const WELL_KNOWN = '/.well-known/oauth-protected-resource';
const METHODS = 'GET, HEAD, OPTIONS';
const HOST = /^(?:\[[0-9a-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i;

/**
 * The metadata of the protected resource, by RFC 9728: one document for each endpoint of the mount, because
 * some clients ask for exactly the address that they connect to.
 */
export class ResourceMetadata {
  readonly #options: ResourceMetadataOptions;
  /** How many segments the prefix of the application has: the documents are below it. */
  #appSegments = 0;

  /** @throws Error when the issuer is no address that the metadata may name. */
  constructor(options: ResourceMetadataOptions) {
    this.#options = options;
    this.#document(options.publicUrl ?? new URL('http://localhost'));
  }

  /** Where a client of this request finds the document; undefined if its own address is not clear. */
  urlFor(request: FastifyRequest): string | undefined {
    const resource = this.#resourceOf(request);
    if (resource === undefined) return undefined;
    // The document is below the application, as all of its routes are.
    const [head] = this.#split(requestPath(request));
    const isPublic = this.#options.publicUrl !== undefined;
    const path = isPublic ? resource.pathname : this.#split(resource.pathname)[1];
    const url = new URL(resource);
    url.pathname = `${head}${WELL_KNOWN}${path}`;
    return url.href;
  }

  /** Adds the routes, which need no credentials. Pages of any origin may read what they answer. */
  register(app: FastifyInstance, { prefix }: { readonly prefix: string }): void {
    this.#appSegments = app.prefix.split('/').filter((segment) => segment !== '').length;
    const mount = prefix.replace(/\/+$/, '');
    const { publicUrl } = this.#options;
    const mounts = new Set([mount, ...(publicUrl ? [pathOf(publicUrl)] : [])]);
    const endpoints = [...mounts].flatMap((path) => [`${path}/mcp`, `${path}/sse`]);
    // Clients of 2025-06-18 may ask for the root alone.
    if (!mount.includes(':')) endpoints.push('');
    for (const endpoint of endpoints) {
      const url = `${WELL_KNOWN}${endpoint}`;
      if (app.hasRoute({ method: 'GET', url: `${app.prefix}${url}` })) continue;
      app.get(url, (request, reply) => this.#answer(request, reply, mount));
      app.options(url, answerPreflight);
    }
  }

  #answer(request: FastifyRequest, reply: FastifyReply, mount: string): FastifyReply {
    const path = requestPath(request);
    const asked = path.slice(path.indexOf(WELL_KNOWN) + WELL_KNOWN.length).replace(/\/+$/, '');
    const [head] = this.#split(path);
    const { publicUrl } = this.#options;
    const endpoint = asked.endsWith('/sse') ? '/sse' : '/mcp';
    const resource =
      publicUrl === undefined
        ? urlOf(request, `${head}${asked === '' ? `${mount}${endpoint}` : asked}`)
        : new URL(`${pathOf(publicUrl)}${endpoint}`, publicUrl);
    if (resource === undefined) return reply.code(400).send();
    return reply
      .headers({ 'access-control-allow-origin': '*', 'cache-control': 'no-store' })
      .send(this.#document(resource));
  }

  /**
   * A path as the client sent it, after the prefix of the application, which may have parameters.
   *
   * @returns the prefix, and what comes after it.
   */
  #split(path: string): [head: string, below: string] {
    const segments = path.split('/');
    const at = this.#appSegments + 1;
    return [segments.slice(0, at).join('/'), ['', ...segments.slice(at)].join('/')];
  }

  #document(resource: URL): Record<string, unknown> {
    const { issuer, scopesSupported, name, documentation, allowHttp } = this.#options;
    const document = buildOAuthProtectedResourceMetadata({
      // Of the authorization server's own metadata, only the issuer is used.
      oauthMetadata: {
        issuer,
        authorization_endpoint: issuer,
        token_endpoint: issuer,
        response_types_supported: ['code'],
      },
      resourceServerUrl: resource,
      ...(scopesSupported.length > 0 && { scopesSupported: [...scopesSupported] }),
      ...(name !== undefined && { resourceName: name }),
      ...(documentation && { serviceDocumentationUrl: documentation }),
      dangerouslyAllowInsecureIssuerUrl: allowHttp,
    });
    return { ...document, bearer_methods_supported: ['header'] };
  }

  /** The endpoint that a request belongs to: messages of HTTP+SSE belong to its stream. */
  #resourceOf(request: FastifyRequest): URL | undefined {
    const path = requestPath(request).replace(/\/+$/, '');
    const at = path.lastIndexOf('/');
    const endpoint = ['/sse', '/messages'].includes(path.slice(at)) ? '/sse' : '/mcp';
    const { publicUrl } = this.#options;
    if (publicUrl !== undefined) return new URL(`${pathOf(publicUrl)}${endpoint}`, publicUrl);
    return urlOf(request, `${path.slice(0, at)}${endpoint}`);
  }
}

/** Clients send `MCP-Protocol-Version` when they ask for the document, so browsers ask first. */
async function answerPreflight(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const asked = request.headers['access-control-request-headers'];
  reply.headers({
    allow: METHODS,
    'access-control-allow-origin': '*',
    'access-control-allow-methods': METHODS,
    ...(asked !== undefined && {
      'access-control-allow-headers': asked,
      vary: 'Access-Control-Request-Headers',
    }),
  });
  await reply.code(204).send();
}

/** The path as the client sent it, before the application rewrote it, and without an address in front. */
function requestPath(request: FastifyRequest): string {
  const [url = ''] = request.originalUrl.split('?');
  return url.replace(/^(?:https?:\/\/[^/]*)?[/\\]+/i, '/');
}

/** The address of this path as the client reaches it. With `trustProxy`, that is the proxy's. */
function urlOf(request: FastifyRequest, path: string): URL | undefined {
  const { protocol, host } = request;
  // A parser of addresses takes more: quotes, and a name before an @.
  if (!/^https?$/.test(protocol) || !HOST.test(host)) return undefined;
  const text = `${protocol}://${host}${path}`;
  return URL.canParse(text) ? new URL(text) : undefined;
}

function pathOf(url: URL): string {
  return url.pathname.replace(/\/+$/, '');
}
