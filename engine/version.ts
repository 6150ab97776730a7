/** The version of the extension and the engine; a test compares it with package.json. */
export const version = "0.1.0";
