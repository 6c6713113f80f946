/**
 * The server that the suite's server scenarios are run against: one `serve()` of ours, with every
 * tool, resource and prompt that they ask for by name.
 */
import { randomBytes } from 'node:crypto';
import { serve } from '@longwire/server';
import {
  createRequestStateCodec,
  InMemoryServerEventBus,
  McpServer,
} from '@modelcontextprotocol/server';
import { addContent } from './server-content.mjs';
import { addQuestions } from './server-questions.mjs';
import { createSkills } from './server-skills.mjs';
import { addTasks, TASKS } from './server-tasks.mjs';

/**
 * @typedef {object} ConformanceServer
 * @property {string} url of the mount for Streamable HTTP, which serves both eras
 * @property {() => Promise<void>} close
 */

/** Starts it on a free port of 127.0.0.1. @returns {Promise<ConformanceServer>} */
export async function startConformanceServer() {
  const bus = new InMemoryServerEventBus();
  const codec = createRequestStateCodec({ key: randomBytes(32) });
  const skills = await createSkills();
  const { url, close } = await serve({
    create: () => createServer({ bus, codec, skills }),
    port: 0,
    stores: { bus },
    tasks: TASKS,
  });
  return { url, close };
}

/** @param {any} shared what all servers have in common */
function createServer({ bus, codec, skills }) {
  const server = new McpServer(
    { name: 'conformance', version: '1.0.0' },
    {
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        prompts: { listChanged: true },
        logging: {},
        completions: {},
      },
      requestState: { verify: codec.verify },
    },
  );
  addContent(server, { bus });
  addQuestions(server, { codec });
  addTasks(server);
  skills.attach(server);
  return server;
}
