import { LLMock } from '@copilotkit/aimock';
import { startRecordingProxy } from './recording-proxy.ts';
import type { RecordingProxy } from './recording-proxy.ts';
import { assertValidConversation } from './valid-conversation.ts';
import type { MessagesRequest } from './valid-conversation.ts';

/** One answer of the scripted model. */
export interface ScriptedAnswer {
  /** What it says; with calls, before them. */
  text?: string;
  /** The tools it calls. */
  calls?: readonly ScriptedCall[];
  /** The API's `stop_reason`. Default: what fits the answer. */
  stopReason?: string;
  /** Thinking before everything else. */
  thinking?: string;
}

/** A call of a tool. */
export interface ScriptedCall {
  name: string;
  arguments?: Record<string, unknown>;
  /** Default: made by the mock. */
  id?: string;
}

/** An API that gives scripted answers, one a request, and what it was asked. */
export interface ScriptedClaude {
  /** For `ANTHROPIC_BASE_URL`. */
  readonly url: string;
  readonly proxy: RecordingProxy;
  /** The bodies of the requests so far, each checked to be one that the real API would take. */
  bodies(): MessagesRequest[];
  close(): Promise<void>;
}

/**
 * Starts a mock of the API behind a recording proxy. An answer may be a function, for one that
 * depends on the names under which tools are offered.
 */
export async function startScriptedClaude(
  script: readonly (ScriptedAnswer | ((tools: string[]) => ScriptedAnswer))[],
): Promise<ScriptedClaude> {
  const answers = [...script];
  const mock = new LLMock({ port: 0, host: '127.0.0.1', chunkSize: 8, logLevel: 'silent' });
  mock.on({ predicate: () => true }, (request) => {
    const next = answers.shift();
    if (next === undefined) return { error: { message: 'the script is at its end' }, status: 400 };
    const names = (request.tools ?? []).map((tool) => tool.function.name);
    return fixture(typeof next === 'function' ? next(names) : next);
  });
  await mock.start();
  const proxy = await startRecordingProxy(mock.url);
  return {
    url: proxy.url,
    proxy,
    bodies: () =>
      proxy.requests.map(({ text }) => {
        const body = JSON.parse(text) as MessagesRequest;
        assertValidConversation(body);
        return body;
      }),
    close: async () => {
      await proxy.close();
      await mock.stop();
    },
  };
}

function fixture({ text = '', calls = [], stopReason, thinking }: ScriptedAnswer) {
  const overrides = {
    ...(stopReason === undefined ? {} : { finishReason: stopReason }),
    ...(thinking === undefined ? {} : { reasoning: thinking }),
    usage: { input_tokens: 10, output_tokens: 5 },
  };
  if (calls.length === 0) return { content: text, ...overrides };
  const toolCalls = calls.map((call) => ({
    name: call.name,
    arguments: JSON.stringify(call.arguments ?? {}),
    ...(call.id === undefined ? {} : { id: call.id }),
  }));
  return text === '' ? { toolCalls, ...overrides } : { content: text, toolCalls, ...overrides };
}
