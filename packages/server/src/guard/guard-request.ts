import type { FastifyRequest } from 'fastify';
import { quoted, repeatedHeader as repeated, wrongHost, wrongOrigin } from '../refusal.js';
import { SERVER_ERROR, type Refusal } from '../refusal.js';
import { isAllowedHost, isAllowedOrigin } from './allowed-hosts.js';
import type { ResolvedGuardOptions } from './guard-options.js';
import { logRefusal, type RefusalCause } from '../refusal-log.js';
import { repeatedHeader } from './repeated-header.js';

/**
 * Whether a request may come in at all, before anything else looks at it: its headers are
 * unambiguous, its `Host` and `Origin` are allowed. A refusal is logged.
 *
 * With `trustProxy`, both `Host` and `X-Forwarded-Host` must be allowed:
 *
 * - DNS rebinding: a page on this machine sends its own name in `Host`, any name in
 *   `X-Forwarded-Host`, and comes from 127.0.0.1, as a local proxy does. If the second replaced the
 *   first, it would be in.
 * - A proxy that rewrites `Host`: it takes requests for any name. Only `X-Forwarded-Host` still has the
 *   page's name, so `Host` alone would let it in.
 *
 * From an untrusted hop, `X-Forwarded-Host` is ignored.
 */
export function guardRequest(
  request: FastifyRequest,
  options: ResolvedGuardOptions,
): Refusal | undefined {
  const refused = check(request, options);
  if (refused === undefined) return undefined;
  const [refusal, cause] = refused;
  logRefusal(request, refusal, cause);
  return refusal;
}

function check(
  request: FastifyRequest,
  { allowedHosts, allowedOrigins }: ResolvedGuardOptions,
): [Refusal, RefusalCause] | undefined {
  const twice = repeatedHeader(request.raw.rawHeaders);
  if (twice !== undefined) return [repeated(twice), { reason: 'repeated header', header: twice }];
  const isAllowed = (host: string | undefined): boolean =>
    isAllowedHost(host, request.protocol, allowedHosts);
  const authority = request.headers[':authority'];
  const { origin, host: named } = request.headers;
  const host = typeof authority === 'string' ? authority : named;
  const forwarded = forwardedHost(request);
  // HTTP/2 allows both of them.
  for (const one of new Set([host, named ?? host])) {
    if (isAllowed(one)) continue;
    const isForwarded = forwarded !== undefined && isAllowed(forwarded.host);
    const refusal = isForwarded ? wrongHostOfProxy(one, forwarded) : wrongHost(one);
    const seen = { host: cut(one), forwardedHost: cut(forwarded?.host) };
    return [refusal, { reason: 'Host is not in allowedHosts', ...seen }];
  }
  if (forwarded?.isTrusted && !isAllowed(forwarded.host)) {
    const seen = { host: cut(host), forwardedHost: cut(forwarded.host) };
    return [
      wrongForwardedHost(forwarded.host),
      { reason: 'X-Forwarded-Host is not in allowedHosts', ...seen },
    ];
  }
  if (!isAllowedOrigin(origin, allowedOrigins)) {
    return [
      wrongOrigin(origin),
      { reason: 'Origin is not in allowedOrigins', origin: cut(origin) },
    ];
  }
  return undefined;
}

interface ForwardedHost {
  readonly host: string;
  /** `trustProxy` names the hop that sent it. */
  readonly isTrusted: boolean;
}

/** What the nearest hop says in `X-Forwarded-Host`: the last value, as Fastify reads it. */
function forwardedHost(request: FastifyRequest): ForwardedHost | undefined {
  const header = request.headers['x-forwarded-host'];
  if (header === undefined) return undefined;
  const host = String(header).split(',').at(-1)?.trim() ?? '';
  const { host: named, ':authority': authority } = request.headers;
  // Fastify takes it for the host of the request only from a hop that `trustProxy` names. Where both
  // are equal, the difference does not matter.
  const isTrusted = request.host === host && request.host !== (named ?? authority);
  return { host, isTrusted };
}

function wrongHostOfProxy(host: string | undefined, forwarded: ForwardedHost): Refusal {
  const why = forwarded.isTrusted
    ? 'It never replaces Host'
    : "It counts only from a sender that Fastify's trustProxy names, and never replaces Host";
  return {
    status: 403,
    code: SERVER_ERROR,
    message: `The Host ${quoted(host)} is not allowed, though X-Forwarded-Host is. ${why}: let the proxy pass Host on, or let the server's operator add this Host to allowedHosts`,
  };
}

function wrongForwardedHost(host: string): Refusal {
  return {
    status: 403,
    code: SERVER_ERROR,
    message: `The X-Forwarded-Host ${quoted(host)} is not allowed: the server's operator can add it to allowedHosts, or take its sender out of Fastify's trustProxy`,
  };
}

/** A client's text for the log, cut. */
function cut(text: string | undefined): string | undefined {
  return text?.slice(0, 200);
}
