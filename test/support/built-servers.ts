import { spawn } from 'node:child_process';
import { cp, rm } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { prepare, textOf, type Preparation, type Prepared, type Run } from './user-cache.ts';
import { firstLine, running, stopTree, type Peer } from './peers.ts';

/** How a built server talks; see `test/interop/servers/README.md`. */
export type Output = 'sse' | 'http' | 'json' | 'stateless' | 'stdio';

/** A server in another language, whose source is in `test/interop/servers`. */
export type BuiltServer = 'go-official' | 'go-mcp-go' | 'rust-rmcp' | 'java-official';

const sources = (name: string): string =>
  fileURLToPath(new URL(`../interop/servers/${name}`, import.meta.url));

interface Language {
  needs: Preparation['needs'];
  build: (source: string, directory: string, run: Run) => Promise<void>;
  /** The command that starts what was built. */
  command: (directory: string) => [command: string, ...args: string[]];
}

/** The programs of a module: the server, and those of its folders that are named. */
const go = (...folders: string[]): Language => ({
  needs: [['go', 'version']],
  build: async (source, directory, run) => {
    const build = ['build', '-buildvcs=false', '-o'];
    await run('go', [...build, join(directory, 'server'), '.'], { cwd: source });
    for (const folder of folders) {
      await run('go', [...build, join(directory, folder), `./${folder}`], { cwd: source });
    }
  },
  command: (directory) => [join(directory, 'server')],
});

const rust: Language = {
  needs: [['cargo', '--version']],
  build: async (source, directory, run) => {
    const target = join(directory, 'target');
    const env = { ...process.env, CARGO_TARGET_DIR: target };
    await run('cargo', ['build', '--locked', '--quiet'], { cwd: source, env });
    await cp(join(target, 'debug', 'rust-rmcp'), join(directory, 'server'));
    await cp(join(target, 'debug', 'tasks'), join(directory, 'tasks'));
    await rm(target, { recursive: true });
  },
  command: (directory) => [join(directory, 'server')],
};

const java: Language = {
  needs: [
    ['java', '-version'],
    ['mvn', '--version'],
  ],
  build: async (source, directory, run) => {
    // Maven writes beside its sources.
    const project = join(directory, 'project');
    await cp(source, project, { recursive: true });
    const goals = ['compile', 'dependency:copy-dependencies', '-DincludeScope=runtime'];
    await run('mvn', ['-q', '-B', '-ntp', ...goals], { cwd: project });
  },
  command: (directory) => {
    const target = join(directory, 'project', 'target');
    const path = [join(target, 'classes'), join(target, 'dependency', '*')].join(delimiter);
    return ['java', '-XX:TieredStopAtLevel=1', '-cp', path, 'Server'];
  },
};

const languages: Record<BuiltServer, Language> = {
  'go-official': go(),
  'go-mcp-go': go('tasks'),
  'rust-rmcp': rust,
  'java-official': java,
};

/** Builds a server, once for each state of its sources. */
export async function prepareServer(name: BuiltServer): Promise<Prepared> {
  const { needs, build } = languages[name];
  const source = sources(name);
  return await prepare({
    name,
    sources: await textOf(source),
    needs,
    make: (directory, run) => build(source, directory, run),
  });
}

/** What a server is started with. */
export interface BuiltServerOptions {
  /** Where it was built. */
  directory: string;
  output: Output;
  /** Where it writes down what happened. */
  events: string;
  /** Default: any that is free. */
  port?: number;
}

/** The command that starts a server; of one that is spoken to over stdio, all that there is. */
export function commandOf(
  name: BuiltServer,
  { directory, output, events, port = 0 }: BuiltServerOptions,
): { command: string; args: string[] } {
  const [command, ...args] = languages[name].command(directory);
  return { command, args: [...args, output, String(port), events] };
}

/** Starts a server that listens on a port of 127.0.0.1. */
export async function startServer(name: BuiltServer, options: BuiltServerOptions): Promise<Peer> {
  const { command, args } = commandOf(name, options);
  const child = spawn(command, args);
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => (text += more));
  try {
    const port = await firstLine(child, () => text);
    const path = options.output === 'sse' ? '/sse' : '/mcp';
    return running(child, `http://127.0.0.1:${port}${path}`, () => text);
  } catch (error) {
    await stopTree(child);
    throw error;
  }
}
