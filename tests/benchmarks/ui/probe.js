// Measures inside the page: from a trusted event to the changed page, to its
// painting, and what goes over the kernel's socket. Put in before JupyterLab is.
(() => {
  const probe = { rows: [], frames: 0, sent: 0, received: 0, own: 0, examples: [] };
  window.probe = probe;

  const count = () => {
    probe.frames += 1;
    requestAnimationFrame(count);
  };
  requestAnimationFrame(count);

  /** Calls back once the frame that is being made has been handed to the screen. */
  const painted = (then) =>
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = then;
      channel.port2.postMessage(null);
    });

  /** Waits until what has changed by now is on the screen. */
  probe.painting = () => new Promise((resolve) => painted(() => painted(resolve)));

  let watched = null;
  let open = null;
  const start = (event) => {
    if (event.isTrusted && watched?.types.includes(event.type) && watched.root.contains(event.target))
      open = { key: event.key ?? event.type, at: performance.now(), frame: probe.frames };
  };
  ["keydown", "mouseup"].forEach((type) => addEventListener(type, start, true));

  /** Notes every trusted event of some types in an element, and when that element changed. */
  probe.watch = (root, types = ["keydown"]) => {
    watched?.observer.disconnect();
    probe.rows = [];
    const observer = new MutationObserver(() => {
      if (open === null) return;
      const row = { ...open, changed: performance.now() - open.at, late: probe.frames - open.frame };
      open = null;
      painted(() => {
        row.painted = performance.now() - row.at;
        probe.rows.push(row);
      });
    });
    observer.observe(root, { subtree: true, childList: true, attributes: true, characterData: true });
    watched = { root, types, observer };
  };

  /** Notes how long each example takes to be shown, from the trusted key that asks for it. */
  probe.nextExample = (root, words) => {
    let at = null;
    const text = () => root.querySelector(words).textContent;
    let before = text();
    const press = (event) => {
      if (event.isTrusted && root.contains(event.target)) at = performance.now();
    };
    addEventListener("keydown", press, true);
    const look = () => {
      if (at === null || text() === before) return;
      // Ready for keys means laid out: a caret can be put anywhere.
      root.querySelector(words).getBoundingClientRect();
      before = text();
      const row = { changed: performance.now() - at, from: at };
      at = null;
      painted(() => probe.examples.push({ ...row, painted: performance.now() - row.from }));
    };
    new MutationObserver(look).observe(root, { subtree: true, childList: true, characterData: true });
  };

  /** From the key that runs a cell to the first painting of what a selector finds in its output. */
  probe.appear = (cell, selector) =>
    new Promise((resolve) => {
      let at = null;
      let arrived = null;
      const run = (event) => {
        if (event.key !== "Enter" || !event.isTrusted) return;
        at = performance.now();
        probe.onDisplay = () => (arrived ??= performance.now());
      };
      addEventListener("keydown", run, true);
      const before = new Set(document.querySelectorAll(selector));
      const observer = new MutationObserver(() => {
        const found = [...cell.querySelectorAll(selector)].find((one) => !before.has(one));
        if (at === null || found === undefined || found.textContent.trim() === "") return;
        observer.disconnect();
        removeEventListener("keydown", run, true);
        probe.onDisplay = null;
        painted(() => resolve({ key: performance.now() - at, message: performance.now() - arrived }));
      });
      observer.observe(document.body, { subtree: true, childList: true, characterData: true });
    });

  // The kernel's socket.

  const text = new TextDecoder();
  /** Reads the parts of one of Jupyter's binary messages: channel, header, parent, metadata, content. */
  const parts = (buffer) => {
    const view = new DataView(buffer);
    const size = Number(view.getBigUint64(0, true));
    const offsets = Array.from({ length: size }, (_, i) => Number(view.getBigUint64(8 * (i + 1), true)));
    return offsets.slice(0, -1).map((from, i) => text.decode(buffer.slice(from, offsets[i + 1])));
  };

  const hear = (data) => {
    const size = data.byteLength ?? data.length;
    probe.received += size;
    if (!(data instanceof ArrayBuffer)) return;
    const [, header, , , content] = parts(data);
    if (/"(display_data|execute_result)"/.test(header ?? "")) probe.onDisplay?.();
    const message = header?.includes('"comm_msg"') ? JSON.parse(content).data?.content : null;
    if (message) probe.own += content.length;
    if (message?.type === "saved" && message.re) probe.onSaved?.(message.re);
  };

  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (data) {
    probe.sent += data.byteLength ?? data.length;
    if (data instanceof ArrayBuffer) probe.own += parts(data)[4]?.length ?? 0;
    return send.call(this, data);
  };
  const Plain = WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => hear(data));
    }
  };
})();
