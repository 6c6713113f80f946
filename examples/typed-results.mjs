/**
 * What a result has to be: a schema for one call, errors of tools that are thrown, and the events of a
 * server by name.
 */
import { createClient, dataOf, textOf, ToolResultError } from '@longwire/client';
import { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';

const cities = new Map([['Oslo', 4]]);
const client = createClient({
  server: () => {
    const server = new McpServer(
      { name: 'weather', version: '1.0.0' },
      { capabilities: { logging: {} } },
    );
    const inputSchema = z.object({ city: z.string() });
    server.registerTool('weather', { inputSchema }, async ({ city }) => {
      await server.server.sendLoggingMessage({ level: 'info', data: `asked for ${city}` });
      const celsius = cities.get(city);
      if (celsius === undefined) throw new Error(`no such city: ${city}`);
      return { content: [{ type: 'text', text: JSON.stringify({ city, celsius }) }] };
    });
    return server;
  },
});

client.on('log', ({ level, data }) => console.log(`${level}: ${String(data)}`));

const Weather = z.object({ city: z.string(), celsius: z.number() });
const { data } = await client.callTool('weather', { city: 'Oslo' }, { result: Weather });
console.log(`${data.city}: ${data.celsius.toFixed(1)} degrees`);

const result = await client.callTool('weather', { city: 'Oslo' });
console.log(textOf(result), dataOf(result));

try {
  await client.callTool('weather', { city: 'Atlantis' }, { throwOnToolError: true });
} catch (error) {
  if (!(error instanceof ToolResultError)) throw error;
  console.log(`${error.code}, ${error.certainty}: ${error.summary}`);
}

const Wrong = z.object({ kelvin: z.number() });
await client.callTool('weather', { city: 'Oslo' }, { result: Wrong }).catch((error) => {
  console.log(`${error.code}: ${error.summary}`);
});
await client.close();
