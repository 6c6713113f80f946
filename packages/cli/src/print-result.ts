import { toJson, type CallToolResult } from '@longwire/client';
import type { ExitCode } from './exit-codes.js';
import type { JsonObject } from './json-object.js';
import { contentPart, resourcePart, resultParts, type Part } from './result-parts.js';
import { escapeControls, sanitize, sanitizeLine } from './sanitize.js';
import { formatSize, type MediaFolder } from './save-media.js';
import type { Terminal } from './terminal.js';

/** How parts of a result are shown. */
interface ShownWith {
  /** What files are named for. */
  tool: string;
  media: MediaFolder;
}

/** Prints a tool's result for people. A tool that reports an error: 1, with a remark that says so. */
export async function printResult(
  terminal: Terminal,
  result: CallToolResult,
  options: ShownWith,
): Promise<ExitCode> {
  for (const line of await describeResult(result, options)) terminal.print(line);
  return outcomeOf(terminal, result, `The tool ${sanitizeLine(options.tool)}`);
}

/** The exit code of a result, with a remark if it is an error. `who` has answered; sanitized. */
export function outcomeOf(terminal: Terminal, result: CallToolResult, who: string): ExitCode {
  if (result.isError !== true) return 0;
  terminal.remark(terminal.remarkColors.red(`${who} reported an error.`));
  return 1;
}

/**
 * A tool's result as lines for people: text as it is, images and audio saved to files and named,
 * links listed, structured content as indented JSON. All of it sanitized.
 */
export async function describeResult(
  result: CallToolResult,
  options: ShownWith,
): Promise<string[]> {
  return await describeParts(resultParts(result), options);
}

/** Parts of a result, each as {@link describeResult} says. */
export async function describeParts(parts: readonly Part[], options: ShownWith): Promise<string[]> {
  const lines: string[] = [];
  for (const part of parts) lines.push(await describePart(part, options));
  return lines;
}

/** One block of content, as a message of a prompt has it. */
export function describeContent(block: unknown, options: ShownWith): Promise<string> {
  return describePart(contentPart(block), options);
}

/** The content of one resource, under its address. */
export function describeResource(resource: JsonObject, options: ShownWith): Promise<string> {
  return describePart(resourcePart(resource), options);
}

async function describePart(part: Part, options: ShownWith): Promise<string> {
  switch (part.kind) {
    case 'text':
      return sanitize(part.text);
    case 'media':
      return shown(part.what, part, options);
    case 'link':
      return `${sanitizeLine(part.title)} <${sanitizeLine(part.uri)}>`.trim();
    case 'resource':
      return `<${sanitizeLine(part.uri)}>\n${sanitize(part.text).trimEnd()}`;
    case 'blob':
      return `<${sanitizeLine(part.uri)}> ${await shown('resource', part, options)}`;
    case 'json':
      return escapeControls(toJson(part.value, 2));
  }
}

/** Data, drawn where the terminal can, else saved to a file, which is named. */
async function shown(
  what: string,
  { data, mimeType }: { data: unknown; mimeType: string | undefined },
  { tool, media }: ShownWith,
): Promise<string> {
  if (typeof data !== 'string') return `${what} without data`;
  const { drawn, sizeBytes, path, isAsSent } = await media.show({ data, mimeType, source: tool });
  const details = [mimeType && sanitizeLine(mimeType, 60), formatSize(sizeBytes)].filter(Boolean);
  const said = `${what} (${details.join(', ')})`;
  if (drawn !== undefined) return `${said}\n${drawn}`;
  return isAsSent
    ? `${said} is not Base64; saved as it came to ${path}`
    : `${said} saved to ${path}`;
}
