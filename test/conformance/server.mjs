/**
 * The server that the suite's server scenarios are run against: one `serve()` of ours, with every
 * tool, resource and prompt that they ask for by name.
 */
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { addContent } from './server-content.mjs';
import { addQuestions } from './server-questions.mjs';
import { createSkills } from './server-skills.mjs';
import { addTasks, TASKS } from './server-tasks.mjs';

/**
 * @typedef {object} ConformanceServer
 * @property {string} url of the mount for Streamable HTTP, which serves both eras
 * @property {() => Promise<void>} close
 */

/**
 * Starts it on a free port of 127.0.0.1.
 *
 * @param {Partial<import('@longwire/server').ServeOptions>} [options] further ones
 * @returns {Promise<ConformanceServer>}
 */
export async function startConformanceServer(options) {
  const skills = await createSkills();
  /** @type {import('@longwire/server').McpMount | undefined} */
  let mount;
  const { url, close } = await serve({
    ...options,
    create: ({ requestState }) =>
      createServer({ notify: () => mount?.notify, requestState, skills }),
    onMount: (made) => {
      mount = made;
    },
    port: 0,
    tasks: TASKS,
  });
  return { url, close };
}

/** @param {any} shared what servers are made with */
function createServer({ notify, requestState, skills }) {
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
      requestState,
    },
  );
  addContent(server, { notify });
  addQuestions(server, { requestState });
  addTasks(server);
  skills.attach(server);
  return server;
}
