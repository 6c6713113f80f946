import Anthropic from '@anthropic-ai/sdk';
import type { CreateMessageRequestParams } from '@longwire/client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answerSampling } from '../src/index.ts';
import { startScriptedClaude } from './support/scripted-claude.ts';
import { png } from './support/setup.ts';

async function ask(
  params: Partial<CreateMessageRequestParams>,
  options: { maxTokens?: number; stopReason?: string } = {},
) {
  const { maxTokens, ...answer } = options;
  const claude = await startScriptedClaude([{ text: 'Tea.', ...answer }]);
  onTestFinished(() => claude.close());
  const anthropic = new Anthropic({ apiKey: 'k', baseURL: claude.url, maxRetries: 0 });
  const messages = [{ role: 'user' as const, content: { type: 'text' as const, text: 'What?' } }];
  const result = await answerSampling(
    { messages, maxTokens: 100, ...params },
    { anthropic, model: 'claude-x', ...(maxTokens !== undefined && { maxTokens }) },
  );
  return { result, body: claude.bodies()[0] };
}

describe('what a server asks of a model', () => {
  it('is asked as the server wrote it, and answered', async () => {
    const { result, body } = await ask({
      systemPrompt: 'Be short',
      stopSequences: ['END', ' '],
      temperature: 7,
      modelPreferences: { hints: [{ name: 'gpt' }] },
    });
    expect(result).toMatchObject({
      role: 'assistant',
      content: { type: 'text', text: 'Tea.' },
      stopReason: 'endTurn',
    });
    expect(body).toMatchObject({
      model: 'claude-x',
      max_tokens: 100,
      system: 'Be short',
      stop_sequences: ['END'],
      temperature: 1,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'What?' }] }],
    });
  });

  it('has the tokens that are allowed, not those that are asked for', async () => {
    const { result, body } = await ask(
      { maxTokens: 1_000_000 },
      { maxTokens: 50, stopReason: 'length' },
    );
    expect(body).toMatchObject({ max_tokens: 50 });
    expect(result.stopReason).toBe('maxTokens');
  });

  it('may have images, and several blocks in a message', async () => {
    const { body } = await ask({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image', data: png, mimeType: 'image/png' },
          ],
        },
      ],
    });
    expect(body?.messages[0]?.content).toMatchObject([{ type: 'text' }, { type: 'image' }]);
  });

  it.each<[string, Partial<CreateMessageRequestParams>]>([
    [
      'can have text and images',
      { messages: [{ role: 'user', content: { type: 'audio', data: '', mimeType: 'audio/wav' } }] },
    ],
    ['says nothing', { messages: [{ role: 'user', content: { type: 'text', text: ' ' } }] }],
    ['says nothing', { messages: [] }],
    ['tools in a sampling request', { tools: [] }],
  ])('is refused where it %s', async (reason, params) => {
    await expect(ask(params)).rejects.toThrow(reason);
  });
});
