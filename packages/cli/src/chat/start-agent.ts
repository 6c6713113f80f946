import { createAgent, type Agent } from '@longwire/agent';
import type { ToolSource } from '@longwire/client';
import { createClaude } from '../claude-client.js';
import type { Context } from '../context.js';
import { callLimits } from '../session.js';
import { createApproval } from './approval.js';

/** Claude with the tools of the sources, or undefined if no key is set. */
export function startAgent(
  context: Context,
  sources: readonly ToolSource[],
  options: { model?: string | undefined; yes?: boolean | undefined },
): Agent | undefined {
  const anthropic = createClaude(context);
  if (anthropic === undefined) return undefined;
  const model = options.model ?? context.environment.anthropicModel;
  return createAgent({
    clients: sources,
    anthropic,
    ...(model !== undefined && { model }),
    callOptions: callLimits(context),
    approve: createApproval(context, { yes: options.yes === true }),
  });
}
