// The part of Node that the tests use, so that nothing but the compiler has to be installed.
declare module "node:test" {
  export function test(name: string, run: () => void | Promise<void>): void;
  export function describe(name: string, run: () => void): void;
}
declare module "node:assert/strict" {
  interface Assert {
    (value: unknown, message?: string): asserts value;
    equal(actual: unknown, expected: unknown, message?: string): void;
    notEqual(actual: unknown, expected: unknown, message?: string): void;
    deepEqual(actual: unknown, expected: unknown, message?: string): void;
    ok(value: unknown, message?: string): asserts value;
    match(value: string, pattern: RegExp): void;
  }
  const assert: Assert;
  export default assert;
}
declare module "node:fs" {
  export function readdirSync(folder: URL, options: { recursive: true }): string[];
  export function readFileSync(file: URL, encoding: "utf8"): string;
}
interface ImportMeta {
  readonly url: string;
}
