import type { Finding } from './examination.js';

/**
 * Which proxy the variables of the environment name for a URL. Longwire connects directly, so that one
 * that would be used by other programs is a warning: where only the proxy leads out, nothing else works.
 */
export function findProxy(url: URL, env: Readonly<Record<string, string | undefined>>): Finding {
  const scheme = url.protocol === 'https:' ? 'https_proxy' : 'http_proxy';
  const named = [scheme, 'all_proxy']
    .flatMap((name) => [name, name.toUpperCase()])
    .find((name) => (env[name] ?? '') !== '');
  if (named === undefined) return { detail: 'none is named by the environment' };
  const value = env[named] ?? '';
  const proxy = URL.canParse(value) ? new URL(value).host : 'what is no URL';
  const facts = { variable: named, proxy };
  if (isLeftOut(url, env['no_proxy'] ?? env['NO_PROXY'] ?? '')) {
    return { detail: `${named} names ${proxy}, and NO_PROXY leaves ${url.hostname} out`, facts };
  }
  return {
    status: 'warning',
    detail: `${named} names ${proxy}, which is not used: this command connects directly`,
    facts,
    hint: 'if only the proxy leads there, expect the address to be out of reach',
  };
}

/** `NO_PROXY`: names with all below them, or `*`; a port may follow. */
function isLeftOut({ hostname, port, protocol }: URL, noProxy: string): boolean {
  const ownPort = port || (protocol === 'https:' ? '443' : '80');
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
    .some((entry) => {
      const [, name = entry, wantedPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      if (wantedPort !== undefined && wantedPort !== ownPort) return false;
      const bare = name.replace(/^\*?\.?/, '');
      return name === '*' || hostname === bare || (bare !== '' && hostname.endsWith(`.${bare}`));
    });
}
