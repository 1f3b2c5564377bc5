/** Who carries out which command. */
import type { Decisions } from "./decisions";
import type { Command } from "./keyBindings";
import type { SidePanel } from "./sidePanel";
import type { SpanEditor } from "./spanEditor";

/** Commands that only a view can carry out, for it alone knows lines and directions. */
export type ViewCommand = Extract<
  Command,
  { do: "filter" | "help" | "leave" | "note" | "sureness" | "sideways" | "resize" | "line" | "line-edge" }
>;
export type CoreCommand = Exclude<Command, ViewCommand>;

export interface CommandContext {
  readonly editor: SpanEditor;
  readonly decisions: Decisions;
  readonly sidePanel: SidePanel;
  /** The label that has a place in the list; null where there are not so many. */
  label(index: number): string | null;
  /** Ends the time that the example was looked at. */
  pause(): void;
  /** Walks through the analyses of the text. */
  stepCandidate(by: 1 | -1): void;
  takeAlternative(): void;
  takeVersion(): void;
}

export function dispatch(command: CoreCommand, hands: CommandContext): void {
  const { editor: marker, decisions: decider, sidePanel: panels } = hands;
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
      return decider.toggleFlag();
    case "first-open":
      return decider.firstOpen();
    case "list":
      return panels.showList();
    case "everywhere":
      return panels.showOccurrences(command.take);
    case "other-suggestion":
      return hands.takeAlternative();
    case "leaf":
      return hands.stepCandidate(command.by);
    case "take-version":
      return hands.takeVersion();
    case "browse":
      return decider.browse(command.by);
    case "remove":
      return marker.removeSelected();
    case "label":
      return pickAt(command.index, hands);
    case "label-active":
      return marker.labelSelection();
    case "span":
      return marker.goToSpan(command.by);
    case "text-edge":
      return marker.goToTextEdge(command.side, command.extend);
  }
}

function pickAt(index: number, { editor: marker, label }: CommandContext): void {
  const name = label(index);
  if (name !== null) marker.pickLabel(name);
}
