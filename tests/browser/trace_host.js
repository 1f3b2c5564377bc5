// A page that mounts the state viewer without Jupyter.
import bundle from "/trace.js";

/** anywidget's model, as far as it is used. */
class Model {
  constructor(run) {
    this.traits = { _run: run, step: 0 };
    this.callbacks = new Map();
    this.saved = [];
  }

  get(name) {
    return this.traits[name];
  }

  set(name, value) {
    if (this.traits[name] === value) return;
    this.traits[name] = value;
    this.emit(`change:${name}`);
  }

  save_changes() {
    this.saved.push(this.traits.step);
  }

  on(event, callback) {
    this.callbacks.set(event, [...(this.callbacks.get(event) ?? []), callback]);
  }

  off(event, callback) {
    this.callbacks.set(event, (this.callbacks.get(event) ?? []).filter((one) => one !== callback));
  }

  emit(event) {
    (this.callbacks.get(event) ?? []).forEach((callback) => callback());
  }

  get listenerCount() {
    return [...this.callbacks.values()].flat().length;
  }
}

const host = {
  closers: [],
  async start(run, views = 1) {
    host.model = new Model(run);
    host.widget = bundle();
    host.end = await host.widget.initialize({ model: host.model });
    for (let i = 0; i < views; i += 1) {
      const cell = document.createElement("div");
      cell.className = "cell";
      document.body.append(cell);
      host.closers.push(await host.widget.render({ model: host.model, el: cell }));
    }
  },
  close() {
    host.closers.splice(0).forEach((close) => close());
    host.end();
  },
  /** Milliseconds from each of these keys to the frame that shows it: laid out and handed over. */
  async time(keys) {
    const root = document.querySelector("[data-nbner]");
    const taken = [];
    for (const key of keys) {
      await new Promise((then) => requestAnimationFrame(then));
      const at = performance.now();
      root.dispatchEvent(new KeyboardEvent("keydown", { key, code: key, bubbles: true }));
      root.getBoundingClientRect();
      const worked = performance.now() - at;
      await new Promise((then) => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = then;
        requestAnimationFrame(() => port2.postMessage(null));
      });
      taken.push({ worked, painted: performance.now() - at });
    }
    return taken;
  },
};
window.host = host;
document.documentElement.dataset.ready = "true";
