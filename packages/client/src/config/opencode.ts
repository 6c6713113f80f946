import { memberOf, type Located, type LocatedObject, type Property } from './document.js';
import { literal, withTexts } from './texts.js';

/** Where opencode's servers are: right below `mcp`, or below `mcp.servers` since version 2. */
export function opencodePath(root: Located, name: string): readonly string[] | undefined {
  const mcp = memberOf(root, 'mcp')?.value;
  if (mcp?.kind !== 'object') return undefined;
  const schema = memberOf(root, '$schema')?.value;
  const isNamed =
    /^opencode\.jsonc?$/i.test(name) ||
    (schema?.kind === 'value' && String(schema.value).startsWith('https://opencode.ai/'));
  const servers = mcp.members.get('servers')?.value;
  const isNested = servers?.kind === 'object' && !isServer(servers);
  if (isNested) return isNamed || hasServer(servers) ? ['mcp', 'servers'] : undefined;
  return isNamed || hasServer(mcp) ? ['mcp'] : undefined;
}

function hasServer(servers: LocatedObject): boolean {
  return [...servers.members.values()].some(({ value }) => isServer(value));
}

function isServer(value: Located): boolean {
  const type = memberOf(value, 'type')?.value;
  return type?.kind === 'value' && (type.value === 'local' || type.value === 'remote');
}

/**
 * A server of opencode as the other programs write it: its command is a list with the arguments, and
 * `{env:NAME}` is a variable.
 * https://opencode.ai/docs/mcp-servers
 */
export function fromOpencode(server: Located): Located {
  const read = withVariables(literal(server));
  if (read.kind !== 'object') return read;
  const members = new Map(read.members);
  const environment = members.get('environment');
  members.delete('environment');
  if (environment !== undefined) members.set('env', environment);
  const command = members.get('command');
  if (command?.value.kind !== 'array') return { ...read, members };
  const [program, ...args] = command.value.items;
  members.delete('command');
  const { keyOffset } = command;
  const set = (key: string, value: Located): Map<string, Property> =>
    members.set(key, { keyOffset, value });
  if (program !== undefined) set('command', program);
  set('args', { kind: 'array', offset: command.value.offset, items: args });
  return { ...read, members };
}

/** The same with `${NAME}` for `{env:NAME}`; `${file:…}` is none, and is told to be none. */
function withVariables(server: Located): Located {
  return withTexts(server, (text) =>
    text.replace(/(?<!\$)\{((?:env|file):[^{}]*)\}/g, (_, inner) => `\${${inner}}`),
  );
}
