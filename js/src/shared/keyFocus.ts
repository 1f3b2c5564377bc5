/**
 * Gives a widget the keyboard when a person has run its cell, says whether its keys are
 * live, and lets Enter lead into it.
 *
 * Until the widget has the focus, its keys are the notebook's: there `a` inserts a cell
 * and `x` cuts the one with the widget.
 */
import { createElement, setText } from "./dom";
import type { Unsubscribe } from "./environment";

/** Frames for which a view may wait to be put into the page: hosts render before they attach. */
const MAX_FRAMES = 60;

const CELL = ".jp-Cell";
const ACTIVE_CELL = ".jp-Cell.jp-mod-active";
const EDITABLE = "input, textarea, select, [contenteditable]:not([contenteditable='false'])";

/**
 * Offer the keyboard to a view; return what ends that.
 *
 * @param widgetId Identifies the widget across reloads of the page; empty if unknown.
 */
export function offerKeys(root: HTMLElement, widgetId: string): Unsubscribe {
  const keyFocus = new KeyFocus(root, isOfThisRun(widgetId));
  return () => keyFocus.dispose();
}

class KeyFocus {
  private readonly hint = createElement("div", "keys-off");
  /** Whether the person has left the widget by Escape, and stays in its cell: Enter then edits the cell. */
  private hasLeft = false;
  private isEscape = false;
  private frame = 0;
  private readonly listeners = new AbortController();

  constructor(
    private readonly root: HTMLElement,
    private readonly isOfThisRun: boolean,
  ) {
    const { signal } = this.listeners;
    root.append(this.hint);
    root.addEventListener("keydown", ({ key }) => (this.isEscape = key === "Escape"), { signal, capture: true });
    root.addEventListener("focusout", (event) => this.noteLeaving(event), { signal });
    // JupyterLab's shortcuts listen on the document: the window comes before it.
    window.addEventListener("keydown", (event) => this.enterByKey(event), { signal, capture: true });
    for (const type of ["keydown", "pointerdown"]) {
      window.addEventListener(type, () => (lastActAt = Date.now()), { signal, capture: true });
    }
    document.addEventListener("focusin", (event) => this.noteFocus(event), { signal });
    this.showHint();
    this.takeOnceAttached(MAX_FRAMES);
  }

  dispose(): void {
    this.listeners.abort();
    cancelAnimationFrame(this.frame);
  }

  private takeOnceAttached(framesLeft: number): void {
    if (this.root.isConnected) {
      this.showHint();
      // At the end of the frame, when the host has done its part: a focus lays the whole page out.
      if (this.isOfThisRun) this.frame = requestAnimationFrame(() => this.isCellSelected() && this.take());
    } else if (framesLeft > 0) {
      this.frame = requestAnimationFrame(() => this.takeOnceAttached(framesLeft - 1));
    }
  }

  private take(): void {
    const target = this.root.matches("[tabindex]") ? this.root : this.root.querySelector<HTMLElement>("[tabindex='0']");
    target?.focus({ preventScroll: true });
  }

  /** Return whether keys would act on the widget's cell, and nobody is typing. */
  private isCellSelected(): boolean {
    const active = document.activeElement;
    const cell = this.root.closest(ACTIVE_CELL);
    if (cell === null || this.root.contains(active)) return false;
    if (active === null || active === document.body) return true;
    return active.matches(EDITABLE) ? false : active === cell || active.contains(cell);
  }

  private enterByKey(event: KeyboardEvent): void {
    const hasModifier = event.ctrlKey || event.metaKey || event.altKey || event.shiftKey;
    if (event.key !== "Enter" || hasModifier || this.hasLeft || !this.isCellSelected()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.take();
  }

  private noteLeaving({ relatedTarget }: FocusEvent): void {
    const stays = relatedTarget instanceof Node && this.root.contains(relatedTarget);
    if (!this.isEscape || stays) return;
    this.setLeft(true);
    // Without the cell in focus, no key of the notebook would work.
    queueMicrotask(() => this.root.closest<HTMLElement>(CELL)?.focus({ preventScroll: true }));
  }

  private noteFocus({ target }: FocusEvent): void {
    const cell = this.root.closest(CELL);
    if (target instanceof Node && (this.root.contains(target) || cell?.contains(target) === false)) this.setLeft(false);
  }

  private setLeft(hasLeft: boolean): void {
    this.hasLeft = hasLeft;
    this.showHint();
  }

  private showHint(): void {
    const canEnter = this.root.closest(CELL) !== null && !this.hasLeft;
    setText(this.hint, canEnter ? "Press Enter or click to use the keys" : "Click to use the keys");
  }
}

/** When a person last pressed a key or a button, while any widget was in the page; milliseconds. */
let lastActAt = -Infinity;
/** Milliseconds within which a view that appears is taken for the effect of a key or a click. */
const RECENT = 5_000;

const SEEN_KEY = "nbner seen widgets";
const MAX_SEEN = 100;

/** Return whether a person's act has just made a widget, or shown it again; a reload is none. */
function isOfThisRun(widgetId: string): boolean {
  const isNew = widgetId !== "" && rememberSeen(widgetId);
  const hasJustActed = Date.now() - lastActAt < RECENT;
  return navigator.userActivation?.hasBeenActive === true && (isNew || hasJustActed);
}

/** Remember a widget for as long as the browser's tab lives; return whether it is new to it. */
function rememberSeen(widgetId: string): boolean {
  try {
    const seen = (sessionStorage.getItem(SEEN_KEY) ?? "").split(" ");
    if (seen.includes(widgetId)) return false;
    sessionStorage.setItem(SEEN_KEY, [...seen, widgetId].slice(-MAX_SEEN).join(" "));
    return true;
  } catch {
    // A browser may forbid storage: then only a recent key or click counts.
    return false;
  }
}
