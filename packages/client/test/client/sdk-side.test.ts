import { Client, type Transport } from '@modelcontextprotocol/client';
import { expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { goodAnswers, scriptedServers } from '../../../../test/support/scripted-servers.ts';
import { SdkSide } from '../../src/client/sdk-side.ts';
import { ReconnectingTransport } from '../../src/connection/transport.ts';
import { resolveConnectionOptions } from '../../src/connection/resolve-options.ts';
import { parseTarget } from '../../src/dial/target.ts';
import { failureOf } from '../support/failure-of.ts';

expectNothingLeftOpen();

/** One that shakes hands, and makes nothing of the answer. */
class DeafClient extends Client {
  override async connect(transport: Transport): Promise<void> {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: {} };
    await transport.send({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
    return new Promise(() => {});
  }
}

it('does not wait for ever for a Client that makes nothing of an answer', async () => {
  await using server = await scriptedServers.sse(goodAnswers);
  const connection = new ReconnectingTransport(
    parseTarget(server.target),
    resolveConnectionOptions({}),
  );
  const side = new SdkSide({
    create: () => new DeafClient({ name: 'deaf', version: '1' }),
    stepMs: 50,
    onMessage: () => {},
    onFailure: () => {},
  });
  expect(await failureOf(side.attach(connection))).toMatchObject({
    name: 'ConnectError',
    code: 'connect-timeout',
  });
  await connection.close();
});
