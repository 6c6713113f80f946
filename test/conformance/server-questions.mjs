import { randomUUID } from 'node:crypto';
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
} from '@modelcontextprotocol/server';

/** @param {string} message @param {string} field @param {string} [type] */
const form = (message, field, type = 'string') =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [field]: { type } }, required: [field] },
  });
/** @param {string} text */
const sample = (text) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text } }],
    maxTokens: 50,
  });
/** @param {string} text */
const said = (text) => ({ content: [{ type: 'text', text }] });
const askName = () => form('What is your name?', 'name');
const askConsent = () => form('Please confirm', 'ok', 'boolean');

/** What each tool asks in its result, until it has been answered. */
const TOOLS = {
  test_missing_capability: ({ given }) =>
    given.llm_answer
      ? said('answered')
      : inputRequired({ inputRequests: { llm_answer: sample('Say pong') } }),

  test_input_required_result_elicitation: ({ accepted }) => {
    const name = accepted('user_name')?.name;
    return typeof name === 'string'
      ? said(`Hello, ${name}!`)
      : inputRequired({ inputRequests: { user_name: askName() } });
  },

  test_input_required_result_sampling: ({ given }) =>
    given.capital_question
      ? said(`It says: ${given.capital_question.content?.text}`)
      : inputRequired({ inputRequests: { capital_question: sample('The capital of France?') } }),

  test_input_required_result_list_roots: ({ given }) =>
    Array.isArray(given.client_roots?.roots)
      ? said(given.client_roots.roots.map(({ uri }) => uri).join())
      : inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } }),

  test_input_required_result_request_state: async ({ accepted, state, mint }) =>
    state && accepted('confirm')
      ? said('state-ok')
      : inputRequired({ inputRequests: { confirm: askConsent() }, requestState: await mint({}) }),

  test_input_required_result_tampered_state: async ({ accepted, state, mint }) =>
    state && accepted('confirm')
      ? said('integrity-ok')
      : inputRequired({ inputRequests: { confirm: askConsent() }, requestState: await mint({}) }),

  test_input_required_result_multiple_inputs: async ({ accepted, given, mint }) => {
    const name = accepted('user_name')?.name;
    const greeting = given.greeting?.content?.text;
    const roots = given.client_roots?.roots;
    if (typeof name === 'string' && typeof greeting === 'string' && Array.isArray(roots)) {
      return said(`${greeting} ${name}, ${roots.length} roots`);
    }
    return inputRequired({
      inputRequests: {
        user_name: askName(),
        greeting: sample('Greet'),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await mint({}),
    });
  },

  test_input_required_result_multi_round: async ({ accepted, state, mint }) => {
    const { round = 0, name } = state ?? {};
    if (round === 0) {
      const requestState = await mint({ round: 1 });
      return inputRequired({ inputRequests: { step1: askName() }, requestState });
    }
    if (round === 1) {
      const step2 = form('What is your favourite colour?', 'color');
      const requestState = await mint({ round: 2, name: accepted('step1')?.name });
      return inputRequired({ inputRequests: { step2 }, requestState });
    }
    return said(`${name} likes ${accepted('step2')?.color}`);
  },

  /** Asks only what the client can answer. */
  test_input_required_result_capabilities: ({ answered, declared }) => {
    const inputRequests = {
      ...(declared.elicitation && { user_name: askName() }),
      ...(declared.sampling && { greeting: sample('Greet') }),
      ...(declared.roots && { client_roots: inputRequired.listRoots() }),
    };
    if (answered || Object.keys(inputRequests).length === 0) return said('answered');
    return inputRequired({ inputRequests });
  },
};

/**
 * Adds the tools and the prompt that ask by their result (2026-07-28).
 *
 * @param {any} server @param {any} shared
 */
export function addQuestions(server, { requestState }) {
  for (const [name, answer] of Object.entries(TOOLS)) {
    server.registerTool(
      name,
      { description: 'Asks by its result' },
      (/** @type {any} */ context) => {
        const { mcpReq } = context;
        return answer({
          answered: mcpReq.inputResponses !== undefined,
          given: mcpReq.inputResponses ?? {},
          accepted: (/** @type {string} */ key) => acceptedContent(mcpReq.inputResponses, key),
          declared: mcpReq.envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {},
          state: mcpReq.requestState(),
          mint: (/** @type {object} */ state) =>
            requestState.mint({ ...state, nonce: randomUUID() }, context),
        });
      },
    );
  }
  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'Asks for its context' },
    (/** @type {any} */ { mcpReq }) => {
      const context = acceptedContent(mcpReq.inputResponses, 'user_context')?.context;
      if (typeof context !== 'string') {
        return inputRequired({
          inputRequests: { user_context: form('Which context?', 'context') },
        });
      }
      const content = { type: 'text', text: `Use this context: ${context}` };
      return { messages: [{ role: 'user', content }] };
    },
  );
}
