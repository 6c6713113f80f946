import { resolve } from 'node:path';
import type { ClientOptions } from '@longwire/client';
import { networkOptionsOf, ProxyRules, readTlsFiles } from '@longwire/client/internal';
import { usageError } from './command-error.js';
import type { Context } from './context.js';
import type { Redactor } from './redact.js';
import type { Server } from './target.js';

/** How servers are reached, as the library's clients, and its logins, take it. */
export type NetworkOptions = Pick<ClientOptions, 'proxy' | 'tls'>;

/** What of the context decides how servers are reached. */
export type NetworkContext = Pick<Context, 'options' | 'env' | 'cwd' | 'redactor'>;

/**
 * How a server is reached: as the command line says, else as its configuration does, else through the
 * proxy of the environment. A `.env` names no proxy: it may be somebody else's.
 *
 * @throws LongwireError (usage) for an option that cannot be used.
 */
export function networkFor(
  context: NetworkContext,
  configured: NetworkOptions = {},
): NetworkOptions {
  const { options, env } = context;
  const proxy = options.proxy ?? configured.proxy ?? 'environment';
  const tls = { ...configured.tls, ...ownTls(context) };
  return {
    ...(proxy !== 'none' && { proxy: proxy === 'environment' ? proxyVariables(env) : proxy }),
    ...(Object.keys(tls).length > 0 && { tls }),
  };
}

/**
 * How a server of the command line is reached.
 *
 * @throws as {@link networkFor}; LongwireError (code `config`) for files of its configuration.
 */
export function networkOf(
  context: NetworkContext,
  { config }: Pick<Server, 'config'>,
): NetworkOptions {
  if (config === undefined) return networkFor(context);
  const { proxy } = config.network;
  return networkFor(context, {
    ...networkOptionsOf(config),
    ...(proxy !== undefined && { proxy }),
  });
}

/**
 * How what is no MCP server is reached: as the command line and the environment say, without the
 * certificate that is for servers.
 */
export function networkForOthers(context: NetworkContext): NetworkOptions {
  const { proxy, tls: { ca } = {} } = networkFor(context);
  return { ...(proxy !== undefined && { proxy }), ...(ca !== undefined && { tls: { ca } }) };
}

/**
 * Checks the options of the command line, and tells the redactor the passwords of proxies.
 *
 * @throws LongwireError (usage) that says which is wrong.
 */
export function checkNetworkOptions(context: NetworkContext): void {
  const { options, env, redactor } = context;
  for (const proxy of [options.proxy, ...Object.values(proxyVariables(env))]) {
    if (proxy !== undefined) addProxy(redactor, proxy);
  }
  if (options.proxy !== undefined && options.proxy !== 'none') {
    try {
      ProxyRules.of(options.proxy, env);
    } catch (cause) {
      const message = (cause as Error).message.replace(/^proxy/, '--proxy');
      throw usageError(message, { cause });
    }
  }
  ownTls(context);
}

/** Tells the redactor the password in a proxy's address, if there is one. */
export function addProxy(redactor: Redactor, proxy: string): void {
  const address = proxy.includes('://') ? proxy : `http://${proxy}`;
  if (URL.canParse(address)) redactor.addUrl(new URL(address));
}

/** Read once: the files are those of one command. */
const read = new WeakMap<object, NetworkOptions['tls']>();

function ownTls({ options: { tls: files }, cwd }: NetworkContext): NetworkOptions['tls'] {
  if (files === undefined) return undefined;
  if (!read.has(files)) {
    const paths = Object.fromEntries(
      Object.entries(files).map(([name, path]) => [name, resolve(cwd, path)]),
    );
    try {
      read.set(
        files,
        readTlsFiles(paths, (name) => `--${name}`),
      );
    } catch (cause) {
      throw usageError((cause as Error).message, { cause });
    }
  }
  return read.get(files);
}

function proxyVariables(env: Context['env']): Readonly<Record<string, string | undefined>> {
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'].flatMap((name) => [
    name,
    name.toLowerCase(),
  ]);
  return Object.fromEntries(
    names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
}
