import { Command, Help } from 'commander';
import { addCommonOptions } from './options.js';

/** What `longwire` alone says: all commands, the options that most need, and where the rest is. */
export const overview = `Usage: longwire COMMAND [SERVER] [arguments] [options] [-- server command…]

  demo                    a server and a tour of it, with nothing to configure
  inspect, doctor         what a server is; what is wrong on the way to it
  tools [NAME], types     its tools, or all about one; as types of TypeScript
  call TOOL name=value    call a tool; task ID takes up one that was left
  resources, read URI     what can be read; read it
  prompts, prompt NAME    the prompts; get one (complete: values for both)
  watch                   everything that the server sends, as it happens
  shell, chat             a session with servers; Claude with their tools
  dash, top               what servers do, live: as a page, in the terminal
  serve, worker           a server on HTTP, for others; heavy tools of a cluster
  run FILE, check FILE    events that lead to calls; saved calls, as a test
  servers                 those that have names: add, import, allow, remove
  login, logout, whoami   for servers that want a login

  --json                  one JSON document on stdout, also of a failure
  --header 'Name: value'  send a header (repeatable)
  --timeout 30s           fail after so long without progress
  --trace[=FILE]          show each message and HTTP exchange, or keep them
  -q, -v                  no remarks, no progress; say what happens underneath
SERVER is a URL, a name that \`longwire servers\` lists, or a command after --.
More: longwire help COMMAND; longwire help options; longwire completion
`;

const aroundOptions = `
The server is the first word after the command if that is a URL, or a name that
longwire servers lists; @all is every server that you allowed. Or it is what
comes after --, which is started, spoken to over its stdin and stdout, and
ended; otherwise MCP_SERVER_URL. How a server talks is found out.
MCP_API_KEY is sent to the origin of MCP_SERVER_URL and nowhere else; what comes
after -- gets of the environment only PATH, HOME and their like, and what --env
says. A .env in the working directory is read.

Exit codes: 0 done; 1 the tool or the server answered with an error; 2 wrong
usage; 3 could not connect, or not an MCP server; 4 not authorized; 5 timed out;
6 connection lost in the middle of a call, outcome unknown; 130 interrupted.
`;

/** What `longwire help options` says. */
export function optionsHelp(): string {
  const options = new Command();
  addCommonOptions(options);
  const help = new Help();
  help.prepareContext({ helpWidth: 80 });
  const width = help.longestOptionTermLength(options, help);
  const lines = help
    .visibleOptions(options)
    .filter((option) => option.long !== '--help')
    .map((option) =>
      help.formatItem(help.optionTerm(option), width, help.optionDescription(option), help),
    );
  return `Options of every command; they may stand anywhere before --:\n${lines.join('\n')}\n${aroundOptions}`;
}
