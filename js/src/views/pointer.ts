/**
 * Dragging over tokens, double clicks and clicks.
 *
 * The browser's own text selection does the dragging, so that it works for
 * every script, direction and pointing device; what it touches is taken as
 * whole tokens, shown while the drag goes on.
 */
import type { Off } from "../core/port";
import type { Stretch } from "../core/spans";
import { tokenOf, tokensIn } from "./ranges";

export interface Gestures {
  tokens(): readonly HTMLElement[];
  /** The stretch that letting go would label; null when the drag has ended. */
  preview(stretch: Stretch | null): void;
  label(stretch: Stretch): void;
  click(token: number | null, target: EventTarget | null): void;
}

/** A hand that clicks may tremble by so many pixels. */
const TREMOR = 3;

export function listenForGestures(surface: HTMLElement, gestures: Gestures): Off {
  let stop: Off | null = null;

  const press = (down: MouseEvent): void => {
    if (down.button !== 0 || isControl(down.target)) return;
    stop?.();
    const look = (): void => gestures.preview(selectedTokens(gestures.tokens()));
    const release = (up: MouseEvent): void => {
      if (up.button !== 0) return;
      stop?.();
      finish(down, up, gestures);
    };
    // The hand may leave the text, or the frame, before it lets go.
    document.addEventListener("selectionchange", look);
    document.addEventListener("mouseup", release);
    stop = () => {
      document.removeEventListener("selectionchange", look);
      document.removeEventListener("mouseup", release);
      stop = null;
    };
  };

  surface.addEventListener("mousedown", press);
  return () => {
    stop?.();
    surface.removeEventListener("mousedown", press);
  };
}

const isControl = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest("button, input") !== null;

function finish(down: MouseEvent, up: MouseEvent, gestures: Gestures): void {
  const stretch = selectedTokens(gestures.tokens());
  const token = tokenOf(down.target);
  const moved = Math.hypot(up.clientX - down.clientX, up.clientY - down.clientY) > TREMOR;
  const isDrag = stretch !== null && (moved || up.shiftKey);
  gestures.preview(null);
  if (isDrag || up.detail > 1) getSelection()?.removeAllRanges();
  if (isDrag) gestures.label(stretch);
  // The word that the browser picks at a double click may be more than a token, or less.
  else if (up.detail > 1 && token !== null) gestures.label({ start: token, end: token + 1 });
  else if (up.detail <= 1) gestures.click(token, up.target);
}

function selectedTokens(tokens: readonly HTMLElement[]): Stretch | null {
  const selection = getSelection();
  if (selection === null || selection.isCollapsed || selection.rangeCount === 0) return null;
  return tokensIn(selection.getRangeAt(0), tokens);
}
