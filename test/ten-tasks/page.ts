import { readFileSync } from 'node:fs';
import { codeLines } from './lines.ts';
import { fileOf, LIBRARIES, NAMES, type Library } from './programs.ts';
import { TASKS } from './tasks.ts';

const INTRODUCTION = `# Ten tasks

What a program that uses MCP servers has to do, written with four clients: this one, the official SDK for
TypeScript, the client of the AI SDK, and FastMCP in Python. Each cell links to a program, and says how many
lines somebody writes and reads. CI runs all of them against the same servers: a program counts only if it
prints what the others print, and if the servers saw what they should have seen.
\`npm run ten-tasks\` runs them, counts again and writes this page.`;

const COUNTING = `## How lines are counted

- All programs are formatted alike, 100 characters wide: by Prettier, and those in Python by Black.
- Not counted are empty lines, lines that hold only a comment or a docstring, and imports.
- All else counts: braces, the connection, closing it, and the code that a client leaves to its user.

## How they were written

- Each program is what somebody would write who knows its library well: with what the library has for the
  task, and else with as little code as does it right. If you know a shorter one that does the same, open
  an issue: it will stand here.
- All talk to servers of [the kit](server.md) over Streamable HTTP. Each client speaks the version of the protocol that it
  negotiates by itself, except that FastMCP follows the resource in its \`legacy\` mode: its client has no
  subscriptions of version 2026-07-28.
- "A restart in the middle" may run again only what only looks, and has to connect again.
- \`@ai-sdk/mcp\` says of itself that it takes no notifications. Its programs for progress and for the
  resource put a transport of their own between it and that of the official SDK.
- Claude is asked with the SDK of Anthropic everywhere, with its own loop for tools (\`toolRunner\`) and its
  own adapters for tools of MCP, but for Longwire's. Who uses \`@ai-sdk/mcp\` together with \`ai\` has a loop
  with approvals there: that is not measured here.
- FastMCP makes spans by itself. Logs and figures are the program's in all but Longwire.
- What takes logs, figures and spans is given to all alike, and is not counted.`;

/** The page, with the lines of the files as they are now. */
export function tenTasksPage(): string {
  const rows = TASKS.map(({ name, title, wanted }) => {
    const cells = LIBRARIES.map(
      (library) => `[${linesOf(library, name)}](${linkTo(library, name)})`,
    );
    return `| **${title}**: ${wanted} | ${cells.join(' | ')} |`;
  });
  const sums = LIBRARIES.map((library) =>
    TASKS.reduce((sum, { name }) => sum + linesOf(library, name), 0),
  );
  const head = [
    `| task | ${LIBRARIES.map((library) => NAMES[library]).join(' | ')} |`,
    `| --- | ${LIBRARIES.map(() => '---:').join(' | ')} |`,
  ];
  const table = [...head, ...rows, `| all | ${sums.join(' | ')} |`].join('\n');
  return `${INTRODUCTION}\n\n${table}\n\n${COUNTING}\n`;
}

function linesOf(library: Library, task: string): number {
  const file = fileOf(library, task);
  const text = readFileSync(new URL(file, import.meta.url), 'utf8');
  return codeLines(text, file.endsWith('.py') ? 'py' : 'js');
}

function linkTo(library: Library, task: string): string {
  return `../test/ten-tasks/${fileOf(library, task)}`;
}
