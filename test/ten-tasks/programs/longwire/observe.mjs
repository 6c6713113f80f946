import { connect } from '@longwire/client';
import { logging } from '@longwire/client/middleware';
import { metrics } from '@longwire/client/middleware/metrics';
import { tracing } from '@longwire/client/middleware/tracing';
import { logger, register, tracerProvider } from '../telemetry.mjs';

const client = await connect(process.env.MARKET_URL, {
  middleware: [
    tracing({ tracer: tracerProvider.getTracer('market') }),
    metrics({ registry: register }),
    logging(logger),
  ],
});
await client.listTools(); // only tools that are listed have figures of their own
await client.callTool('price', { symbol: 'AAPL' });
await client.callTool('price', { symbol: 'MSFT' });
await client.callTool('halt');
await client.close();
