import { once } from 'node:events';
import { createServer, request as ask, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { authority, companyServer, type Certificate } from './certificates.ts';
import { startTlsFront } from './tls-front.ts';

/** What a proxy does that a test asks for. */
export interface ConnectProxyOptions {
  /** Where hosts are that it alone knows: `'mcp.company.example:443'` to `'127.0.0.1:3001'`. */
  hosts?: Readonly<Record<string, string>>;
  /** `USER:PASSWORD`, without which nobody gets through. Default: everybody does. */
  login?: string;
  /** What it says by `Proxy-Authenticate`. Default: Basic. */
  offered?: string;
  /** The status with which it answers everything. Default: it does what it is asked for. */
  status?: number;
  /** It takes connections and answers nothing. */
  silent?: boolean;
  /** It is spoken to by TLS. Default: it is not. */
  certificate?: Certificate;
  /** Default: any. */
  port?: number;
}

/** A proxy of HTTP on 127.0.0.1, for https by `CONNECT`, for http by whole URLs. */
export interface ConnectProxy extends AsyncDisposable {
  /** Its address, without a login. */
  readonly url: string;
  readonly port: number;
  /** What was asked for, in order: `CONNECT host:port`, or the method and URL. */
  readonly asked: string[];
  /** Cuts every connection that goes through it, and goes on. */
  cut(): void;
}

/** Starts one. Disposing it cuts what goes through it; one on the same `port` can be started then. */
export async function startConnectProxy({
  hosts = {},
  login,
  offered = 'Basic realm="proxy"',
  status,
  silent = false,
  certificate,
  port = 0,
}: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  };
  const wanted = login && `Basic ${Buffer.from(login).toString('base64')}`;
  /** The status with which a request is refused, if it is. */
  const refusal = ({ headers }: IncomingMessage): number | undefined =>
    wanted !== undefined && headers['proxy-authorization'] !== wanted ? 407 : status;
  const whereIs = (host: string): { host: string; port: number } => {
    const url = new URL(`http://${hosts[host] ?? host}`);
    return { host: url.hostname, port: Number(url.port || 80) };
  };
  const server = certificate === undefined ? createServer() : createTlsServer({ ...certificate });
  server.on('connection', keep);
  server.on('tlsClientError', () => {});
  (server as Server).on('connect', (request, client: Duplex, head: Buffer) => {
    asked.push(`CONNECT ${request.url}`);
    client.on('error', () => client.destroy());
    const refused = refusal(request);
    if (silent) return;
    if (refused !== undefined) {
      client.end(`HTTP/1.1 ${refused} No\r\nProxy-Authenticate: ${offered}\r\n\r\n`);
      return;
    }
    const upstream = connect(whereIs(request.url ?? ''));
    keep(upstream);
    upstream.on('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    upstream.on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
    upstream.on('connect', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      client.pipe(upstream).pipe(client);
    });
  });
  (server as Server).on('request', (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    const refused = refusal(request);
    const { url = '' } = request;
    if (refused !== undefined || !url.startsWith('http://')) {
      response
        .writeHead(refused ?? 400, { 'proxy-authenticate': offered })
        .end('the proxy says no');
      return;
    }
    const target = new URL(url);
    const { 'proxy-authorization': _own, ...headers } = request.headers;
    const passed = ask(
      {
        ...whereIs(target.host),
        method: request.method,
        path: target.pathname + target.search,
        headers,
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        response.flushHeaders();
        answer.pipe(response);
        answer.on('error', () => response.destroy());
      },
    );
    passed.on('error', () => {
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end('the proxy does not reach it');
    });
    response.on('close', () => passed.destroy());
    request.pipe(passed);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const own = (server.address() as AddressInfo).port;
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${own}`,
    port: own,
    asked,
    cut,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
  };
}

/** The network of a company: a server that only its proxy reaches, and that takes only known clients. */
export interface CompanyNetwork extends AsyncDisposable {
  /** `https://mcp.company.example`, which no other resolver knows. */
  readonly origin: string;
  readonly proxy: ConnectProxy;
  /** The option `ca` of whoever goes there; its `cert` and `key` are `companyClient`. */
  readonly ca: string;
}

/**
 * Puts a server of plain http behind TLS with a private authority and certificates of clients
 * (`companyClient` of certificates.ts), and that behind a proxy.
 */
export async function startCompanyNetwork(
  origin: string,
  options: ConnectProxyOptions = {},
): Promise<CompanyNetwork> {
  const front = await startTlsFront(origin, companyServer, { clientAuthority: authority });
  const proxy = await startConnectProxy({
    ...options,
    hosts: { 'mcp.company.example:443': new URL(front.origin).host, ...options.hosts },
  });
  return {
    origin: 'https://mcp.company.example',
    proxy,
    ca: authority,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await front[Symbol.asyncDispose]();
    },
  };
}
