import { table } from '../../bench/report/markdown.mjs';

/** The section of the page about tasks; `test/interop/tasks` holds it. */
export const TASKS = `## Tasks

A task is a call whose answer is kept: of 2026-07-28 as an extension, of 2025-11-25 as an experiment. What
others make of it differs more than elsewhere. Every row but that of the Go and Java SDKs, which serve no tasks, was
seen on the wire, and is run in \`test/interop/tasks\`.

Servers, called by Longwire's client:

${table(
  ['server', 'protocol', 'what it does otherwise', 'what Longwire does'],
  [
    [
      'FastMCP 4.1.4',
      '2026-07-28',
      '`lastUpdatedAt` is the time of the answer; no numbers of progress; asks by its result alone, and runs the tool again with the answer',
      'its status message is the progress; a question is asked once, by its key',
    ],
    [
      'FastMCP 3.4.11',
      '2025-11-25',
      '`tasks/result` does not wait: before the end it is the error -32602, as for a task that there is not; the status stays `working` while the tool asks, by a request on the stream of the session',
      'holds `tasks/result` open, and where that is refused asks again at the end, which `tasks/get` tells',
    ],
    [
      'FastMCP 3.4.11',
      '2025-11-25',
      'an error of the protocol becomes a result with `isError`, and its text is lost',
      'the result is passed on',
    ],
    [
      'rmcp 3.11.0',
      '2026-07-28',
      'does not know principals: who has the id has the task; a cancelled task is `working` until its tool ends',
      'the call ends at once; the task is what its server says',
    ],
    [
      'mcp-go 1.2.1',
      '2025-11-25',
      'cancels a task as soon as the request is answered that made it ([report](https://github.com/mark3labs/mcp-go/issues/897)): only a tool that does not look whether it was cancelled ends; a cancelled task has a result without content',
      'the call fails with `outcome-unknown`, and names the task; the next calls there are tasks only where the tool takes no others',
    ],
    [
      'server-everything 2026.8.31',
      '2025-11-25',
      'asks only on the stream of `tasks/result`',
      'holds `tasks/result` open from the beginning',
    ],
    [
      'the Go SDK 1.8.0, the Java SDK 2.1.0, the Python SDK 2.3.0',
      'both',
      'have no tasks',
      'calls are ordinary ones',
    ],
  ],
  { textColumns: 4 },
)}

A client with handlers for elicitation, sampling or roots speaks the older protocol where a server has both,
because servers can ask there at any time. For the tasks of 2026-07-28 such a client names it: \`protocol:
'2026-07-28'\`.

Clients of the server kit:

${table(
  ['client', 'protocol', 'what it does otherwise', 'what the kit does'],
  [
    [
      '`@modelcontextprotocol/ext-tasks` 0.2.2',
      'both',
      'its `close()` cancels tasks that it handed on; in 2025-11-25 it never sends `tasks/result` before the end, and shows of a tool that failed the status message alone',
      'what a task asks for is asked on the stream of the session, while no `tasks/result` waits; a text of the error is the status message',
    ],
    ['the Inspector 2.12.0', 'both', 'as ext-tasks, which it uses', 'the same'],
    ['FastMCP 3.4.11', '2025-11-25', 'never sends `tasks/result` before the end', 'the same'],
    [
      'FastMCP 4.1.4',
      '2026-07-28',
      'sends no `Mcp-Name` with `tasks/get`, `tasks/update` and `tasks/cancel`, which the extension wants',
      'takes it as if it had been sent; one that is wrong is refused',
    ],
    [
      'the official client 1.32.2',
      '2025-11-25',
      'its stream says of a task that failed only that it did',
      '`getTaskResult` has the result',
    ],
    [
      'the official client 2.4.0, the Python SDK 2.3.0',
      'both',
      'know no tasks',
      'an ordinary call, or -32021 (2025-11-25: -32601) for a tool that is a task or nothing',
    ],
  ],
  { textColumns: 4 },
)}`;
