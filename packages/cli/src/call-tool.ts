import type { LongwireClient } from '@longwire/client';
import type { CallToolResult } from '@modelcontextprotocol/client';
import { findTool, toolArguments } from './arguments/tool-arguments.js';
import type { Context } from './context.js';
import { showProgress, showSpinner } from './progress-display.js';
import { sanitizeLine } from './sanitize.js';
import { operationOptions } from './session.js';

/** A call as it was written on a command line or at the prompt. */
export interface WrittenCall {
  tool: string;
  words: readonly string[];
  json?: string | undefined;
}

/**
 * Checks a call against the tool's own schema, sends it, and shows its progress meanwhile. The
 * spelling of names, types and what is required is settled before anything is sent.
 */
export async function callWritten(
  context: Context,
  client: LongwireClient,
  { tool: name, words, json }: WrittenCall,
  options: { signal?: AbortSignal } = {},
): Promise<CallToolResult> {
  const { terminal, cwd } = context;
  const limits = { ...operationOptions(context), ...options };
  const listing = showSpinner(terminal, 'asking for the tools');
  const tools = await client.listTools(limits).finally(() => listing.stop());
  const tool = findTool(name, tools);
  const args = await toolArguments(tool, { words, json, cwd });
  const progress = showProgress(terminal, sanitizeLine(name));
  const stopLogging = client.on('notification', ({ method, params }) => {
    if (method !== 'notifications/message') return;
    const { level, logger, data } = params ?? {};
    const source = [level, logger].filter((part) => typeof part === 'string').join(' ');
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    terminal.detail(sanitizeLine(`${source}: ${text ?? ''}`));
  });
  try {
    return await client.callTool(name, args, {
      ...limits,
      onProgress: (report) => progress.update(report),
    });
  } finally {
    stopLogging();
    progress.stop();
  }
}
