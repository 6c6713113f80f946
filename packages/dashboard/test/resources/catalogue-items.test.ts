import { expect, it } from 'vitest';
import { Picture } from '@longwire/recording';
import { expandTemplate, readablesOf, readRequest } from '../../src/resources/catalogue-items.ts';
import { formOf } from '../../src/tools/form-model.ts';
import { initialValue } from '../../src/tools/form-values.ts';

it('makes URIs from templates', () => {
  const values = { name: 'a b', path: 'x/y', from: 1, to: '' };
  const templates = [
    'm://{name}/end',
    'm://{+path}',
    'm://s{/name}',
    'm://s{?from,to,name}',
    'm://{a}',
  ];
  expect(templates.map((template) => expandTemplate(template, values))).toEqual([
    'm://a%20b/end',
    'm://x/y',
    'm://s/a%20b',
    'm://s?from=1&name=a%20b',
    'm://',
  ]);
});

it('makes forms and requests of what a server has', () => {
  const picture = new Picture();
  const server = 'one';
  picture.apply({
    type: 'catalogue',
    server,
    at: 1,
    kind: 'prompts',
    items: [{ name: 'sum', arguments: [{ name: 'topic', required: true }, { name: 'tone' }] }],
  });
  picture.apply({
    type: 'catalogue',
    server,
    at: 1,
    kind: 'templates',
    items: [{ uriTemplate: 'm://{id}{?from}', name: 'series' }],
  });
  const known = picture.servers.get(server);
  if (known === undefined) throw new Error('no server');
  const [prompt] = readablesOf(known, 'prompts');
  const [template] = readablesOf(known, 'templates');
  if (prompt === undefined || template === undefined) throw new Error('nothing to read');
  const fieldsOf = (schema: unknown): unknown[] => {
    const form = formOf(schema);
    return form.kind === 'object'
      ? form.properties.map(({ name, isRequired }) => [name, isRequired])
      : [];
  };
  expect(fieldsOf(prompt.schema)).toEqual([
    ['topic', true],
    ['tone', false],
  ]);
  expect(fieldsOf(template.schema)).toEqual([
    ['id', true],
    ['from', false],
  ]);
  expect(initialValue(formOf(prompt.schema), true)).toEqual({});
  expect(readRequest(template, { id: 7 })).toEqual({
    server,
    method: 'resources/read',
    name: 'm://7',
  });
});

it('has what is subscribed to and not listed', () => {
  const picture = new Picture();
  const server = 'one';
  for (const [call, uri] of ['a://listed', 'a://hidden'].entries()) {
    picture.apply({ type: 'call', at: 1, server, call, method: 'resources/subscribe', name: uri });
    picture.apply({ type: 'end', at: 2, server, call, outcome: 'result', durationMs: 1 });
  }
  picture.apply({
    type: 'catalogue',
    at: 3,
    server,
    kind: 'resources',
    items: [{ uri: 'a://listed', name: 'listed' }],
  });
  const [one] = picture.servers.values();
  const ids = one && readablesOf(one, 'resources').map(({ id, name }) => [id, name]);
  expect(ids).toEqual([
    ['a://listed', 'listed'],
    ['a://hidden', 'a://hidden'],
  ]);
});
