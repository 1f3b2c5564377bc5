/** The scripts and styles of widgets that the page has loaded, for a loader that needs nothing else. */

/** Set by the bundler; changes with any of the sources. */
declare const BUILD: string;

/** Name a widget's bundle of this build, and the event of the document that tells of it. */
export const nameOfBuild = (widget: string): string => `nbner ${widget} ${BUILD}`;

/** The default exports that the page has loaded, by the symbols of their builds. */
const loadedWidgets = <Widget>(): Record<symbol, Widget | undefined> =>
  globalThis as unknown as Record<symbol, Widget | undefined>;

/**
 * Return the first widget of this build that the page has loaded, and tell the loaders that wait for it.
 *
 * Each output brings its own copy of the script, which the browser compiles
 * anew; the functions of the first copy are compiled already.
 */
export function reuseLoaded<Widget>(name: string, widget: Widget): Widget {
  const kept = (loadedWidgets<Widget>()[Symbol.for(nameOfBuild(name))] ??= widget);
  document.dispatchEvent(new Event(nameOfBuild(name)));
  return kept;
}

/** Return a widget that the page has loaded with its style; undefined where it has not. */
export function findLoaded<Widget>(name: string): Widget | undefined {
  return hasStyle(name) ? loadedWidgets<Widget>()[Symbol.for(nameOfBuild(name))] : undefined;
}

/** Return whether the page has the style of a widget of this build; one in a shadow root is not the page's. */
export function hasStyle(widget: string): boolean {
  const banner = `/*${nameOfBuild(widget)}*/`;
  return [...document.querySelectorAll("style")].some((style) => style.textContent?.startsWith(banner));
}
