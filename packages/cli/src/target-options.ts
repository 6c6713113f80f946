import { usageError } from './command-error.js';
import type { CommonOptions } from './options.js';
import type { Target } from './target.js';

/**
 * Refuses options that mean nothing to the targets, which would otherwise be ignored without a word.
 *
 * @throws LongwireError (usage) that says which.
 */
export function checkTargetOptions(targets: readonly Target[], options: CommonOptions): void {
  const { headers, transport, variables, directory } = options;
  const hasUrl = targets.some((target) => typeof target === 'string');
  const hasCommand = targets.some((target) => typeof target !== 'string');
  if (hasCommand && transport !== undefined && transport !== 'stdio') {
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
  if (hasCommand) return;
  if (Object.keys(variables).length > 0) throw usageError('--env is for a command after --');
  if (directory !== undefined) throw usageError('--cwd is for a command after --');
}
