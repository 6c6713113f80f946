/** A setting of the tools that a pattern matches. */
export interface ToolRule<Setting> {
  /** As it is written in the options. */
  readonly pattern: string;
  readonly setting: Setting;
}

/** How many names of tools are remembered, and how long ones: whoever calls chooses the names. */
const MAX_REMEMBERED = 1_000;
const MAX_REMEMBERED_LENGTH = 128;

/**
 * Settings by name of a tool, or by pattern: `*` stands for any characters, none included. A tool has one
 * setting at most: the one of its own name, or else of the pattern with the most characters beside `*`;
 * of equal ones, the first.
 */
export class ToolPatterns<Setting> {
  readonly #exact = new Map<string, ToolRule<Setting>>();
  readonly #patterns: readonly { readonly parts: readonly string[]; rule: ToolRule<Setting> }[];
  readonly #remembered = new Map<string, ToolRule<Setting> | undefined>();

  constructor(settings: Readonly<Record<string, Setting>>) {
    const rules = Object.entries(settings).map(([pattern, setting]) => ({ pattern, setting }));
    for (const rule of rules) if (!rule.pattern.includes('*')) this.#exact.set(rule.pattern, rule);
    const literal = ({ pattern }: ToolRule<Setting>): number => pattern.replaceAll('*', '').length;
    this.#patterns = rules
      .filter(({ pattern }) => pattern.includes('*'))
      .toSorted((a, b) => literal(b) - literal(a))
      .map((rule) => ({ parts: rule.pattern.split('*'), rule }));
  }

  /** The rule of a tool. */
  find(tool: string): ToolRule<Setting> | undefined {
    const exact = this.#exact.get(tool);
    if (exact !== undefined || this.#patterns.length === 0) return exact;
    if (this.#remembered.has(tool)) return this.#remembered.get(tool);
    const rule = this.#patterns.find(({ parts }) => isMatch(parts, tool))?.rule;
    if (tool.length > MAX_REMEMBERED_LENGTH) return rule;
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(tool, rule);
    return rule;
  }
}

/** Whether a name has these parts in this order. The first place of each is as good as any later one. */
function isMatch(parts: readonly string[], name: string): boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  if (name.length < first.length + last.length) return false;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let from = first.length;
  const end = name.length - last.length;
  for (const part of parts.slice(1, -1)) {
    const at = name.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}
