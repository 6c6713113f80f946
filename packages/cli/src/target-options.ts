import { isCredentialName } from '@longwire/client/internal';
import { usageError } from './command-error.js';
import type { CommonOptions } from './options.js';
import type { Server } from './target.js';

/**
 * Refuses options that do not apply to the servers, which would otherwise be ignored silently.
 *
 * @throws LongwireError (usage) that says which.
 */
export function checkTargetOptions(servers: readonly Server[], options: CommonOptions): void {
  if (servers.length === 0) return;
  const { headers, tls, transport, variables, directory, configFile, profile } = options;
  const hasUrl = servers.some(({ target }) => typeof target === 'string');
  const commands = servers.filter(({ target }) => typeof target !== 'string');
  const hasOwnCommand = commands.some(({ config }) => config === undefined);
  if (commands.length > 0 && transport !== undefined && transport !== 'stdio') {
    throw usageError(
      `--transport ${transport} is for a server at a URL: a command after -- is spoken to by stdio`,
    );
  }
  if (hasUrl && transport === 'stdio') {
    throw usageError(
      '--transport stdio is for a command, as in `longwire tools -- npx -y some-server`, and not for a URL',
    );
  }
  if (!hasUrl && Object.keys(headers).length > 0) {
    throw usageError(
      '--header is for a server at a URL: a command after -- gets what it needs by --env NAME=value',
    );
  }
  if (!hasUrl && tls?.cert !== undefined) {
    throw usageError('--cert is for a server at a URL, and not for a command after --');
  }
  refuseSharedCredentials(servers, options);
  if (servers.every(({ config }) => config === undefined)) {
    if (configFile !== undefined) throw usageError('--config is for a server that the file names');
    if (profile !== undefined) {
      throw usageError('--profile is for a server that a longwire.json names');
    }
  }
  if (hasOwnCommand) return;
  if (Object.keys(variables).length > 0) throw usageError('--env is for a command after --');
  if (directory !== undefined) throw usageError('--cwd is for a command after --');
}

/** `--header` is sent to every URL; credentials must not reach another server than the intended one. */
function refuseSharedCredentials(
  servers: readonly Server[],
  { headers, tls }: CommonOptions,
): void {
  const urls = servers.map(({ target }) => target).filter((target) => typeof target === 'string');
  const origins = new Set(urls.map((url) => new URL(url).origin));
  const name = Object.keys(headers).find(isCredentialName);
  const option = name === undefined ? tls?.cert && '--cert' : `--header ${name}`;
  if (origins.size < 2 || option === undefined) return;
  throw usageError(
    `${option} would go to ${origins.size} different servers: leave it out, or name one of them`,
  );
}
