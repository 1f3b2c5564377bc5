/** Set by the bundler; changes with any of the sources. */
declare const BUILD: string;

/**
 * Every widget brings its script along, and the browser takes each for a new
 * one. The first of a build serves them all: its functions are compiled by then.
 */
export function reuseLoaded<Widget>(name: string, widget: Widget): Widget {
  const loaded = globalThis as unknown as Record<symbol, Widget | undefined>;
  return (loaded[Symbol.for(`nbner ${name} ${BUILD}`)] ??= widget);
}
