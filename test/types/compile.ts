import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { removeFolder } from '../support/remove-folder.ts';
import { prepare, type Prepared } from '../support/user-cache.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../', import.meta.url));

/** The compiler of this repository, which is native. */
export const compiler7 = join(repository, 'node_modules/typescript/bin/tsc');

/** The last compiler that is written in JavaScript, which many projects have. */
export function prepareTypescript5(): Promise<Prepared> {
  const wanted = 'typescript@5.9.3';
  return prepare({
    name: 'typescript-5',
    sources: wanted,
    needs: [['npm', '--version']],
    make: async (directory, run) => {
      const quietly = ['--no-audit', '--no-fund', '--loglevel=error'];
      await run('npm', ['install', '--prefix', directory, ...quietly, wanted]);
    },
  });
}

/** The compiler of {@link prepareTypescript5}. */
export function compiler5({ directory }: { directory: string }): string {
  return join(directory, 'node_modules/typescript/bin/tsc');
}

/** What a compiler says of these files, under `strict`; nothing if they are right. */
export async function compile(
  files: Readonly<Record<string, string>>,
  { compiler = compiler7, options = {} }: { compiler?: string; options?: object } = {},
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'longwire-types-'));
  try {
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
    const config = {
      compilerOptions: {
        strict: true,
        noEmit: true,
        target: 'es2022',
        module: 'nodenext',
        // The files themselves are looked at, though they are declarations.
        skipLibCheck: false,
        types: ['node'],
        typeRoots: [join(repository, 'node_modules/@types')],
        paths: {
          '@longwire/client': [join(repository, 'packages/client/dist/index.d.ts')],
          '@longwire/client/group': [join(repository, 'packages/client/dist/group/index.d.ts')],
        },
        ...options,
      },
      files: Object.keys(files),
    };
    await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(config));
    const { stdout } = await run(process.execPath, [compiler, '--project', directory], {
      maxBuffer: 50 * 1024 * 1024,
    }).catch((error: { stdout: string }) => error);
    return stdout.replace(
      /^\S*?([\w.]+)\((\d+),\d+\): .*$/gm,
      (said, name: string, line: string) =>
        `${said}\n  ${files[name]
          ?.split('\n')
          .slice(Number(line) - 1, Number(line) + 1)
          .join('\n  ')}`,
    );
  } finally {
    await removeFolder(directory);
  }
}
