// A page that mounts the shipped bundle without Jupyter: a kernel that keeps
// the protocol and can be told to misbehave, and as many models and views of
// it as a test wants.
import bundle from "/annotator.js";

/** Answers as the Python side does. */
class Kernel {
  constructor({ setup, tasks, past = [], analyses = [] }) {
    this.analyses = analyses;
    this.setup = setup;
    this.tasks = [...past, ...tasks];
    this.order = past.map(({ id }) => id);
    this.messages = [];
    this.applied = new Set();
    this.events = [];
    this.held = [];
    this.learning = {}; // replies to "start", "stop" and "switch"
    this.state = "well"; // or "busy", "gone", "failing", "refusing"
    this.models = [];
  }

  get counts() {
    const counts = { total: this.tasks.length, accept: 0, reject: 0, ignore: 0, open: 0 };
    for (const { answer } of this.tasks) counts[answer ?? "open"] += 1;
    return counts;
  }

  get snapshot() {
    const past = this.order.slice(-12).map((id) => this.find(id));
    return structuredClone({ window: this.upcoming(12, []), past, counts: this.counts });
  }

  find(id) {
    return this.tasks.find((task) => task.id === id);
  }

  upcoming(limit, have) {
    return this.tasks.filter((task) => !task.answer && !have.includes(task.id)).slice(0, Math.max(0, limit));
  }

  take(message) {
    this.messages.push(structuredClone(message));
    // News has no reply.
    if (this.state === "gone" || message.type === "at") return;
    this.held.push(structuredClone(message));
    if (this.state !== "busy") queueMicrotask(() => this.work());
  }

  /** Replies to everything that waits. */
  work() {
    for (const message of this.held.splice(0)) this.tell({ re: message.id, ...this.handle(message) });
  }

  become(state) {
    this.state = state;
    if (state === "well") this.work();
  }

  handle(message) {
    switch (message.type) {
      case "answer":
        return this.answer(message);
      case "fetch":
        return { type: "tasks", tasks: this.upcoming(message.want, message.have), counts: this.counts };
      case "past": {
        const before = message.before ? this.order.indexOf(message.before) : this.order.length;
        const ids = this.order.slice(Math.max(0, before - message.want), before).reverse();
        return { type: "tasks", tasks: ids.map((id) => this.find(id)), counts: this.counts };
      }
      case "find": {
        const tasks = message.examples.map((id) => this.find(id)).filter(Boolean);
        return { type: "tasks", tasks, counts: this.counts };
      }
      case "list":
        return this.list(message);
      case "occurrences":
        return this.occurrences(message);
      case "analyses":
        return { type: "analyses", example: message.example, analyses: this.analysesUnder(message) };
      case "bulk":
        return this.bulk(message);
      case "learning":
        return { type: "learning", ...this.learning[message.do] };
      default:
        return { type: "snapshot", setup: this.setup, ...this.snapshot };
    }
  }

  list({ filter, offset, want }) {
    const found = this.tasks.filter((task) => fits(task, filter));
    return { type: "listed", rows: found.slice(offset, offset + want).map(rowOf), total: found.length };
  }

  /** A model whose list is given; under constraints it keeps what agrees with them. */
  analysesUnder({ forced, forbidden, want }) {
    const overlaps = (one) => forced.some(([start, end]) => one[0] < end && start < one[1]);
    const isBanned = (one) => forbidden.some(([start, end, label]) => `${one.slice(0, 3)}` === `${[start, end, label]}`);
    const under = ({ probability, spans }) => ({
      probability,
      spans: [...spans.filter((one) => !overlaps(one) && !isBanned(one)), ...forced].sort((a, b) => a[0] - b[0]),
    });
    return this.analyses.map(under).slice(0, want);
  }

  /** Every place of one word in the open examples, but for the one shown. */
  occurrences({ words, label, take, cased, besides, want }) {
    const fold = (word) => (cased ? word : word.toLowerCase());
    const places = [];
    for (const task of this.tasks.filter((one) => !one.answer && one.id !== besides)) {
      task.tokens.forEach(([word], start) => {
        if (fold(word) !== fold(words[0])) return;
        const there = task.spans.find(([from, to]) => from <= start && start < to);
        if ((there?.[2] === label) !== (take === "unlabel")) return;
        const problem = there && take === "label" ? `holds ${there[2]}` : "";
        const text = (from, to) => task.tokens.slice(from, to).map((token) => token.join("")).join("");
        const excerpt = { left: text(0, start), hit: word, right: ` ${text(start + 1)}` };
        places.push({ example: task.id, start, end: start + 1, problem, ...excerpt });
      });
    }
    return { type: "places", places: places.slice(0, want), more: places.length > want };
  }

  bulk({ bulk, label, take, places, undo, have }) {
    const isOn = (take === "label") !== undo;
    const changed = new Set();
    for (const [id, start, end] of places) {
      const task = this.find(id);
      task.spans = task.spans.filter((span) => span[0] !== start);
      if (isOn) task.spans.push([start, end, label]);
      task.spans.sort((left, right) => left[0] - right[0]);
      changed.add(id);
    }
    const tasks = [...changed].filter((id) => have.includes(id)).map((id) => this.find(id));
    return { type: "applied", bulk, count: changed.size, left: 0, tasks, counts: this.counts };
  }

