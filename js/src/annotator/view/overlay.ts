/**
 * Rings and tints over the text, and the button that removes a span.
 *
 * They are in a layer of their own: a ring drawn on the words themselves would
 * make the browser lay out the whole text at every step of the caret.
 */
import { createElement, prefixClasses, setAttributes } from "../../shared/dom";

/** What to draw, as boxes in the window. */
export interface OverlayShapes {
  /** Boxes of the caret or of the current mark. */
  readonly ring: readonly DOMRect[];
  /** Whether the caret was set by a click and selects nothing. */
  readonly isClicked: boolean;
  /** Boxes of the selection. */
  readonly tint: readonly DOMRect[];
  /** The box at whose upper end the remove button is placed; null hides it. */
  readonly removeAt: DOMRect | null;
  readonly isRightToLeft: boolean;
}

interface Shape {
  readonly className: string;
  readonly box: Box;
  /** The distance of the shape from its box. */
  readonly offset: number;
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Gaps between boxes up to this width are covered by the tint. */
const JOIN_GAP = 9;
const RING_OFFSET = 2;

export class Overlay {
  readonly element: HTMLElement;
  private readonly shapes = createElement("div", "shapes", { "aria-hidden": "true" });

  constructor(private readonly removeButton: HTMLElement) {
    removeButton.hidden = true;
    this.element = createElement("div", "overlay", {}, this.shapes, removeButton);
  }

  draw({ ring, isClicked, tint, removeAt, isRightToLeft }: OverlayShapes): void {
    const origin = this.element.getBoundingClientRect();
    const ringClass = isClicked ? "ring ring-loose" : "ring";
    const shapes: Shape[] = [
      ...joinBoxes(tint).map((box) => ({ className: "tint", box, offset: 0 })),
      ...ring.map((box) => ({ className: ringClass, box, offset: RING_OFFSET })),
    ];
    while (this.shapes.childElementCount > shapes.length) this.shapes.lastChild?.remove();
    shapes.forEach((shape, i) => this.drawShape(shape, i, origin));
    this.removeButton.hidden = removeAt === null;
    if (removeAt === null) return;
    const end = isRightToLeft ? removeAt.left : removeAt.right;
    moveTo(this.removeButton, end - origin.left, removeAt.top - origin.top);
  }

  /** Draw a shape with the element at its index, which is reused from draw to draw. */
  private drawShape({ className, box, offset }: Shape, index: number, origin: Box): void {
    let element = this.shapes.children[index] as HTMLElement | undefined;
    if (element === undefined) this.shapes.append((element = createElement("div", className)));
    setAttributes(element, { class: prefixClasses(className) });
    moveTo(element, box.left - origin.left - offset, box.top - origin.top - offset);
    element.style.width = `${box.right - box.left + 2 * offset}px`;
    element.style.height = `${box.bottom - box.top + 2 * offset}px`;
  }
}

function moveTo(element: HTMLElement, x: number, y: number): void {
  element.style.transform = `translate(${x}px, ${y}px)`;
}

/** Join boxes that nearly touch, line by line, so that tints do not overlap. */
function joinBoxes(boxes: readonly Box[]): Box[] {
  const lines: Box[][] = [];
  for (const box of boxes) {
    const line = lines.find(([first]) => first !== undefined && areOnOneLine(first, box));
    if (line === undefined) lines.push([box]);
    else line.push(box);
  }
  return lines.flatMap(joinLine);
}

function joinLine(boxes: readonly Box[]): Box[] {
  const top = Math.min(...boxes.map((box) => box.top));
  const bottom = Math.max(...boxes.map((box) => box.bottom));
  const done: Box[] = [];
  for (const { left, right } of [...boxes].sort((a, b) => a.left - b.left)) {
    const last = done.at(-1);
    if (last === undefined || left > last.right + JOIN_GAP) done.push({ left, right, top, bottom });
    else last.right = Math.max(last.right, right);
  }
  return done;
}

const areOnOneLine = (left: Box, right: Box): boolean =>
  Math.min(left.bottom, right.bottom) - Math.max(left.top, right.top) >
  Math.min(left.bottom - left.top, right.bottom - right.top) / 2;
