/**
 * The page to try nbner without installing it.
 *
 * The widgets are the ones of the package. What stands in for the kernel is in
 * `tryPage/`; what needs a trained pipeline was recorded when the page was built
 * (`docs/try_page.py`). Answers stay in the browser.
 */
import annotator from "./annotator";
import errors from "./errors";
import trace from "./trace";
import type { Setup } from "./shared/protocol";
import { AnswerLog } from "./tryPage/answerLog";
import { exportLines } from "./tryPage/exportLines";
import { trainTagger } from "./tryPage/learner";
import { playRecording, type Recording } from "./tryPage/recordedKernel";
import { StandInKernel, type KernelContents } from "./tryPage/standInKernel";
import { StandInModel } from "./tryPage/standInModel";

interface Recorded {
  readonly label: KernelContents;
  readonly correct: KernelContents;
  readonly errors: Recording & { readonly traits: Record<string, unknown> };
  readonly trace: { readonly traits: Record<string, unknown> };
}

/** Accepted examples between two trainings of the learner. */
const LEARN_EVERY = 5;

const find = <Kind extends HTMLElement>(selector: string): Kind => {
  const element = document.querySelector<Kind>(selector);
  if (element === null) throw new Error(`the page has no ${selector}`);
  return element;
};

const recorded = JSON.parse(find("#recorded").textContent) as Recorded;
const log = await AnswerLog.open();

/** A part of the page that holds answers: its kernel, and the widget on it. */
async function startAnnotator(part: "label" | "correct"): Promise<StandInKernel> {
  const contents = recorded[part];
  const kernel = new StandInKernel(contents, await log.read(part), (answer) => {
    // The answer is in this page whatever becomes of the browser's database.
    void log.put(part, answer).catch(sayNotKept).then(() => learn(part, kernel, model));
  });
  const model = new StandInModel(kernel.traits, kernel.respond);
  mountWidget(annotator(), model, part);
  learn(part, kernel, model);
  return kernel;
}

function sayNotKept(): void {
  find("#kept").textContent = "This browser keeps no data for this page: download your answers before you close it.";
}

let learnedFrom = 0;

/** Train on what was accepted by hand, and suggest for what was not shown yet. */
function learn(part: string, kernel: StandInKernel, model: StandInModel): void {
  const { accepted } = kernel;
  if (part !== "label" || accepted.length < LEARN_EVERY || accepted.length < learnedFrom + LEARN_EVERY) return;
  learnedFrom = accepted.length;
  const texts = accepted.map(({ tokens, spans }) => ({ words: tokens.map(([word]) => word), spans }));
  const tagger = trainTagger(texts, recorded.label.setup.labels);
  const source = `this page's model, ${accepted.length} answers`;
  model.tell(kernel.suggest((task) => tagger.predict(task.tokens.map(([word]) => word)), source));
  find("#learned").textContent = `A model in this page has learned from ${accepted.length} answers, and suggests.`;
}

type Widget = { initialize(given: never): unknown; render(given: never): unknown };

function mountWidget(widget: Widget, model: StandInModel, part: string): void {
  const place = find(`#${part}-widget`);
  widget.initialize({ model } as never);
  widget.render({ model, el: place } as never);
}

const kernels = new Map<keyof Recorded, StandInKernel>();
const started = new Set<string>();

async function show(part: keyof Recorded): Promise<void> {
  for (const section of document.querySelectorAll<HTMLElement>("[role=tabpanel]")) section.hidden = section.id !== part;
  for (const tab of document.querySelectorAll<HTMLElement>("[role=tab]")) {
    const isChosen = tab.getAttribute("aria-controls") === part;
    tab.setAttribute("aria-selected", String(isChosen));
    tab.tabIndex = isChosen ? 0 : -1;
  }
  if (started.has(part)) return;
  started.add(part);
  if (part === "label" || part === "correct") kernels.set(part, await startAnnotator(part));
  else if (part === "errors") {
    const { traits } = recorded.errors;
    const hello = { setup: traits._setup, ...(traits._snapshot as object) };
    mountWidget(errors(), new StandInModel({ ...traits }, playRecording(recorded.errors, hello)), part);
  } else mountWidget(trace() as Widget, new StandInModel({ ...recorded.trace.traits }, () => []), part);
}

const tabs = [...document.querySelectorAll<HTMLElement>("[role=tab]")];
tabs.forEach((tab, i) => {
  const open = (at: number): void => {
    const next = tabs[(at + tabs.length) % tabs.length] as HTMLElement;
    next.focus();
    void show(next.getAttribute("aria-controls") as keyof Recorded);
  };
  tab.addEventListener("click", () => open(i));
  tab.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight") open(i + 1);
    if (event.key === "ArrowLeft") open(i - 1);
  });
});

async function download(): Promise<void> {
  // A part that was not opened in this visit has the answers of earlier ones.
  const lines = await Promise.all(
    (["label", "correct"] as const).map(async (part) =>
      exportLines(recorded[part].tasks, kernels.get(part)?.answers ?? (await log.read(part))),
    ),
  );
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(lines, { type: "application/jsonl" }));
  link.download = "nbner-answers.jsonl";
  link.click();
  URL.revokeObjectURL(link.href);
}

find("#download").addEventListener("click", () => void download());

find("#forget").addEventListener("click", () => {
  const keys = [recorded.label.setup, recorded.correct.setup].map(({ key }: Setup) => key);
  Object.keys(localStorage)
    .filter((name) => keys.some((key) => name.includes(key)))
    .forEach((name) => localStorage.removeItem(name));
  void log.clear().then(() => location.reload());
});

if (!log.isKept) sayNotKept();
await show("label");
document.documentElement.dataset.ready = "true";
