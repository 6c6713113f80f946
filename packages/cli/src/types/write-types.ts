import { createHash } from 'node:crypto';
import { assignPrefixes, ToolNames } from '@longwire/client/internal';
import { sanitizeLine, visibleJson } from '../sanitize.js';
import { docComment, withoutEnd } from './doc-comment.js';
import { pascalCase } from './schema-type.js';
import { serverTypes, type ListedServer, type ServerTypes } from './server-types.js';
import { printMembers, printType, propertyName } from './type-node.js';

/** What a file of types begins with, in a comment: so that no other file is replaced. */
export const madeBy = 'Made by `longwire types`';

/** Another number, another way to write the same schemas. */
export const format = 1;

/** A file of types. */
export interface WrittenTypes {
  readonly text: string;
  readonly servers: readonly WrittenServer[];
}

/** A server in a file of types. */
export interface WrittenServer {
  readonly name: string;
  /** The interface with its tools. */
  readonly interface: string;
  readonly tools: number;
  readonly digest: string;
}

/**
 * The types of the tools of servers, as the text of a module. Servers are in the order of their names; the
 * names of their tools are those that a group has, to which they are given in the order here.
 */
export function writeTypes(
  given: readonly ListedServer[],
  { redact }: { redact: (text: string) => string },
): WrittenTypes {
  // A server may list one name twice.
  const listed = given.map(({ name, tools }) => ({
    name,
    tools: [...new Map(tools.toReversed().map((tool) => [tool.name, tool])).values()],
  }));
  const interfaces = uniqueNames(
    listed.map(({ name }) => ({ wanted: pascalName(name), seed: name })),
    new Set(['Tools']),
  );
  const servers = listed.map((server, index) => {
    const name = interfaces[index] ?? '';
    return { types: serverTypes(server, name), interface: name };
  });
  nameDefinitions(
    servers.map(({ types }) => types),
    new Set(['Tools', ...interfaces]),
  );
  const sorted = servers.toSorted((a, b) => (a.types.name < b.types.name ? -1 : 1));
  const written = sorted.map(({ types, interface: name }) => ({
    name: sanitizeLine(types.name, 200),
    interface: name,
    tools: types.tools.length,
    digest: types.digest,
  }));
  const text = [
    head(written),
    ...sorted.map(({ types, interface: name }) => serverText(types, name)),
    servers.length === 1 ? oneServer(interfaces[0] ?? '') : allServers(listed, interfaces),
  ].join('\n');
  return { text: redacted(text, redact), servers: written };
}

function head(servers: readonly WrittenServer[]): string {
  const lines = [
    `The tools of MCP servers as types. ${madeBy} (format ${format}): make it anew, do not change it.`,
    '',
    ...servers.map(
      ({ name, interface: type, tools, digest }) =>
        `- ${visibleJson(name)} (${type}): ${tools} tool${tools === 1 ? '' : 's'}, sha256:${digest}`,
    ),
  ];
  return `${docComment(lines, '')}/* eslint-disable */\n`;
}

function serverText({ name, tools, named }: ServerTypes, type: string): string {
  const members = printMembers(tools, '  ');
  const definitions = named
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, body, comment }) => {
      const text = printType(body, '');
      return `\n${docComment(comment, '')}export type ${name} =${text.startsWith('\n') ? '' : ' '}${text};\n`;
    });
  const about = docComment([`The tools of ${visibleJson(sanitizeLine(name, 200))}.`], '');
  return `${about}export interface ${type} {\n${members}}\n${definitions.join('')}`;
}

function oneServer(type: string): string {
  return `${docComment(['All tools.'], '')}export interface Tools extends ${type} {}\n`;
}

/** The tools of all servers, as a group names them. */
function allServers(listed: readonly ListedServer[], interfaces: readonly string[]): string {
  const prefixes = assignPrefixes(listed.map(({ name }) => name));
  const assigned = new ToolNames<string>().assign(
    listed.map(({ name, tools }, index) => ({
      server: name,
      prefix: prefixes[index] ?? '',
      label: name,
      tools: tools.map(({ name: tool }) => ({ tool })),
    })),
  );
  const lines = listed.flatMap(({ tools }, index) =>
    tools.map(({ name: tool }, at) => {
      const name = assigned[index]?.[at] ?? tool;
      return [name, `${interfaces[index]}[${visibleJson(tool)}]`] as const;
    }),
  );
  const members = [...new Map(lines)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, type]) => `  ${propertyName(name)}: ${type};\n`);
  const about = docComment(['The tools of all servers, by their names in a group.'], '');
  return `${about}export interface Tools {\n${members.join('')}}\n`;
}

function nameDefinitions(servers: readonly ServerTypes[], taken: ReadonlySet<string>): void {
  const named = servers.flatMap((server) => server.named);
  const names = uniqueNames(named, taken);
  for (const [index, type] of named.entries()) type.name = names[index] ?? type.wanted;
}

/**
 * A name for each. Where two want the same one, or it is taken, all of those get one of their own: which
 * does not depend on their order.
 */
function uniqueNames(
  wishes: readonly { wanted: string; seed: string }[],
  taken: ReadonlySet<string>,
): string[] {
  const given = new Set(taken);
  const counts = new Map<string, number>();
  for (const { wanted } of wishes) counts.set(wanted, (counts.get(wanted) ?? 0) + 1);
  return wishes.map(({ wanted, seed }) => {
    let name = wanted;
    const isAlone = counts.get(wanted) === 1 && !taken.has(wanted);
    for (let n = 0; given.has(name) || (n === 0 && !isAlone); n++) {
      const hash = createHash('sha256').update(`${seed}\0${n}`).digest('hex').slice(0, 8);
      name = `${wanted}_${hash}`;
    }
    given.add(name);
    return name;
  });
}

function pascalName(name: string): string {
  const words = pascalCase(name).slice(0, 60);
  return /^[A-Z]/.test(words) ? words : `Server${words}`;
}

/**
 * Without the user's own secrets, should a server write them into a description. What stands in their place
 * must not end the comment: a server knows the token, and names the session.
 */
function redacted(text: string, redact: (text: string) => string): string {
  return text.replace(
    /^( *(?:\/\*\*| \*) )(.*?)( \*\/)?$/gm,
    (_line, begin: string, words: string, end = '') => begin + withoutEnd(redact(words)) + end,
  );
}
