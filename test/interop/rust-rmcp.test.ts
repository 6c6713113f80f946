import { describeLibrary } from './support/suite.ts';

await describeLibrary({
  name: 'rust-rmcp',
  brokenCode: -32050,
  counts: { tools: 7, resources: 1, resourceTemplates: 1, prompts: 1 },
  ways: [
    {
      output: 'http',
      protocolVersion: '2026-07-28',
      asks: ['ask'],
      asksInNewest: ['ask-in-result'],
    },
    { output: 'json', protocolVersion: '2026-07-28', asks: ['ask-in-result'] },
    { output: 'stdio', protocolVersion: '2025-11-25', asks: ['ask'] },
  ],
});
