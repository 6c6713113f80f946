import { isAbsolute, resolve } from 'node:path';
import { checkHeaders } from '../http/headers.js';
import { ProxyRules } from '../http/proxy.js';
import { parseTarget, type CommandTarget } from '../dial/target.js';
import { offsetOf, valueOf, type Located, type Property } from './document.js';
import { inputVariable } from './inputs.js';
import { positionIn, type Problems, type Source } from './problems.js';
import { clientOptionsIn, type WrittenServer } from './schema.js';
import type { MiddlewareConfig, NetworkConfig, ServerConfig } from './types.js';
import { expandVariables } from './variables.js';

/** What reading a server needs. */
export interface ServerReading {
  source: Source;
  /** Collects what is wrong with the server. */
  problems: Problems;
  /** From where paths start. */
  directory: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Variables beside those of the environment, which come first. */
  predefined: ReadonlyMap<string, string>;
  /** The answers to `${input:ID}`; `undefined` where it is no variable. */
  inputs?: Readonly<Record<string, string>>;
  /** Whether the server is disabled. */
  isDisabled: (value: Located) => boolean;
  /** Reads the plain value, which the schema accepts. */
  read: (value: unknown) => WrittenServer;
}

/** Reads one server; `undefined` where the problems say that it cannot be used. */
export function readServerConfig(
  name: string,
  { keyOffset, value }: Property,
  reading: ServerReading,
): ServerConfig | undefined {
  const { source, problems } = reading;
  const isDisabled = reading.isDisabled(value);
  const variables = new Set<string>();
  const document = isDisabled ? value : expanded(value, name, { ...reading, variables });
  // A text without its variables would cause further problems that mean nothing.
  if (problems.error() !== undefined) return undefined;
  let written: WrittenServer;
  try {
    written = reading.read(valueOf(document));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    problems.add(keyOffset, `server ${JSON.stringify(name)}: ${reason}`);
    return undefined;
  }
  const { tools = {}, middleware = [] } = written;
  const { headers } = written;
  const config: ServerConfig = {
    name,
    place: `${source.file}:${positionIn(source, keyOffset).line}`,
    target: targetOf(written, reading.directory),
    options: {
      name,
      ...(headers !== undefined && { headers }),
      ...clientOptionsIn(written),
    },
    network: networkOf(written, reading.directory),
    middleware: middleware.map(normalized),
    tools,
    disabled: isDisabled,
    variables: [...variables],
    written: valueOf(value),
  };
  if (!isDisabled) {
    const report = (path: string[], message: string): void =>
      problems.add(
        path.length === 0 ? keyOffset : offsetOf(document, path),
        `server ${JSON.stringify(name)} ${message}`,
      );
    checkName(name, report);
    checkTarget(written, report);
    checkHeaderValues(headers ?? {}, report);
  }
  return config;
}

type Report = (path: string[], message: string) => void;

/** Refuses names that the command line would take for something else. */
function checkName(name: string, report: Report): void {
  if (name === '' || /^[@-]|:\/\//.test(name)) {
    report([], 'has a name that is none: it must not be empty, a URL, or begin with @ or -');
  }
}

function checkTarget(written: WrittenServer, report: Report): void {
  const { url, command, transport } = written;
  if (url === undefined && command === undefined)
    return report([], 'has no "url" and no "command"');
  if (url !== undefined && command !== undefined) {
    return report(['url'], 'has both "url" and "command": a profile takes one away with null');
  }
  if (url === undefined) {
    for (const key of ['proxy', 'ca', 'cert', 'key', 'passphrase'] as const) {
      if (written[key] !== undefined) {
        report([key], `is a command, which is not reached over a network: "${key}" is for a URL`);
      }
    }
    if (command?.trim() === '') report(['command'], 'has an empty "command"');
    if (written.headers !== undefined)
      report(['headers'], 'is a command, which takes "env" and no "headers"');
    if (transport !== undefined && transport !== 'stdio') {
      report(['transport'], `is a command, which is spoken to by stdio and not by ${transport}`);
    }
    return;
  }
  for (const key of ['args', 'env', 'cwd'] as const) {
    if (written[key] !== undefined) report([key], `is at a URL: "${key}" is for a command`);
  }
  checkProxy(written, report);
  if (transport === 'stdio') report(['transport'], 'is at a URL: stdio is for a command');
  try {
    parseTarget(url);
  } catch (error) {
    report(['url'], `has a wrong "url": ${(error as TypeError).message}`);
  }
}

