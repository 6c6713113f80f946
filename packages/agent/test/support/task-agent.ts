import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import Anthropic from '@anthropic-ai/sdk';
import { createAgent, type AgentEvent } from '@longwire/agent';
import { connect } from '@longwire/client';

/** What the program is started with. */
export interface TaskAgentOptions {
  /** The server, and the API. */
  url: string;
  api: string;
  /** Where it keeps its conversation. */
  file: string;
  /** What it says. Default: it goes on with the conversation of the file. */
  say?: string;
}

/** Talks to Claude, and keeps the conversation whenever something has happened; tells each event then. */
const { url, api, file, say } = JSON.parse(process.argv[2] ?? '') as TaskAgentOptions;
const shop = await connect(url, { name: 'shop' });
const agent = createAgent({
  clients: [shop],
  anthropic: new Anthropic({ baseURL: api, apiKey: 'test-key', maxRetries: 0 }),
  model: 'claude-test',
  ...(say === undefined && (JSON.parse(readFileSync(file, 'utf8')) as object)),
});
for await (const event of say === undefined ? agent.resume() : agent.send(say)) {
  const { messages, tasks } = agent;
  writeFileSync(`${file}.new`, JSON.stringify({ messages, tasks }));
  renameSync(`${file}.new`, file);
  await new Promise((resolve) => process.send?.(event satisfies AgentEvent, resolve));
}
agent.close();
await shop.close();
process.disconnect();
