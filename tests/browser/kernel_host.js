// A page that mounts a shipped bundle without Jupyter, with the kernel's own
// Python behind it: `ask` is the test's, and gives back all that the widget sends.

/** anywidget's model, as far as it is used. */
class Model {
  constructor(traits) {
    this.traits = traits;
    this.callbacks = new Map();
  }

  get(name) {
    return this.traits[name];
  }

  async send(content) {
    this.tell(await window.ask(content));
  }

  on(event, callback) {
    this.callbacks.set(event, [...(this.callbacks.get(event) ?? []), callback]);
  }

  off(event, callback) {
    this.callbacks.set(event, (this.callbacks.get(event) ?? []).filter((one) => one !== callback));
  }

  tell(messages) {
    for (const message of messages) {
      (this.callbacks.get("msg:custom") ?? []).forEach((callback) => callback(message));
    }
  }

  get listenerCount() {
    return [...this.callbacks.values()].flat().length;
  }
}

window.host = {
  async start(name, traits, theme) {
    document.documentElement.className = theme;
    const style = document.createElement("link");
    Object.assign(style, { rel: "stylesheet", href: `/${name}.css` });
    document.head.append(style);
    const bundle = await import(`/${name}.js`);
    host.model = new Model(traits);
    host.widget = bundle.default();
    host.end = await host.widget.initialize({ model: host.model });
    const cell = document.createElement("div");
    cell.className = "cell";
    document.body.append(cell);
    host.close = await host.widget.render({ model: host.model, el: cell });
  },
};
document.documentElement.dataset.ready = "true";
