import type { Located } from './document.js';

/** The same, with every text replaced. */
export function withTexts(document: Located, replaced: (text: string) => string): Located {
  switch (document.kind) {
    case 'object': {
      const members = [...document.members].map(
        ([key, { keyOffset, value }]) =>
          [key, { keyOffset, value: withTexts(value, replaced) }] as const,
      );
      return { ...document, members: new Map(members) };
    }
    case 'array':
      return { ...document, items: document.items.map((item) => withTexts(item, replaced)) };
    case 'value': {
      const { value } = document;
      return typeof value === 'string' ? { ...document, value: replaced(value) } : document;
    }
  }
}

/** The same, with every `${` escaped: no text in it is a variable. */
export function literal(document: Located): Located {
  return withTexts(document, (text) => text.replaceAll('${', () => '$${'));
}

/**
 * A server of Gemini, where `$NAME` is a variable, too.
 * https://github.com/google-gemini/gemini-cli/blob/main/docs/tools/mcp-server.md
 */
export function fromGemini(server: Located): Located {
  return withTexts(server, (text) => text.replace(/(?<!\$)\$([A-Za-z_]\w*)/g, '${$1}'));
}
