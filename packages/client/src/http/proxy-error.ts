import { displayProxy, type Proxy, type UnusableProxy } from './proxy.js';

/** The proxy, and not the server, is why there is no connection. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
  readonly hint: string;
  /** What the proxy answered, if it did. */
  readonly status: number | undefined;

  constructor(
    message: string,
    { hint, status, cause }: { hint: string; status?: number | undefined; cause?: unknown },
  ) {
    super(message, { cause });
    this.hint = hint;
    this.status = status;
  }
}

/** It is not reached. `reason` is in words. */
export function proxyUnreached(
  proxy: Proxy,
  { reason, advice, cause }: { reason: string; advice?: string | undefined; cause: Error },
): ProxyError {
  const hint = advice ?? `start it, or correct ${setting(proxy)}`;
  return new ProxyError(`the proxy ${displayProxy(proxy)} cannot be used: ${reason}`, {
    hint,
    cause,
  });
}

/** What was named cannot be a proxy. */
export function proxyUnusable({ unusable, namedBy }: UnusableProxy): ProxyError {
  return new ProxyError(`${namedBy}: ${unusable}`, { hint: `correct ${namedBy}, or unset it` });
}

/** It answered a request for a way to a server with an error. `offered` is its `Proxy-Authenticate`. */
export function proxyRefused(
  proxy: Proxy,
  { status, host, offered = [] }: { status: number; host: string; offered?: readonly string[] },
): ProxyError {
  const name = `the proxy ${displayProxy(proxy)}`;
  if (status === 407) return wantsPassword(proxy, name, offered);
  // As tinyproxy answers to a wrong password.
  if (status === 401 && proxy.authorization !== undefined) {
    return takesNoPassword(proxy, name, status);
  }
  if (status >= 500) {
    return new ProxyError(`${name} does not reach ${host} (${status})`, {
      hint: 'check the address of the server: the proxy looks its name up, and connects to it',
      status,
    });
  }
  return new ProxyError(`${name} refuses a way to ${host} (${status})`, {
    hint:
      'ask whoever runs the proxy to allow this host and port (many allow port 443 alone), or leave the ' +
      'host out by NO_PROXY if it is reached without the proxy',
    status,
  });
}

function wantsPassword(proxy: Proxy, name: string, offered: readonly string[]): ProxyError {
  const status = 407;
  const schemes = [...new Set(offered.flatMap((each) => /^[a-z]+/i.exec(each)?.[0] ?? []))];
  if (schemes.length > 0 && !schemes.some((scheme) => scheme.toLowerCase() === 'basic')) {
    return new ProxyError(`${name} wants a login by ${schemes.join(' or ')} (${status})`, {
      hint: 'only a user name and a password can be given: use a local proxy that logs in so, such as cntlm or px',
      status,
    });
  }
  if (proxy.authorization !== undefined) return takesNoPassword(proxy, name, status);
  return new ProxyError(`${name} wants a user name and a password (${status})`, {
    hint: `write a user name, a colon, the password and an @ before the host in ${setting(proxy)}`,
    status,
  });
}

function takesNoPassword(proxy: Proxy, name: string, status: number): ProxyError {
  return new ProxyError(`${name} does not take the user name and the password (${status})`, {
    hint: `correct them in ${setting(proxy)}; write characters such as @ and : as %40 and %3A`,
    status,
  });
}

/** What names it, for a hint. */
function setting({ namedBy }: Proxy): string {
  return namedBy === 'proxy' ? 'its address' : namedBy;
}
