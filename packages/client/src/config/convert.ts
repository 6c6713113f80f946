import { sep } from 'node:path';
import { readRestrictions } from './restrictions.js';
import { readForeignServer, type WrittenServer } from './schema.js';

/**
 * A server of another program (`written` of its configuration) as a `longwire.json` has it. Variables are
 * kept: `${env:NAME}` is `${NAME}` there, and `${input:ID}` is `${ID}` in capitals. `directories` are what
 * `workspaceFolder` and `cwd` stand for.
 *
 * @throws Error that says why, for a server that a `longwire.json` cannot have.
 */
export function convertServer(
  written: unknown,
  directories: Readonly<Record<'workspaceFolder' | 'cwd', string>>,
): WrittenServer {
  const { type, command, args, cwd, headers, env, envFile, ...rest } = readForeignServer(written);
  const { tools, disabled } = readRestrictions(written as Record<string, unknown>);
  const own = (text: string): string => converted(text, directories);
  const ownValues = (values: object): Record<string, string> =>
    Object.fromEntries(
      Object.entries(values).flatMap(([name, value]) =>
        value === null ? [] : [[name, own(String(value))]],
      ),
    );
  const shared = {
    ...(Object.keys(tools).length > 0 && { tools }),
    ...(disabled && { disabled }),
  };
  const url = rest.httpUrl ?? rest.url ?? rest.serverUrl;
  if (url !== undefined && type !== 'stdio') {
    return {
      url: own(url),
      ...(headers !== undefined &&
        Object.keys(headers).length > 0 && { headers: ownValues(headers) }),
      ...shared,
    };
  }
  if (command === undefined) throw new Error('it has no "url" and no "command"');
  if (envFile !== undefined) {
    throw new Error('it has an "envFile", for which a longwire.json has no place: write its "env"');
  }
  return {
    command: own(command),
    ...(args !== undefined && args.length > 0 && { args: args.map(own) }),
    ...(env !== undefined && Object.keys(env).length > 0 && { env: ownValues(env) }),
    ...(cwd !== undefined && { cwd: own(cwd) }),
    ...shared,
  };
}

/** The variable of a `longwire.json` for `${input:ID}`. */
export function variableOfInput(id: string): string {
  const name = id.toUpperCase().replace(/\W+/g, '_');
  return /^\d/.test(name) ? `_${name}` : name;
}

function converted(text: string, directories: Readonly<Record<string, string>>): string {
  return text.replace(
    /(\$?)\$\{([^{}]*?)(:-|\})/g,
    (whole, escape: string, inner: string, end: string) => {
      if (escape !== '') return whole;
      const [, input] = /^input:(.+)$/.exec(inner) ?? [];
      if (input !== undefined) return `\${${variableOfInput(input)}${end}`;
      if (inner === 'userHome') return `\${HOME${end}`;
      const value =
        inner === '/' || inner === 'pathSeparator'
          ? sep
          : inner === 'workspaceFolderBasename'
            ? directories['workspaceFolder']?.split(/[\\/]/).at(-1)
            : Object.hasOwn(directories, inner)
              ? directories[inner]
              : undefined;
      if (value !== undefined && end === '}') return value.replaceAll('${', () => '$${');
      return `\${${inner.replace(/^env:/, '')}${end}`;
    },
  );
}
