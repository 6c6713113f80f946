import { describeLibrary } from './support/suite.ts';

const legacy = { protocolVersion: '2025-11-25' };

await describeLibrary({
  name: 'go-official',
  brokenCode: -32050,
  counts: { tools: 7, resources: 1, resourceTemplates: 1, prompts: 1 },
  ways: [
    // Over Streamable HTTP with sessions it knows server/discover, and names older versions alone.
    { output: 'http', ...legacy },
    { output: 'json', ...legacy },
    { output: 'stateless', protocolVersion: '2026-07-28', asks: ['ask-in-result'] },
    { output: 'sse', ...legacy },
    { output: 'stdio', ...legacy },
  ],
});
