/** The same tool by the official SDK, over stdio. Argument: the file of runs. */
import { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { writer } from './writer.mjs';

await writer(process.argv[2] ?? '').connect(new StdioServerTransport());
