import type { Tool } from '@longwire/client';
import { isJsonObject, type JsonObject } from '../json-object.js';

/** What a server says of a tool in one word, for lists; empty where it says neither. */
export function markOf(tool: Tool): string {
  const { readOnlyHint, destructiveHint } = hintsOf(tool);
  if (readOnlyHint === true) return '[read-only]';
  return destructiveHint === true ? '[destructive]' : '';
}

/** What a server says of a tool, in words. It is a hint: nobody has checked it. */
export function hintWords(tool: Tool): string[] {
  const { readOnlyHint, destructiveHint, idempotentHint, openWorldHint } = hintsOf(tool);
  const { taskSupport } = tool.execution ?? {};
  const isReader = readOnlyHint === true;
  const words: (string | false)[] = [
    isReader && 'only reads',
    readOnlyHint === false && 'may change things',
    !isReader && destructiveHint === true && 'may destroy things',
    !isReader && destructiveHint === false && 'destroys nothing',
    idempotentHint === true && 'may be called again without harm',
    openWorldHint === true && 'reaches what lies beyond the server',
    openWorldHint === false && 'stays within the server',
    taskSupport === 'optional' && 'can become a task',
    taskSupport === 'required' && 'always becomes a task',
  ];
  return words.filter((word) => word !== false);
}

function hintsOf({ annotations }: Tool): JsonObject {
  return isJsonObject(annotations) ? annotations : {};
}
