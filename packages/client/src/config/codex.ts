import { memberOf, type Located, type LocatedObject, type Property } from './document.js';
import { literal } from './texts.js';

/**
 * A server of Codex's `config.toml` as the other programs write it. No text in it is a variable: keys
 * of its own name what comes from the environment.
 * https://developers.openai.com/codex/mcp
 */
export function fromCodex(
  server: Located,
  env: Readonly<Record<string, string | undefined>>,
): Located {
  if (server.kind !== 'object') return server;
  const { http_headers, env_http_headers, bearer_token_env_var, env_vars, tools, ...rest } =
    Object.fromEntries(server.members) as Record<string, Property | undefined>;
  const members = new Map(
    Object.entries(rest).flatMap(([key, member]) =>
      member === undefined ? [] : [[key, { ...member, value: literal(member.value) }] as const],
    ),
  );
  // It has options of single tools; Copilot's `tools` is a list.
  if (tools !== undefined) members.set('tools.*', tools);
  const { offset } = server;
  const variable = (name: string): Property => ({
    keyOffset: offset,
    value: { kind: 'value', offset, value: `\${${name}}` },
  });
  const headers = objectOf(http_headers, offset);
  for (const [header, { value }] of objectOf(env_http_headers, offset)) {
    if (value.kind === 'value') headers.set(header, variable(String(value.value)));
  }
  const token = bearer_token_env_var?.value;
  if (token?.kind === 'value') {
    const value = `Bearer \${${String(token.value)}}`;
    headers.set('Authorization', { keyOffset: offset, value: { kind: 'value', offset, value } });
  }
  const forwarded = env_vars?.value.kind === 'array' ? env_vars.value.items : [];
  const variables = objectOf(server.members.get('env'), offset);
  for (const item of forwarded) {
    const name = item.kind === 'object' ? memberOf(item, 'name')?.value : item;
    if (name?.kind !== 'value' || env[String(name.value)] === undefined) continue;
    variables.set(String(name.value), variable(String(name.value)));
  }
  if (headers.size > 0) members.set('headers', asMember(headers, offset));
  if (variables.size > 0) members.set('env', asMember(variables, offset));
  return { kind: 'object', offset, members };
}

/** The members of an object, with no text as a variable. */
function objectOf(member: Property | undefined, offset: number): Map<string, Property> {
  const value: Located = literal(member?.value ?? { kind: 'object', offset, members: new Map() });
  return new Map(value.kind === 'object' ? value.members : []);
}

function asMember(members: LocatedObject['members'], offset: number): Property {
  return { keyOffset: offset, value: { kind: 'object', offset, members } };
}
