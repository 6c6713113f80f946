import { memberOf, valueOf, type Located } from './document.js';

/**
 * What VS Code asks a person before it uses a server: `${input:ID}`.
 * https://code.visualstudio.com/docs/copilot/reference/mcp-configuration
 */
export interface ConfigInput {
  id: string;
  /** What is asked for. Default: the id. */
  description: string;
  /** Whether what is typed must not be seen. */
  isSecret: boolean;
  /** What may be chosen. Default: anything. */
  options?: readonly string[];
  /** What nothing but Enter means. */
  default?: string;
}

/** The variable of the environment that answers an input where nobody can be asked. */
export function inputVariable(id: string): string {
  return `LONGWIRE_INPUT_${id.toUpperCase().replace(/\W+/g, '_')}`;
}

/** The inputs beside the servers at a path. What is none is left out. */
export function inputsIn(root: Located, path: readonly string[]): ConfigInput[] {
  let at: Located | undefined = root;
  for (const key of path.slice(0, -1)) at = memberOf(at, key)?.value;
  const list = memberOf(at, 'inputs')?.value;
  return list?.kind === 'array' ? list.items.flatMap((item) => inputIn(valueOf(item))) : [];
}

function inputIn(value: unknown): ConfigInput[] {
  if (typeof value !== 'object' || value === null) return [];
  const {
    id,
    description,
    password,
    options,
    default: otherwise,
  } = value as Record<string, unknown>;
  if (typeof id !== 'string' || id === '') return [];
  const choices = Array.isArray(options) ? options.flatMap(choiceIn) : [];
  return [
    {
      id,
      description: typeof description === 'string' && description !== '' ? description : id,
      isSecret: password === true,
      ...(choices.length > 0 && { options: choices }),
      ...(typeof otherwise === 'string' && { default: otherwise }),
    },
  ];
}

/** A choice is a text, or a label with its value. */
function choiceIn(choice: unknown): string[] {
  if (typeof choice === 'string') return [choice];
  const value = (choice as { value?: unknown } | null)?.value;
  return typeof value === 'string' ? [value] : [];
}
