import type { Located } from './document.js';

/** The same, with every `${` escaped: no text in it is a variable. */
export function literal(document: Located): Located {
  switch (document.kind) {
    case 'object': {
      const members = [...document.members].map(
        ([key, { keyOffset, value }]) => [key, { keyOffset, value: literal(value) }] as const,
      );
      return { ...document, members: new Map(members) };
    }
    case 'array':
      return { ...document, items: document.items.map(literal) };
    case 'value': {
      const { value } = document;
      return typeof value === 'string'
        ? { ...document, value: value.replaceAll('${', () => '$${') }
        : document;
    }
  }
}
