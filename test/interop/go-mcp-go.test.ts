import { describeLibrary } from './support/suite.ts';

const legacy = { protocolVersion: '2025-11-25', racesLastSteps: true } as const;
const modern = { protocolVersion: '2026-07-28', racesLastSteps: true } as const;

await describeLibrary({
  name: 'go-mcp-go',
  brokenCode: -32603,
  counts: { tools: 7, resources: 1, resourceTemplates: 1, prompts: 1 },
  ways: [
    { output: 'http', ...legacy },
    { output: 'stateless', ...modern, asks: ['ask-in-result'] },
    { output: 'sse', ...legacy, asks: [] },
    { output: 'stdio', ...legacy },
  ],
});
