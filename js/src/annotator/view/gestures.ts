/**
 * Handles drags over tokens, double clicks and clicks.
 *
 * A drag is the browser's own text selection, so that it works for every
 * script, direction and pointing device. It is extended to whole tokens, which
 * are highlighted while the drag goes on.
 */
import type { Unsubscribe } from "../../shared/environment";
import type { TokenRange } from "../../shared/tokens";
import { caretAtPoint, clearSelection, selectionIn, tokenOf, tokenRangeOf } from "./domRanges";

export interface GestureHandlers {
  tokens(): readonly HTMLElement[];
  /** Called with the range that letting go would label; with null when the drag has ended. */
  preview(range: TokenRange | null): void;
  label(range: TokenRange): void;
  /** Called with what a finger has selected, by the browser's own handles; a label is picked afterwards. */
  select(range: TokenRange): void;
  click(token: number | null, target: EventTarget | null): void;
}

/** Pixels by which the pointer may move during a click. */
const CLICK_TOLERANCE = 3;

export function listenForGestures(element: HTMLElement, gestures: GestureHandlers): Unsubscribe {
  let stop: Unsubscribe | null = null;

  const onPress = (down: MouseEvent): void => {
    if (down.button !== 0 || isControl(down.target)) return;
    stop?.();
    const begin = caretAtPoint(element, down);
    let last = down;
    const onMove = (event: Event): void => {
      if (event instanceof MouseEvent) last = event;
      if (hasMoved(down, last)) gestures.preview(rangeUnder(begin, last, element, gestures.tokens()));
    };
    const onRelease = (up: MouseEvent): void => {
      if (up.button !== 0) return;
      stop?.();
      endGesture(down, up, rangeUnder(begin, up, element, gestures.tokens()), gestures);
    };
    // The pointer may leave the text, or the frame, before the button is released.
    const listeners = [
      ["selectionchange", onMove],
      ["mousemove", onMove],
      ["mouseup", onRelease],
    ] as [string, (event: Event) => void][];
    listeners.forEach(([type, listener]) => document.addEventListener(type, listener));
    stop = () => {
      listeners.forEach(([type, listener]) => document.removeEventListener(type, listener));
      stop = null;
    };
  };

  element.addEventListener("mousedown", onPress);
  const stopTouch = listenForTouch(element, gestures);
  return () => {
    stop?.();
    stopTouch();
    element.removeEventListener("mousedown", onPress);
  };
}

/** Follow the browser's selection by touch: a long press on a word, whose ends are then moved. */
function listenForTouch(element: HTMLElement, gestures: GestureHandlers): Unsubscribe {
  let isTouch = false;
  const onPointerDown = ({ pointerType }: PointerEvent): void => {
    isTouch = pointerType === "touch";
  };
  const onSelection = (): void => {
    const selection = isTouch ? selectionIn(element) : null;
    if (selection === null || !element.contains(selection.commonAncestorContainer)) return;
    const range = tokenRangeOf(selection, gestures.tokens());
    if (range !== null) gestures.select(range);
  };
  element.addEventListener("pointerdown", onPointerDown);
  document.addEventListener("selectionchange", onSelection);
  return () => {
    element.removeEventListener("pointerdown", onPointerDown);
    document.removeEventListener("selectionchange", onSelection);
  };
}

const isControl = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest("button, input") !== null;

const hasMoved = (from: MouseEvent, to: MouseEvent): boolean =>
  Math.hypot(to.clientX - from.clientX, to.clientY - from.clientY) > CLICK_TOLERANCE;

function endGesture(down: MouseEvent, up: MouseEvent, range: TokenRange | null, gestures: GestureHandlers): void {
  const token = tokenOf(down.target);
  const isDrag = range !== null && (hasMoved(down, up) || up.shiftKey);
  gestures.preview(null);
  if (isDrag || up.detail > 1) clearSelection();
  if (isDrag) gestures.label(range);
  // The word that the browser selects at a double click may be more or less than a token.
  else if (up.detail > 1 && token !== null) gestures.label({ start: token, end: token + 1 });
  else if (up.detail <= 1) gestures.click(token, up.target);
}

/**
 * Return the tokens that the browser's selection touches. Where it has selected
 * nothing, as Chromium does when a drag begins at some fractions of a pixel,
 * use the positions where the pointer was pressed and is now.
 */
function rangeUnder(
  begin: Range | null,
  end: MouseEvent,
  element: HTMLElement,
  tokens: readonly HTMLElement[],
): TokenRange | null {
  const range = selectionIn(element) ?? rangeBetween(begin, caretAtPoint(element, end));
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
