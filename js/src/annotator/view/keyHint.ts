/** Shows the key of an act on its control. */
import { setAttributes, setText } from "../../shared/dom";
import { formatKeys } from "../../shared/keyboard";
import type { AnnotatorController } from "../model/controller";
import { ariaOf, signOf, type Act } from "../model/keyMap";

/**
 * Show an act's key on its control; to be called in an effect, as keys may change.
 *
 * @param hint The element that shows the key.
 * @param title What the control's tip says before the key.
 */
export function showKey(
  controller: AnnotatorController,
  act: Act,
  control: HTMLElement,
  hint: HTMLElement | null,
  title?: string,
): void {
  const chord = controller.keyMap.chordOf(act);
  const key = chord === null ? "" : formatKeys(signOf(chord));
  if (hint !== null) setText(hint, key);
  setAttributes(control, {
    "aria-keyshortcuts": chord === null ? null : ariaOf(chord),
    ...(title !== undefined && { title: key === "" ? title : `${title}: ${key}` }),
  });
}