  /** Code in a cell asks for an example. */
  show(id) {
    this.tell({ type: "show", task: this.find(id), counts: this.counts });
  }

  /** Labels have been added. */
  relabel(setup) {
    this.setup = setup;
    for (const model of this.models) {
      model.traits._setup = structuredClone(setup);
      model.emit("change:_setup");
    }
  }

  answer(message) {
    if (this.state === "failing") return { type: "failed", message: "The disk is full", retry: true };
    if (this.state === "refusing") return { type: "failed", message: "This label is not known", retry: false };
    if (!this.applied.has(message.id)) this.store(message);
    return { ...this.saved(message), next: this.upcoming(12 - message.have.length, message.have) };
  }

  store({ id, example, answer, spans, flagged, note }) {
    this.applied.add(id);
    this.events.push({ id, example, answer, spans, flagged });
    Object.assign(this.find(example), { answer, spans, flagged, note, suggested: false });
    this.order = this.order.filter((one) => one !== example);
    if (answer) this.order.push(example);
  }

  saved({ example, answer, spans, flagged, note }) {
    return { type: "saved", example, answer, spans, flagged, note, counts: this.counts, next: [] };
  }

  /** An answer from elsewhere, of which every page hears. */
  answerElsewhere(example, answer, spans = []) {
    this.store({ id: `elsewhere-${this.events.length}`, example, answer, spans, flagged: false, note: "" });
    this.tell(this.saved({ example, answer, spans, flagged: false, note: "" }));
  }

  tell(message) {
    const copy = structuredClone(message);
    this.models.forEach((model) => model.emit("msg:custom", copy));
  }
}

const textOf = (task) => task.tokens.map((token) => token.join("")).join("");

function fits(task, { answer, flagged, noted, label, text, annotator, order }) {
  return (
    (!answer || (answer === "open" ? !task.answer : answer === "answered" ? task.answer : task.answer === answer)) &&
    (!flagged || task.flagged) &&
    (!noted || task.note) &&
    (!label || task.spans.some((span) => span[2] === label)) &&
    (!text || textOf(task).toLowerCase().includes(text.toLowerCase())) &&
    (!annotator || (task.answer && annotator === "ann")) &&
    (!order || task.spans.some((span) => span[3]?.score !== undefined))
  );
}

function rowOf(task) {
  const { id, answer, flagged, note } = task;
  const labels = [...new Set(task.spans.map((span) => span[2]))];
  const score = task.spans.map((span) => span[3]?.score).find((one) => one !== undefined) ?? null;
  const by = answer ? "ann" : "";
  return { id, left: textOf(task), hit: "", right: "", answer, flagged, note, by, labels, score };
}

/** anywidget's model, as far as it is used. */
class Model {
  constructor(kernel) {
    this.kernel = kernel;
    this.callbacks = new Map();
    this.traits = { _setup: structuredClone(kernel.setup), _snapshot: kernel.snapshot };
    this.slots = new Set();
    this.widget_manager = {
      kernel: {
        statusChanged: {
          connect: (slot) => this.slots.add(slot),
          disconnect: (slot) => this.slots.delete(slot),
        },
      },
    };
    kernel.models.push(this);
  }

  get(name) {
    return this.traits[name];
  }

  send(content) {
    this.kernel.take(content);
  }

  on(event, callback) {
    this.callbacks.set(event, [...(this.callbacks.get(event) ?? []), callback]);
  }

  off(event, callback) {
    this.callbacks.set(event, (this.callbacks.get(event) ?? []).filter((one) => one !== callback));
  }

  emit(event, ...args) {
    (this.callbacks.get(event) ?? []).forEach((callback) => callback(...args));
  }

  status(status) {
    this.slots.forEach((slot) => slot(null, status));
  }

  get listenerCount() {
    return [...this.callbacks.values()].flat().length + this.slots.size;
  }
}

/** Counts what is listened to outside the widget's own elements. */
const outside = new Map();
for (const target of [document, window]) {
  const { addEventListener, removeEventListener } = target;
  const name = (type) => `${target === window ? "window" : "document"}:${type}`;
  const count = (type, by) => outside.set(name(type), (outside.get(name(type)) ?? 0) + by);
  target.addEventListener = function (type, ...rest) {
    count(type, 1);
    // A listener given a signal ends with it, without a call of `removeEventListener`.
    rest[1]?.signal?.addEventListener("abort", () => count(type, -1));
    return addEventListener.call(target, type, ...rest);
  };
  target.removeEventListener = function (type, ...rest) {
    count(type, -1);
    return removeEventListener.call(target, type, ...rest);
  };
}

const host = {
  outside: () => Object.fromEntries([...outside].filter(([, count]) => count !== 0)),
  start(world) {
    host.kernel = new Kernel(world);
    return host.open(world.views ?? 1);
  },
  /** One widget, with so many views. */
  async open(views = 1) {
    host.model = new Model(host.kernel);
    host.widget = bundle();
    host.end = await host.widget.initialize({ model: host.model });
    host.closers = [];
    for (let i = 0; i < views; i += 1) await host.view();
  },
  async view() {
    const cell = document.createElement("div");
    cell.className = "cell";
    document.body.append(cell);
    host.closers.push(await host.widget.render({ model: host.model, el: cell }));
  },
};
window.host = host;
document.documentElement.dataset.ready = "true";
