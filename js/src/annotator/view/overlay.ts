/**
 * Rings and tints over the text, and the cross of the mark one points at.
 *
 * They lie in a layer of their own: a ring drawn on the words themselves would
 * make the browser lay out the whole text anew at every step of the caret.
 */
import { createElement, prefixClasses, setAttributes } from "../../shared/dom";

export interface OverlayShapes {
  /** Boxes of the caret or of the current mark. */
  readonly ring: readonly DOMRect[];
  readonly isPlace: boolean;
  /** Boxes of what is selected. */
  readonly tint: readonly DOMRect[];
  /** The box at whose upper end the cross is offered. */
  readonly cross: DOMRect | null;
  readonly isRightToLeft: boolean;
}

interface Shape {
  readonly kind: string;
  readonly box: Box;
  /** How far it stands off its box. */
  readonly off: number;
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export class Overlay {
  readonly element: HTMLElement;
  private readonly shapes = createElement("div", "shapes", { "aria-hidden": "true" });

  constructor(private readonly cross: HTMLElement) {
    cross.hidden = true;
    this.element = createElement("div", "overlay", {}, this.shapes, cross);
  }

  /** Puts everything where it belongs; boxes are given as they lie in the window. */
  draw({ ring, isPlace, tint, cross, isRightToLeft }: OverlayShapes): void {
    const origin = this.element.getBoundingClientRect();
    const rings = isPlace ? "ring ring-loose" : "ring";
    const shapes: Shape[] = [
      ...joinBoxes(tint).map((box) => ({ kind: "tint", box, off: 0 })),
      ...ring.map((box) => ({ kind: rings, box, off: RING_OFFSET })),
    ];
    while (this.shapes.childElementCount > shapes.length) this.shapes.lastChild?.remove();
    shapes.forEach((shape, i) => this.place(shape, i, origin));
    this.cross.hidden = cross === null;
    if (cross === null) return;
    const end = isRightToLeft ? cross.left : cross.right;
    moveTo(this.cross, end - origin.left, cross.top - origin.top);
  }

  /** Moves a shape to its place; it is the same element from step to step of the caret. */
  private place({ kind, box, off }: Shape, index: number, origin: Box): void {
    let element = this.shapes.children[index] as HTMLElement | undefined;
    if (element === undefined) this.shapes.append((element = createElement("div", kind)));
    setAttributes(element, { class: prefixClasses(kind) });
    moveTo(element, box.left - origin.left - off, box.top - origin.top - off);
    element.style.width = `${box.right - box.left + 2 * off}px`;
    element.style.height = `${box.bottom - box.top + 2 * off}px`;
  }
}

/** A gap between boxes that is no wider belongs to what is around it. */
const JOIN_GAP = 9;

/** How far a ring stands off what it surrounds. */
const RING_OFFSET = 2;

function moveTo(element: HTMLElement, x: number, y: number): void {
  element.style.transform = `translate(${x}px, ${y}px)`;
}

/** Joins boxes that all but touch, line by line, so that no tint lies on another. */
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
