import type { ServerPicture } from '@longwire/recording';
import { lineJson } from '@longwire/recording/shown';
import type { CallRequest } from '../state/api.js';

/** Kinds of what can be read, in the order of the view. */
export const READ_KINDS = ['resources', 'templates', 'prompts'] as const;

/** A kind of what can be read. */
export type ReadKind = (typeof READ_KINDS)[number];

/** What the kinds are called. */
export const READ_TITLES: Readonly<Record<ReadKind, string>> = {
  resources: 'Resources',
  templates: 'Templates',
  prompts: 'Prompts',
};

/** A resource, a template of resources, or a prompt. */
export interface Readable {
  readonly kind: ReadKind;
  readonly server: string;
  /** Its URI, the template of URIs, or a prompt's name. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** The schema of what it takes. */
  readonly schema: unknown;
}

/** What a server has of a kind; of resources those, too, that it does not list and that are subscribed to. */
export function readablesOf(server: ServerPicture, kind: ReadKind): Readable[] {
  const listed = listedOf(server, kind);
  if (kind !== 'resources') return listed;
  const ids = new Set(listed.map(({ id }) => id));
  const others = server.subscriptions.filter(({ uri }) => !ids.has(uri));
  return [
    ...listed,
    ...others.map(({ uri }) => ({
      kind,
      server: server.name,
      id: uri,
      name: uri,
      description: '',
      schema: templateSchema(uri, kind),
    })),
  ];
}

function listedOf(server: ServerPicture, kind: ReadKind): Readable[] {
  return (server.catalogue[kind] ?? []).map((item) => {
    const id = lineJson(item[ID_MEMBERS[kind]]);
    const name = item['title'] ?? item['name'] ?? id;
    return {
      kind,
      server: server.name,
      id,
      name: lineJson(name),
      description: typeof item['description'] === 'string' ? item['description'] : '',
      schema: kind === 'prompts' ? promptSchema(item['arguments']) : templateSchema(id, kind),
    };
  });
}

const ID_MEMBERS: Readonly<Record<ReadKind, string>> = {
  resources: 'uri',
  templates: 'uriTemplate',
  prompts: 'name',
};

/** The request that reads it, with what a person filled in. */
export function readRequest(
  { kind, server, id }: Readable,
  values: Readonly<Record<string, unknown>>,
): CallRequest {
  if (kind === 'prompts') return { server, method: 'prompts/get', name: id, arguments: values };
  const name = kind === 'templates' ? expandTemplate(id, values) : id;
  return { server, method: 'resources/read', name };
}

/** The names of variables, and what is before them, of an RFC 6570 expression. */
const EXPRESSION = /\{([+#./;?&]?)([^{}]{1,500})\}/g;

/** A URI from a template: the simple form of each expression, with lists and explosions left out. */
export function expandTemplate(
  template: string,
  values: Readonly<Record<string, unknown>>,
): string {
  return template.replace(EXPRESSION, (_, operator: string, list: string) => {
    const given = namesIn(list).flatMap((name) => {
      const value = values[name];
      return value === undefined || value === '' ? [] : [{ name, text: lineJson(value) }];
    });
    if (given.length === 0) return '';
    const isReserved = operator === '+' || operator === '#';
    const parts = given.map(({ name, text }) => {
      const encoded = isReserved ? encodeURI(text) : encodeURIComponent(text);
      return '?&;'.includes(operator) && operator !== '' ? `${name}=${encoded}` : encoded;
    });
    const between = operator === '?' || operator === '&' ? '&' : operator;
    return (operator === '+' ? '' : operator) + parts.join('#+'.includes(between) ? ',' : between);
  });
}

function namesIn(list: string): string[] {
  return list.split(',').map((name) => name.replace(/\*$|:\d+$/, ''));
}

function templateSchema(template: string, kind: ReadKind): unknown {
  if (kind !== 'templates') return { type: 'object', properties: {} };
  const names = [...template.matchAll(EXPRESSION)].flatMap(([, , list = '']) => namesIn(list));
  const required = [...template.matchAll(/\{([^{}?&;][^{}]*)\}/g)].flatMap(([, list = '']) =>
    namesIn(list.replace(/^[+#./]/, '')),
  );
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])),
    required,
  };
}

function promptSchema(given: unknown): unknown {
  const list = (Array.isArray(given) ? given : []) as Readonly<Record<string, unknown>>[];
  return {
    type: 'object',
    properties: Object.fromEntries(
      list.map(({ name, title, description }) => [
        String(name),
        { type: 'string', title, description },
      ]),
    ),
    required: list.filter(({ required }) => required === true).map(({ name }) => String(name)),
  };
}
