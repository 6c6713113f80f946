import { isObject } from '@longwire/recording/shown';

/** A tool as the page shows it. */
export interface ToolFacts {
  readonly name: string;
  readonly title: string | undefined;
  readonly description: string;
  readonly inputSchema: unknown;
  /** What its server says of it, as words. A hint is no proof. */
  readonly hints: readonly string[];
}

/** What a server's list says of a tool. */
export function toolFacts(tool: Readonly<Record<string, unknown>>): ToolFacts {
  const annotations = isObject(tool['annotations']) ? tool['annotations'] : {};
  const title = tool['title'] ?? annotations['title'];
  return {
    name: String(tool['name']),
    title: typeof title === 'string' ? title : undefined,
    description: typeof tool['description'] === 'string' ? tool['description'] : '',
    inputSchema: tool['inputSchema'],
    hints: hintsOf(annotations),
  };
}

function hintsOf(annotations: Readonly<Record<string, unknown>>): string[] {
  const { readOnlyHint, destructiveHint, idempotentHint, openWorldHint } = annotations;
  if (readOnlyHint === true)
    return openWorldHint === true ? ['only reads', 'reaches out'] : ['only reads'];
  return [
    destructiveHint === false ? 'only adds' : 'may change or delete',
    ...(idempotentHint === true ? ['may run twice'] : []),
    ...(openWorldHint === true ? ['reaches out'] : []),
  ];
}
