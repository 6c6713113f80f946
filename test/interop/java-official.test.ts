import { describeLibrary } from './support/suite.ts';

const legacy = { protocolVersion: '2025-11-25', hearsCancellation: false, asks: ['ask'] } as const;

await describeLibrary({
  name: 'java-official',
  brokenCode: -32050,
  counts: { tools: 6, resources: 1, resourceTemplates: 1, prompts: 1 },
  ways: [
    { output: 'http', ...legacy },
    { output: 'sse', ...legacy, protocolVersion: '2024-11-05' },
    { output: 'stdio', ...legacy },
  ],
});
