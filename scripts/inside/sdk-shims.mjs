// In the command the SDK's client is always given a validator of Longwire's: its own stays out.
export const CORS_IS_POSSIBLE = false;

export class DefaultJsonSchemaValidator {
  getValidator() {
    throw new Error('the SDK was given no validator');
  }
}
