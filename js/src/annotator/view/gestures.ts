/**
 * Dragging over tokens, double clicks and clicks.
 *
 * The browser's own text selection does the dragging, so that it works for
 * every script, direction and pointing device; what it touches is taken as
 * whole tokens, shown while the drag goes on.
 */
import type { Unsubscribe } from "../../shared/environment";
import type { TokenRange } from "../../shared/tokens";
import { caretAtPoint, clearSelection, selectionIn, tokenOf, tokenRangeOf } from "./domRanges";

export interface GestureHandlers {
  tokens(): readonly HTMLElement[];
  /** The stretch that letting go would label; null when the drag has ended. */
  preview(stretch: TokenRange | null): void;
  label(stretch: TokenRange): void;
  /** What a finger has selected, with the browser's own handles; a label is picked afterwards. */
  select(stretch: TokenRange): void;
  click(token: number | null, target: EventTarget | null): void;
}

/** A hand that clicks may tremble by so many pixels. */
const CLICK_TOLERANCE = 3;

export function listenForGestures(surface: HTMLElement, gestures: GestureHandlers): Unsubscribe {
  let stop: Unsubscribe | null = null;

  const press = (down: MouseEvent): void => {
    if (down.button !== 0 || isControl(down.target)) return;
    stop?.();
    const begin = caretAtPoint(surface, down);
    let last = down;
    const look = (event: Event): void => {
      if (event instanceof MouseEvent) last = event;
      if (hasMoved(down, last)) gestures.preview(rangeUnder(begin, last, surface, gestures.tokens()));
    };
    const release = (up: MouseEvent): void => {
      if (up.button !== 0) return;
      stop?.();
      endGesture(down, up, rangeUnder(begin, up, surface, gestures.tokens()), gestures);
    };
    // The hand may leave the text, or the frame, before it lets go.
    const listeners = [
      ["selectionchange", look],
      ["mousemove", look],
      ["mouseup", release],
    ] as [string, (event: Event) => void][];
    listeners.forEach(([type, listener]) => document.addEventListener(type, listener));
    stop = () => {
      listeners.forEach(([type, listener]) => document.removeEventListener(type, listener));
      stop = null;
    };
  };

  surface.addEventListener("mousedown", press);
  const stopTouch = listenForTouch(surface, gestures);
  return () => {
    stop?.();
    stopTouch();
    surface.removeEventListener("mousedown", press);
  };
}

/** A finger holds a word, and then moves the ends of what the browser has selected. */
function listenForTouch(surface: HTMLElement, gestures: GestureHandlers): Unsubscribe {
  let isTouch = false;
  const point = ({ pointerType }: PointerEvent): void => {
    isTouch = pointerType === "touch";
  };
  const look = (): void => {
    const range = isTouch ? selectionIn(surface) : null;
    if (range === null || !surface.contains(range.commonAncestorContainer)) return;
    const stretch = tokenRangeOf(range, gestures.tokens());
    if (stretch !== null) gestures.select(stretch);
  };
  surface.addEventListener("pointerdown", point);
  document.addEventListener("selectionchange", look);
  return () => {
    surface.removeEventListener("pointerdown", point);
    document.removeEventListener("selectionchange", look);
  };
}

const isControl = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest("button, input") !== null;

const hasMoved = (from: MouseEvent, to: MouseEvent): boolean =>
  Math.hypot(to.clientX - from.clientX, to.clientY - from.clientY) > CLICK_TOLERANCE;

function endGesture(down: MouseEvent, up: MouseEvent, stretch: TokenRange | null, gestures: GestureHandlers): void {
  const token = tokenOf(down.target);
  const isDrag = stretch !== null && (hasMoved(down, up) || up.shiftKey);
  gestures.preview(null);
  if (isDrag || up.detail > 1) clearSelection();
  if (isDrag) gestures.label(stretch);
  // The word that the browser picks at a double click may be more than a token, or less.
  else if (up.detail > 1 && token !== null) gestures.label({ start: token, end: token + 1 });
  else if (up.detail <= 1) gestures.click(token, up.target);
}

/**
 * The tokens that the browser's selection touches. Where it has selected
 * nothing, as Chromium does when a drag begins at some fractions of a pixel,
 * the places under the hand have to do.
 */
function rangeUnder(
  begin: Range | null,
  end: MouseEvent,
  surface: HTMLElement,
  tokens: readonly HTMLElement[],
): TokenRange | null {
  const range = selectionIn(surface) ?? rangeBetween(begin, caretAtPoint(surface, end));
  return range === null ? null : tokenRangeOf(range, tokens);
}

function rangeBetween(begin: Range | null, end: Range | null): Range | null {
  if (begin === null || end === null) return null;
  const isForward = begin.compareBoundaryPoints(Range.START_TO_START, end) <= 0;
  const [first, last] = isForward ? [begin, end] : [end, begin];
  const range = document.createRange();
  range.setStart(first.startContainer, first.startOffset);
  range.setEnd(last.startContainer, last.startOffset);
  return range;
}
