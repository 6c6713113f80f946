// In the command Ajv is loaded with the first schema, and not with the SDK.
export class Ajv {
  constructor(options) {
    const { Ajv: Loaded } = require('ajv');
    return new Loaded(options);
  }
}
