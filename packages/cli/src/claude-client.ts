import Anthropic from '@anthropic-ai/sdk';
import { networkFetch } from '@longwire/client/internal';
import { usageError } from './command-error.js';
import type { Context } from './context.js';
import { hasClaudeKey } from './environment.js';
import { networkForOthers, type NetworkContext } from './network.js';

/** The default address of Claude; passed, so that the SDK reads no other. */
const defaultBaseUrl = 'https://api.anthropic.com';

type ClaudeContext = Pick<Context, 'environment'> & NetworkContext;

/**
 * Claude with the key and the address of the environment, or undefined if no key is set. The key is
 * sent there and nowhere else.
 *
 * @throws LongwireError (usage) for an address that is none.
 */
export function createClaude(context: ClaudeContext): Anthropic | undefined {
  const { environment } = context;
  const { anthropicApiKey, anthropicAuthToken, anthropicBaseUrl = defaultBaseUrl } = environment;
  if (!hasClaudeKey(environment)) return undefined;
  if (!URL.canParse(anthropicBaseUrl)) {
    throw usageError(`ANTHROPIC_BASE_URL "${anthropicBaseUrl}" is not a URL`, { code: 'config' });
  }
  return new Anthropic({
    // Only one of them: with both, the API would have to choose.
    apiKey: anthropicAuthToken === undefined ? (anthropicApiKey ?? null) : null,
    authToken: anthropicAuthToken ?? null,
    baseURL: anthropicBaseUrl,
    fetch: networkFetch(networkForOthers(context)),
  });
}
