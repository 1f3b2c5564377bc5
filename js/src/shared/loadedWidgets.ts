/** The scripts and styles of widgets that the page has loaded, for a loader that needs nothing else. */

/** Set by the bundler; changes with any of the sources. */
declare const BUILD: string;

/** Name a widget's bundle of this build. */
export const nameOfBuild = (widget: string): string => `nbner ${widget} ${BUILD}`;

/** The default exports that the page has loaded, by the symbols of their builds. */
export const loadedWidgets = <Widget>(): Record<symbol, Widget | undefined> =>
  globalThis as unknown as Record<symbol, Widget | undefined>;

/** Return whether the page has the style of a widget of this build; one in a shadow root is not the page's. */
export function hasStyle(widget: string): boolean {
  const banner = `/*${nameOfBuild(widget)}*/`;
  return [...document.querySelectorAll("style")].some((style) => style.textContent?.startsWith(banner));
}
