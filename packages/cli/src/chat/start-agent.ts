import Anthropic from '@anthropic-ai/sdk';
import { createAgent, type Agent } from '@longwire/agent';
import type { ToolSource } from '@longwire/client';
import type { Context } from '../context.js';
import { usageError } from '../command-error.js';
import { hasClaudeKey } from '../environment.js';
import { callLimits } from '../session.js';
import { createApproval } from './approval.js';

/** The default address of Claude; passed, so that the SDK reads no other. */
const defaultBaseUrl = 'https://api.anthropic.com';

/** Claude with the tools of the sources, or undefined if no key is set. */
export function startAgent(
  context: Context,
  sources: readonly ToolSource[],
  options: { model?: string | undefined; yes?: boolean | undefined },
): Agent | undefined {
  const {
    anthropicApiKey,
    anthropicAuthToken,
    anthropicBaseUrl = defaultBaseUrl,
    anthropicModel,
  } = context.environment;
  if (!hasClaudeKey(context.environment)) return undefined;
  if (!URL.canParse(anthropicBaseUrl)) {
    throw usageError(`ANTHROPIC_BASE_URL "${anthropicBaseUrl}" is not a URL`, { code: 'config' });
  }
  const anthropic = new Anthropic({
    // Only one of them: with both, the API would have to choose.
    apiKey: anthropicAuthToken === undefined ? (anthropicApiKey ?? null) : null,
    authToken: anthropicAuthToken ?? null,
    baseURL: anthropicBaseUrl,
  });
  const model = options.model ?? anthropicModel;
  return createAgent({
    clients: sources,
    anthropic,
    ...(model !== undefined && { model }),
    callOptions: callLimits(context),
    approve: createApproval(context, { yes: options.yes === true }),
  });
}
