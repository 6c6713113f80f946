import { createGroup } from '@longwire/client/group';
import { McpServer } from '@modelcontextprotocol/server';
import { expect, it } from 'vitest';
import { readTypes } from '../../packages/cli/src/types/read-types.ts';
import { writeTypes } from '../../packages/cli/src/types/write-types.ts';

/** Servers whose names, and whose tools' names, are not such as a group can show as they are. */
const servers: Readonly<Record<string, readonly string[]>> = {
  'my.server': ['get', 'get.it', 'get_it'],
  my_server: ['get', 'a'.repeat(80)],
  'a name that is longer than a prefix may be': ['x'],
  'a name that is longer than a prefix may become': ['x'],
  a: ['b__c', 'd'],
  a__b: ['c'],
};

function listServer(tools: readonly string[]): McpServer {
  const server = new McpServer({ name: 'it', version: '1' });
  for (const tool of tools) server.registerTool(tool, {}, () => ({ content: [] }));
  return server;
}

it('tools have in the file the names that a group gives them', async () => {
  const entries = Object.entries(servers);
  await using group = createGroup(
    Object.fromEntries(
      entries.map(([name, tools]) => [name, { target: { server: () => listServer(tools) } }]),
    ),
  );
  const shown = (await group.listTools()).map(({ name }) => name);
  expect(shown).toHaveLength(entries.flatMap(([, list]) => list).length);
  const listed = entries.map(([name, tools]) => ({
    name,
    tools: tools.map((tool) => ({ name: tool, inputSchema: { type: 'object' as const } })),
  }));
  const { text } = writeTypes(listed, { redact: (all) => all });
  const tools = readTypes(text).interfaces.get('Tools')?.members?.keys() ?? [];
  expect([...tools].map((name) => JSON.parse(name) as string).sort()).toEqual(shown.sort());
});
