import { format } from 'prettier';
import { expect, test } from 'vitest';
import { configJsonSchema } from '../../src/config/index.ts';

// `vitest -u` writes it anew.
test('longwire.schema.json is what the schema says', async () => {
  const text = JSON.stringify(configJsonSchema());
  const formatted = await format(text, { parser: 'json', printWidth: 100 });
  await expect(formatted).toMatchFileSnapshot('../../longwire.schema.json');
});

test('in a profile, everything may be taken away and nothing is required', () => {
  const schema = configJsonSchema();
  const servers =
    'properties.profiles.additionalProperties.properties.servers.additionalProperties.anyOf';
  expect(schema).toHaveProperty(`${servers}.1`, { type: 'null' });
  expect(schema).not.toHaveProperty(`${servers}.0.required`);
  expect(schema).toHaveProperty(`${servers}.0.properties.url.anyOf`, [
    expect.objectContaining({ type: 'string' }),
    { type: 'null' },
  ]);
});
