/**
 * The server that every contender starts for itself: MCP over stdio (protocol 2025-11-25) with one
 * tool, `echo`, and as little work per call as possible. It ends with its input.
 */
import { answer } from '../calls/echo.mjs';

const PROTOCOL_VERSION = '2025-11-25';

let rest = '';

process.stdin.setEncoding('utf8').on('data', (chunk) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop() ?? '';
  let answers = '';
  for (const line of lines) {
    const message = JSON.parse(line);
    if (message.id === undefined || message.method === undefined) continue;
    answers += `${JSON.stringify(answer(PROTOCOL_VERSION, message))}\n`;
  }
  if (answers !== '') process.stdout.write(answers);
});
