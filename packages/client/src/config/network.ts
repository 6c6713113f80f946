import type { ClientOptions } from '../client/types.js';
import { LongwireError } from '../errors.js';
import { resolveTls } from '../http/tls-options.js';
import type { TlsOptions } from '../options/network-options.js';
import { readTextFile } from '../text-file.js';
import type { NetworkConfig, ServerConfig } from './types.js';

/** The files that TLS needs. */
export type TlsFiles = Pick<NetworkConfig, 'ca' | 'cert' | 'key' | 'passphrase'>;

/**
 * The options of a client by which a configured server is reached.
 *
 * @throws LongwireError (code `config`) for a file that cannot be read, and for what cannot be used of it;
 * it says where the server is written.
 */
export function networkOptionsOf({
  name,
  place,
  network,
}: Pick<ServerConfig, 'name' | 'place' | 'network'>): Pick<ClientOptions, 'proxy' | 'tls'> {
  const { proxy, ...files } = network;
  try {
    const tls = readTlsFiles(files, (key) => JSON.stringify(key));
    return {
      ...(proxy !== undefined && proxy !== 'none' && { proxy }),
      ...(tls !== undefined && { tls }),
    };
  } catch (error) {
    const { message } = error as Error;
    throw new LongwireError(`${place}: server ${JSON.stringify(name)}: ${message}`, {
      code: 'config',
      certainty: 'not-sent',
      cause: error,
    });
  }
}

/**
 * Reads the files, and checks that they go together; `undefined` without any. A certificate may have its
 * key in the same file. `named` is what a key is called in messages.
 *
 * @throws Error that says what is wrong with which. Nothing of what is in a file is shown.
 */
export function readTlsFiles(
  { passphrase, ...files }: TlsFiles,
  named: (key: keyof TlsFiles) => string,
): TlsOptions | undefined {
  const { ca, cert, key = cert } = files;
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  const read = (name: 'ca' | 'cert' | 'key', path: string): string => {
    try {
      return readTextFile(path);
    } catch (cause) {
      throw new Error(`${named(name)}: ${path} cannot be read: ${(cause as Error).message}`, {
        cause,
      });
    }
  };
  const tls: TlsOptions = {
    ...(ca !== undefined && { ca: read('ca', ca) }),
    ...(cert !== undefined && { cert: read('cert', cert) }),
    ...(key !== undefined && { key: read('key', key) }),
    ...(passphrase !== undefined && { passphrase }),
  };
  try {
    resolveTls(tls);
  } catch (cause) {
    const message = (cause as Error).message.replaceAll(
      /\btls\.(ca|cert|key|passphrase)\b/g,
      (_all, name: keyof TlsFiles) => named(name),
    );
    if (files.key === undefined && message.startsWith(`${named('key')}: there is no`)) {
      throw new Error(
        `${named('key')}: needed with ${named('cert')}, whose file has no private key`,
        {
          cause,
        },
      );
    }
    throw new Error(message, { cause });
  }
  return tls;
}
