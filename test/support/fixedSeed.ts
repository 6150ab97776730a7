/**
 * Loaded before every test file: with `CI=true` properties take the same examples in every run, so that a pipeline says the same about the
 * same commit. Everywhere else each run takes new ones, and finds what the fixed ones do not.
 */
import fc from "fast-check";

if (process.env["CI"] === "true") fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20_261_123 });