function checkProxy({ proxy }: WrittenServer, report: Report): void {
  if (proxy === undefined || proxy === 'none') return;
  try {
    ProxyRules.of(proxy);
  } catch (error) {
    report(
      ['proxy'],
      `has a wrong "proxy": ${(error as TypeError).message.slice('proxy: '.length)}`,
    );
  }
}

function checkHeaderValues(headers: Readonly<Record<string, string>>, report: Report): void {
  for (const [header, value] of Object.entries(headers)) {
    const path = ['headers', header];
    if (value.trim() === '') {
      report(path, `has an empty header ${JSON.stringify(header)}`);
      continue;
    }
    try {
      checkHeaders({ [header]: value });
    } catch (error) {
      report(path, (error as TypeError).message.replace(/^headers: /, 'has a wrong header: '));
    }
  }
}

function targetOf(written: WrittenServer, directory: string): string | CommandTarget {
  const { url, command, args, env, cwd } = written;
  if (command === undefined) return url ?? '';
  return {
    command,
    ...(args !== undefined && { args }),
    ...(env !== undefined && { env }),
    ...(cwd !== undefined && { cwd: isAbsolute(cwd) ? cwd : resolve(directory, cwd) }),
  };
}

function networkOf(written: WrittenServer, directory: string): NetworkConfig {
  const { proxy, ca, cert, key, passphrase } = written;
  const at = (path: string): string => (isAbsolute(path) ? path : resolve(directory, path));
  return {
    ...(proxy !== undefined && { proxy }),
    ...(ca !== undefined && { ca: at(ca) }),
    ...(cert !== undefined && { cert: at(cert) }),
    ...(key !== undefined && { key: at(key) }),
    ...(passphrase !== undefined && { passphrase }),
  };
}

function normalized(written: NonNullable<WrittenServer['middleware']>[number]): MiddlewareConfig {
  if (typeof written === 'string') return { name: written, options: {} };
  const { name, ...options } = written;
  return { name, options };
}

/** The same with variables expanded. Empty values are allowed only where they grant no access. */
function expanded(
  document: Located,
  server: string,
  { problems, env, predefined, inputs, variables }: ServerReading & { variables: Set<string> },
): Located {
  const walk = (part: Located, mayBeEmpty: boolean, path: readonly string[]): Located => {
    switch (part.kind) {
      case 'object': {
        const members = [...part.members].map(([key, { keyOffset, value }]) => {
          const isPlain = mayBeEmpty || (path.length === 0 && (key === 'args' || key === 'env'));
          return [key, { keyOffset, value: walk(value, isPlain, [...path, key]) }] as const;
        });
        return { ...part, members: new Map(members) };
      }
      case 'array':
        return { ...part, items: part.items.map((item) => walk(item, mayBeEmpty, path)) };
      case 'value': {
        if (typeof part.value !== 'string') return part;
        const value = expandVariables(part.value, {
          mayBeEmpty,
          predefined: new Set(predefined.keys()),
          lookup: (name) => {
            const isSet = Object.hasOwn(env, name) && env[name] !== undefined;
            if (isSet || predefined.has(name)) variables.add(name);
            return isSet ? env[name] : predefined.get(name);
          },
          ...(inputs !== undefined && {
            input: (id: string) =>
              Object.hasOwn(inputs, id) ? inputs[id] : env[inputVariable(id)],
          }),
          report: (message, variable) => {
            const place = `"${path.join('.')}" of server ${JSON.stringify(server)}`;
            problems.add(part.offset, `${place}: ${message}`, variable);
          },
        });
        return { ...part, value };
      }
    }
  };
  return walk(document, false, []);
}
