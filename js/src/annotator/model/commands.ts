/** Who carries out which command. */
import type { Deciding } from "./decisions";
import type { Command } from "../../shared/keyboard";
import type { Marking } from "./spanEditor";
import type { Panels } from "./sidePanel";

/** Commands that only a view can carry out, for it alone knows lines and directions. */
export type ViewCommand = Extract<
  Command,
  { do: "filter" | "help" | "leave" | "note" | "sureness" | "sideways" | "resize" | "line" | "line-edge" }
>;
export type CoreCommand = Exclude<Command, ViewCommand>;

export interface Hands {
  readonly marker: Marking;
  readonly decider: Deciding;
  readonly panels: Panels;
  /** The label that has a place in the list; null where there are not so many. */
  label(index: number): string | null;
  /** Ends the time that the example was looked at. */
  pause(): void;
  /** Walks through the analyses of the text. */
  leaf(by: 1 | -1): void;
  takeOther(): void;
  takeVersion(): void;
}

export function carryOut(command: CoreCommand, hands: Hands): void {
  const { marker, decider, panels } = hands;
  switch (command.do) {
    case "decide":
      hands.pause();
      return decider.decide(command.answer);
    case "take-back":
      return decider.takeBack();
    case "undo":
      return decider.undo();
    case "redo":
      return decider.redo();
    case "save":
      return decider.save();
    case "flag":
      return decider.flag();
    case "first-open":
      return decider.firstOpen();
    case "list":
      return panels.showList();
    case "everywhere":
      return panels.showEverywhere(command.take);
    case "other-suggestion":
      return hands.takeOther();
    case "leaf":
      return hands.leaf(command.by);
    case "take-version":
      return hands.takeVersion();
    case "browse":
      return decider.browse(command.by);
    case "remove":
      return marker.remove();
    case "label":
      return pickAt(command.index, hands);
    case "label-active":
      return marker.labelActive();
    case "span":
      return marker.goToSpan(command.by);
    case "text-edge":
      return marker.goToEdge(command.side, command.extend);
  }
}

function pickAt(index: number, { marker, label }: Hands): void {
  const name = label(index);
  if (name !== null) marker.pick(name);
}
