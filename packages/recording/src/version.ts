/** The version of all Longwire packages. */
export const VERSION: string = '0.1.0';
